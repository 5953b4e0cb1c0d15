import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { proto } from '../../src/ir/onnx/proto.js';
import { printGraph } from '../../src/ir/text/print.js';
import { createConvSpace } from '../../src/space/conv.js';
import { drawWeights } from '../../src/train/initialize.js';
import { Rng } from '../../src/util/random.js';
import { archwright, smallSearch, temporaryFolder, writeConfig } from '../end-to-end/cli.js';
import { type Connection, connectHttp, startHttp } from './client.js';

const folder = temporaryFolder();
const config = writeConfig(folder, { ...smallSearch, budget: { time: '10m' } });
const token = 'correct-horse-battery';
const space = createConvSpace({ channels: 1, height: 28, width: 28, classes: 10 });
const graph = space.decode(space.sample(new Rng(1)));

let server: Awaited<ReturnType<typeof startHttp>>;
let connection: Connection;
beforeAll(async () => {
  server = await startHttp([config, '--out', join(folder, 'run')], folder, token);
  connection = await connectHttp(server.url, token);
});
afterAll(() => {
  server.child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Status of a raw request. */
function statusOf(
  headers: Record<string, string>,
  { method = 'POST', path = '/mcp', body = '{}', host = server.url.hostname } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = server.url;
    const accept = 'application/json, text/event-stream';
    const common = { 'content-type': 'application/json', accept };
    const sent = request(
      { host, port, method, path, headers: { ...common, ...headers } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const known = { authorization: `Bearer ${token}` };

describe('archwright mcp over HTTP', () => {
  it('serves who has the token, each request by itself', async () => {
    const other = await connectHttp(server.url, token);
    for (const { call } of [connection, other]) {
      const { budget } = await call('describe_run');
      expect((budget as { secondsLeft: number }).secondsLeft).toBeLessThan(420);
    }
    await other.close();
  });

  it('refuses a wrong token, or none', async () => {
    await expect(connectHttp(server.url, 'wrong-horse-battery')).rejects.toThrow(/token/);
    expect(await statusOf({})).toBe(401);
    expect(await statusOf({ authorization: `Basic ${token}` })).toBe(401);
    expect(await statusOf({ authorization: `Bearer ${token}x` })).toBe(401);
  });

  it('refuses what comes from a web page, names another host, or asks for another path', async () => {
    expect(await statusOf({ ...known, origin: 'http://localhost' })).toBe(403);
    expect(await statusOf({ ...known, host: 'evil.example' })).toBe(403);
    expect(await statusOf(known, { path: '/mcp/../ledger.sqlite' })).toBe(404);
    expect(await statusOf(known, { method: 'GET', body: '' })).toBe(405);
  });

  it('listens on loopback alone', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    for (const { address } of outside) {
      await expect(statusOf(known, { host: address })).rejects.toThrow(/ECONNREFUSED/);
    }
    expect(server.url.hostname).toBe('127.0.0.1');
  });

  it.each([
    [['--http', '0'], /expected --http and --token-env together/],
    [['--http', '0', '--token-env', 'NO_SUCH_TOKEN'], /expected a variable that is set/],
    [['--http', 'x', '--token-env', 'HOME'], /--http: expected a whole number/],
  ])('refuses the flags %j', async (flags, line) => {
    const { code, stderr } = await archwright(['mcp', config, ...flags], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(line);
  });
});

describe('hostile input', () => {
  const deep = (levels: number): unknown =>
    JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
  const withText = (find: string | RegExp, put: string) => printGraph(graph).replace(find, put);

  it.each<[string, object, RegExp]>([
    ['a number', { architecture: 17 }, /illegal draft/],
    ['a program', { architecture: 'process.exit(1)' }, /illegal draft/],
    ['a prototype', JSON.parse('{"architecture":{"__proto__":{"norm":"batch"}}}'), /illegal draft/],
    ['a deep tree', { architecture: deep(2000) }, /illegal draft/],
    ['a long list', { architecture: Array(20_000).fill(0) }, /10000|elements/],
    ['a long text', { architecture: 'x'.repeat(1e6) }, /at most 65536 characters/],
    ['a long graph', { graph: ' '.repeat(1e6) }, /at most 524288 characters/],
    ['no graph', { graph: '<<<' }, /illegal draft/],
    [
      'another task',
      { graph: withText('28, 28', '32, 32') },
      /expected the one input image float32/,
    ],
    ['an unknown operator', { graph: withText(/= Conv/, '= Ignore_all_rules') }, /illegal draft/],
    ['no base64', { onnx: '../../etc/passwd' }, /expected an ONNX file in base64/],
    ['no ONNX', { onnx: 'AAAA' }, /illegal draft/],
    ['two forms', { architecture: {}, onnx: 'AAAA' }, /one of architecture, graph and onnx/],
    ['parents by path', { architecture: {}, parents: ['../1'] }, /parents/],
    ['an endless wait', { architecture: {}, waitSeconds: 1e9 }, /waitSeconds/],
    [
      'an operator of its own',
      { architecture: {}, operator: 'x\n{"state":"complete"}' },
      /operator/,
    ],
  ])('%s is refused in words', async (_name, args, line) => {
    expect(await connection.refused('submit_candidate', args)).toMatch(line);
  });

  it('files beside the model are not read', async () => {
    const model = proto.ModelProto.decode(encodeModel(drawWeights(graph, new Rng(2))));
    const tensor = model.graph?.initializer?.find(({ rawData }) => (rawData?.length ?? 0) > 0);
    if (tensor === undefined) throw new Error('expected an initializer');
    tensor.rawData = new Uint8Array();
    tensor.dataLocation = proto.TensorProto.DataLocation.EXTERNAL;
    tensor.externalData = [{ key: 'location', value: '../../../../etc/passwd' }];
    const onnx = Buffer.from(proto.ModelProto.encode(model).finish()).toString('base64');
    const line = await connection.refused('submit_candidate', { onnx });
    expect(line).toMatch(/external data, which is not supported/);
    expect(line).not.toContain('\n');
  });

  it.each([
    ['read_trial', { trial: '../config.json' }],
    ['read_trial', { trial: 1e9 }],
    ['read_submission', { submission: 3, waitSeconds: 0 }],
    ['profile_trial', { trial: -1 }],
    ['read_memory', { scope: 'sibling', trial: 4000 }],
    ['list_trials', { offset: Number.MAX_VALUE }],
  ])('%s of %j is refused', async (tool, args) => {
    expect(await connection.refused(tool, args)).toMatch(/expected|Invalid/i);
  });

  it('bodies that are too large or no JSON leave the server as it was', async () => {
    expect(await statusOf(known, { body: `{"x":"${'y'.repeat(5e6)}"}` })).toBe(413);
    expect(await statusOf(known, { body: 'not json' })).toBe(400);
    expect(await statusOf(known, { body: '[[[[' })).toBe(400);
    expect((await connection.call('describe_run')).run).toBe('config');
    expect((await connection.call('list_trials')).total).toBe(0);
  });
});
