import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { archwright, temporaryFolder } from './cli.js';

const folder = temporaryFolder();

/** Writes a small net with an open batch dimension; returns its path. */
function writeModel(name: string, depth: number): string {
  const builder = new GraphBuilder(name);
  let value = builder.input('x', 'float32', ['N', 32]);
  for (let i = 0; i < depth; i++) {
    const weight = builder.initializer({
      name: `w${i}`,
      role: 'weight',
      dtype: 'float32',
      dims: [32, 32],
      data: Float32Array.from({ length: 1024 }, (_, j) => Math.cos(i * j) / 6),
    });
    value = builder.op('Relu', [builder.op('MatMul', [value, weight])]);
  }
  builder.output(value, 'y');
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, encodeModel(builder.build()));
  return path;
}

const small = writeModel('small', 2);
const large = writeModel('large', 12);
const quick = ['--threads', '1', '--seconds', '0.3'];

describe('archwright bench', () => {
  it('prints the contract, a result for each model', async () => {
    const args = ['bench', small, large, ...quick, '--dim', 'N=4', '--streams', '1,2', '--json'];
    const { code, stdout } = await archwright(args, folder);
    const { schema, host, results } = JSON.parse(stdout);
    expect(schema).toBe('archwright.bench/1');
    expect(host).toMatchObject({ node: process.version, provider: 'cpu' });
    expect(results.map(({ model }: { model: string }) => model)).toEqual([small, large]);
    for (const result of results) {
      expect(result).toMatchObject({
        device: 'cpu',
        threads: 1,
        inputs: { x: { shape: [4, 32], type: 'float32' } },
        mode: { cache: 'warm', everyMs: null },
        transfers: null,
      });
      expect(result.throughput).toHaveLength(2);
      expect(result.latencyMs.percentileCi95.p99).toHaveLength(2);
      expect(result.memory.processPeakBytes).toBeGreaterThan(0);
    }
    expect(code).toBe(0);
  });

  it('says in words what it found, and what it assumed', async () => {
    const { code, stdout } = await archwright(['bench', small, ...quick, '--cold-cache'], folder);
    expect(stdout).toMatch(/latency +p50 .* ms ± /);
    expect(stdout).toMatch(/1 threads, cold caches; x float32\[1, 32\]/);
    expect(stdout).toMatch(/note +input x is \[N, 32\]: assumed 1,32; else give --shape x=1,32/);
    for (const flag of /flags +(.*)/.exec(stdout)?.[1]?.split(', ') ?? []) {
      expect(stdout).toMatch(new RegExp(`^${flag}: .{20,}`, 'm'));
    }
    expect(code).toBe(0);
  });

  it('prints CSV, and ends with 3 where an assertion does not hold', async () => {
    const csv = await archwright(['bench', small, ...quick, '--csv'], folder);
    const [header = '', ...lines] = csv.stdout.trim().split(/\r?\n/);
    expect(header).toMatch(/model,.*latencyMs\.p50/);
    expect(lines).toHaveLength(1);
    const failing = ['bench', small, ...quick, '--assert', 'latencyMs.p50 < 1 us', '--json'];
    const { code, stdout, stderr } = await archwright(failing, folder);
    expect(code).toBe(3);
    expect(stderr).toMatch(/latencyMs\.p50/);
    expect(JSON.parse(stdout).results).toHaveLength(1);
  });

  it.each([
    [['--shape', 'x=1,33'], /shapes\.x: expected \[N, 32\], received \[1, 33\]/],
    [['--shape', 'x'], /--shape: expected name=d0,d1,… .*received x/],
    [['--shape', 'z=1'], /shapes: expected inputs of the model \(x\), received z/],
    [['--dim', 'M=2'], /dims: expected symbolic dimensions \(N\), received M/],
    [['--streams', '1,0'], /--streams: expected numbers of streams such as 1,2,4, received 1,0/],
    [['--every', '0'], /--every: expected a positive number/],
  ])('complains of %j in one line', async (flags, message) => {
    const { code, stdout, stderr } = await archwright(['bench', small, ...flags], folder);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});
