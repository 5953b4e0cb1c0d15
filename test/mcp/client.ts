/** The SDK's own client at a server that was started as a person's client would start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Json } from '../../src/trial/trial.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export type Reply = { readonly [key: string]: Json };

export interface Connection {
  /** Answers of tools that succeed, parsed; throws what a tool refuses. */
  call(tool: string, args?: object): Promise<Reply>;
  /** The line that a tool refuses with. */
  refused(tool: string, args?: object): Promise<string>;
  readonly client: Client;
  close(): Promise<void>;
}

function connectionOf(client: Client): Connection {
  const ask = async (name: string, args: object = {}) => {
    const result = await client.callTool({ name, arguments: { ...args } });
    const [content] = result.content as { text: string }[];
    return { isError: result.isError === true, text: content?.text ?? '' };
  };
  return {
    client,
    async call(tool, args) {
      const { isError, text } = await ask(tool, args);
      if (isError) throw new Error(`${tool}: ${text}`);
      return text.startsWith('{') ? (JSON.parse(text) as Reply) : { text };
    },
    async refused(tool, args) {
      const { isError, text } = await ask(tool, args);
      if (!isError) throw new Error(`${tool} was not refused: ${text}`);
      return text;
    },
    close: () => client.close(),
  };
}

const newClient = () => new Client({ name: 'test', version: '0' });

/** Starts `archwright mcp …args` and speaks to it over stdio. */
export async function startStdio(
  args: readonly string[],
  cwd: string,
): Promise<Connection & { readonly pid: number }> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [main, 'mcp', ...args],
    cwd,
    stderr: 'ignore',
  });
  const client = newClient();
  await client.connect(transport);
  return { ...connectionOf(client), pid: transport.pid as number };
}

/** Starts `archwright mcp …args --http 0` and waits until it says where it listens. */
export async function startHttp(
  args: readonly string[],
  cwd: string,
  token: string,
): Promise<{ readonly child: ChildProcess; readonly url: URL }> {
  const child = spawn(
    process.execPath,
    [main, 'mcp', ...args, '--http', '0', '--token-env', 'TEST_TOKEN'],
    { cwd, env: { ...process.env, TEST_TOKEN: token }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const url = await new Promise<URL>((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const place = /serving on (http:\S+)/.exec(text)?.[1];
      if (place !== undefined) resolve(new URL(place));
    });
    child.on('close', () => reject(new Error(text)));
  });
  return { child, url };
}

export async function connectHttp(url: URL, token: string): Promise<Connection> {
  const headers = { authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
  const client = newClient();
  // Its optional fields are declared without `undefined`, which they may be.
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return connectionOf(client);
}

/** Resolves when a process has ended. */
export async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
