/**
 * Transports: standard input and output, for a client that starts the server itself, and Streamable
 * HTTP on loopback with a token, for one that finds it running.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { UsageError } from '../errors.js';

export interface Serving {
  /** Resolves when the client has left; never over HTTP, where anyone may come back. */
  readonly left: Promise<void>;
  /** Where it listens, for people. */
  readonly place: string;
  close(): Promise<void>;
}

/** Serves the process that started this one. It has left when standard input ends. */
export async function serveStdio(create: () => McpServer): Promise<Serving> {
  const server = create();
  const left = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, () => resolve());
  });
  // A client that is gone cannot be answered; the run is stopped as for one that says goodbye.
  process.stdout.on('error', () => void server.close());
  await server.connect(new StdioServerTransport());
  return { left, place: 'standard input and output', close: () => server.close() };
}

/** Path of the endpoint. */
const ENDPOINT = '/mcp';
const LOOPBACK = '127.0.0.1';
/** Shorter tokens can be guessed. */
const MIN_TOKEN = 16;

/**
 * Serves HTTP on loopback; port 0 takes a free one. Each request carries `Authorization: Bearer` with
 * the token. Requests that name another host or come from a web page are refused, token or not.
 */
export async function serveHttp(
  create: () => McpServer,
  port: number,
  token: string,
): Promise<Serving> {
  if (token.length < MIN_TOKEN) {
    throw new UsageError(
      `--token-env: expected a token of at least ${MIN_TOKEN} characters, received ${token.length}`,
    );
  }
  const http = createServer((request, response) => {
    const refusal = refusalOf(request, token);
    if (refusal !== undefined) refuse(response, ...refusal);
    else {
      answer(create(), request, response).catch(() => {
        if (!response.headersSent) refuse(response, 500, 'internal error');
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    const fail = ({ code }: NodeJS.ErrnoException) =>
      reject(new UsageError(`--http: expected a free port, received ${port} (${code})`));
    http.once('error', fail);
    http.listen(port, LOOPBACK, resolve);
  });
  const address = http.address() as AddressInfo;
  return {
    left: new Promise(() => {}),
    place: `http://${LOOPBACK}:${address.port}${ENDPOINT}`,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeIdleConnections();
        // A client may hold a stream open for ever.
        setTimeout(() => http.closeAllConnections(), 1000).unref();
      }),
  };
}

/** Status and line for a request that is not served. */
function refusalOf(
  { method, url, headers }: IncomingMessage,
  token: string,
): [status: number, line: string] | undefined {
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')) {
    return [403, 'expected a request to 127.0.0.1 or localhost'];
  }
  if (headers.origin !== undefined) return [403, 'expected a client that is no web page'];
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(given), digest(token))) {
    return [401, 'expected the token of this server as Authorization: Bearer …'];
  }
  if (url !== ENDPOINT) return [404, `expected ${ENDPOINT}`];
  return method === 'POST' ? undefined : [405, 'expected POST'];
}

function refuse(response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(
    JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message: line } }),
  );
}

/** Every request has a server of its own: what there is to remember is in the run. */
async function answer(
  server: McpServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  response.on('close', () => void server.close());
  // Its optional callbacks are declared without `undefined`, which they may be.
  await server.connect(transport as Parameters<McpServer['connect']>[0]);
  await transport.handleRequest(request, response);
}
