import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalCells, parseCell } from '../../../benchmarks/predictor/cell.mjs';
import { Rng } from '../../../src/util/random.js';

const bench = fileURLToPath(new URL('../../../benchmarks/predictor-bench.mjs', import.meta.url));
const shared = fileURLToPath(new URL('../../../../shared/data/nasbench201/', import.meta.url));
const hasShared = existsSync(shared);
if (!hasShared)
  console.warn(`skipped: no ${shared}, so cells are not compared with published ones`);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'archwright-predictor-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OPS = ['none', 'skip_connect', 'nor_conv_1x1', 'nor_conv_3x3', 'avg_pool_3x3'];

function archString(ops: readonly number[]): string {
  const [a, b, c, d, e, f] = ops.map((op) => OPS[op]);
  return `|${a}~0|+|${b}~0|${c}~1|+|${d}~0|${e}~1|${f}~2|`;
}

interface Report {
  readonly devices: readonly { readonly device: string; readonly results: Results }[];
  readonly summary: Readonly<Record<string, { readonly belowRidge: number }>>;
}
type Results = Readonly<Record<string, { readonly predictor: { readonly spearman: number } }>>;

function run(table: object, ...flags: string[]): Report {
  const path = join(folder, 'table.json.gz');
  writeFileSync(path, gzipSync(JSON.stringify(table)));
  const text = execFileSync('node', [bench, '--table', path, '--json', ...flags], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text);
}

describe('predictor-bench', () => {
  const cells = canonicalCells();
  const latencyOf = (ops: readonly number[]) =>
    3 + ops.reduce((sum, op) => sum + ([0.2, 0, 1, 2.5, 0.6][op] as number), 0);

  it('takes architectures as strings, all latency columns by default', () => {
    const rng = new Rng(1);
    const some = Array.from({ length: 300 }, () => rng.pick(cells));
    const report = run(
      {
        meta: {},
        columns: ['index', 'arch', 'edge_latency_ms', 'edge_energy_mj'],
        rows: some.map((ops, i) => [i, archString(ops), latencyOf(ops), 1]),
      },
      '--draws',
      '3',
      '--samples',
      '10,50',
    );
    expect(report.devices.map(({ device }) => device)).toEqual(['edge_latency_ms']);
    expect(report.devices[0]?.results['10']?.predictor.spearman).toBeGreaterThan(0.99);
    expect(report.summary['50']?.belowRidge).toBe(0);
  });

  it('takes rows in the canonical order', () => {
    const rows = cells.map((ops, i) => [i, latencyOf(ops), latencyOf(ops) ** 2]);
    const table = { meta: {}, columns: ['index', 'a', 'b'], rows };
    const report = run(table, '--draws', '2', '--columns', 'a');
    expect(report.devices.map(({ device }) => device)).toEqual(['a']);
    expect(report.devices[0]?.results['10']?.predictor.spearman).toBeGreaterThan(0.99);
  });

  it('says what it expected of a table that it cannot read', () => {
    const path = join(folder, 'odd.json');
    writeFileSync(path, JSON.stringify({ columns: ['a'], rows: [[1], [2]] }));
    const { status, stderr } = spawnSync('node', [bench, '--table', path], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/expected a column of architectures, or all 15625/);
  });

  it.skipIf(!hasShared)('knows the published order of cells', () => {
    const bytes = gunzipSync(readFileSync(join(shared, 'accuracy.json.gz')));
    const { rows } = JSON.parse(bytes.toString('utf8')) as { rows: [number, string][] };
    expect(rows.map(([, arch]) => parseCell(arch))).toEqual(cells);
  });
});
