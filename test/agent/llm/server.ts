/** Servers on loopback that speak the two protocols and answer by a script. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the client sent
  readonly body: any;
}

/** What a model says: a text, tool calls (input as JSON, or as a text that may be none), or both. */
export interface Said {
  readonly text?: string;
  readonly calls?: readonly (readonly [name: string, input: unknown])[];
  /** Tokens of input and output; null: the server does not count. */
  readonly usage?: readonly [number, number] | null;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly said?: Said;
  /** Before anything is sent. */
  readonly delaySeconds?: number;
  /** Instead of an answer. */
  readonly raw?: (response: ServerResponse) => void;
}

export type Script = (request: Received, index: number) => Reply;
export type Protocol = 'openai-compatible' | 'anthropic';

export interface ModelServer {
  readonly url: string;
  readonly requests: readonly Received[];
  close(): Promise<void>;
}

export async function startServer(protocol: Protocol, script: Script): Promise<ModelServer> {
  const requests: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { url: path = '', headers } = request;
    const received = { path, headers, body: JSON.parse(Buffer.concat(chunks).toString()) };
    requests.push(received);
    const reply = script(received, requests.length - 1);
    if (reply.delaySeconds !== undefined) {
      await sleep(reply.delaySeconds * 1e3, undefined, { ref: false });
    }
    if (reply.raw !== undefined) return reply.raw(response);
    const body = reply.body ?? JSON.stringify(encode[protocol](reply.said ?? {}));
    response.writeHead(reply.status ?? 200, {
      'content-type': 'application/json',
      ...reply.headers,
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const encode: Readonly<Record<Protocol, (said: Said) => unknown>> = {
  'openai-compatible': ({ text = '', calls = [], usage = [1000, 100] }) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'loopback',
    choices: [
      {
        index: 0,
        finish_reason: calls.length > 0 ? 'tool_calls' : 'stop',
        message: {
          role: 'assistant',
          content: text,
          ...(calls.length > 0 && {
            tool_calls: calls.map(([name, input], i) => ({
              id: `id-${i}`,
              type: 'function',
              function: {
                name,
                arguments: typeof input === 'string' ? input : JSON.stringify(input),
              },
            })),
          }),
        },
      },
    ],
    ...(usage && {
      usage: {
        prompt_tokens: usage[0],
        completion_tokens: usage[1],
        total_tokens: usage[0] + usage[1],
      },
    }),
  }),
  anthropic: ({ text, calls = [], usage = [1000, 100] }) => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'loopback',
    stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    content: [
      ...(text === undefined ? [] : [{ type: 'text', text }]),
      ...calls.map(([name, input], i) => ({ type: 'tool_use', id: `toolu_${i}`, name, input })),
    ],
    usage: { input_tokens: usage?.[0] ?? 0, output_tokens: usage?.[1] ?? 0 },
  }),
};
