import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../src/agent/agent.js';
import { createOperators } from '../../src/agent/operators.js';
import { strategies } from '../../src/agent/strategy.js';
import { UsageError } from '../../src/errors.js';
import { joinScores } from '../../src/evaluate/table/scores.js';
import { readTable } from '../../src/evaluate/table/table.js';
import { runQueries } from '../../src/search/queries.js';
import { benchStrategy, boundsOf, type TableBenchOptions } from '../../src/search/table-bench.js';
import { createCellSpace } from '../../src/space/cell.js';
import { Rng } from '../../src/util/random.js';

const space = createCellSpace({ channels: 3, height: 32, width: 32, classes: 10 });
/** Made-up scores: convolutions help and cost; what is reported is the guide with noise on it. */
const noise = new Rng('scores');
const scores = new Map(
  (space.list?.() ?? []).map((cell) => {
    const count = (name: string) => cell.split(name).length - 1;
    const accuracy = 50 + 6 * count('conv_3x3') + 4 * count('conv_1x1') + 3 * count('skip');
    const latencyMs = 1 + 2 * count('conv_3x3') + count('conv_1x1') + count('pool');
    return [cell, { accuracy, latencyMs, reported: accuracy + noise.normal() }] as const;
  }),
);
const problem = (max?: number): Problem => ({
  operators: createOperators(space),
  objectives: [{ metric: 'accuracy', direction: 'maximize' }],
  constraints: max === undefined ? [] : [{ metric: 'latencyMs', max }],
});
const options = (max?: number): TableBenchOptions => ({
  problem: problem(max),
  scores,
  report: 'reported',
  queries: 60,
  seeds: 4,
  firstSeed: 0,
});

describe('search on known scores', () => {
  test('the same seed proposes the same, each query is new, and limits are kept from the score', () => {
    const run = () =>
      runQueries({
        agent: strategies.evolution.create(problem(5)),
        oracle: (cell) => scores.get(String(cell)) as { accuracy: number; latencyMs: number },
        constraints: [{ metric: 'latencyMs', max: 5 }],
        queries: 80,
        rng: new Rng(3),
      });
    const trials = run();
    expect(run()).toEqual(trials);
    expect(new Set(trials.map(({ architecture }) => architecture)).size).toBe(80);
    const broken = trials.filter(({ state }) => state === 'infeasible');
    expect(broken.length).toBeGreaterThan(0);
    for (const { metrics } of broken) expect(Object.keys(metrics)).toEqual(['latencyMs']);
  });

  test('bounds, winners and curves', () => {
    const free = boundsOf(options());
    const limited = boundsOf(options(5));
    expect(free.feasible).toBe(15_625);
    expect(limited.feasible).toBeLessThan(15_625);
    expect(limited.oracle).toBeLessThan(free.oracle);
    const result = benchStrategy(strategies.evolution.create, options(5));
    expect(result.curve).toHaveLength(60);
    expect(result.infeasibleWinners).toBe(0);
    expect(result.withoutWinner).toBe(0);
    expect(result.curve.at(-1)?.mean).toBeLessThanOrEqual(limited.oracle);
    expect(result.hypervolume).toBeUndefined();
  });

  test('hypervolume is a share of what the whole table dominates', () => {
    const objectives = [
      { metric: 'accuracy', direction: 'maximize' },
      { metric: 'latencyMs', direction: 'minimize' },
    ] as const;
    const both = { ...options(), problem: { ...problem(), objectives } };
    const { hypervolume } = benchStrategy(strategies.random.create, both);
    expect(hypervolume?.mean).toBeGreaterThan(0.3);
    expect(hypervolume?.mean).toBeLessThan(1);
  });
});

describe('tables', () => {
  const folder = mkdtempSync(join(tmpdir(), 'archwright-table-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  test('CSV, JSON and gzip read alike, and join by architecture or by index', () => {
    const csv = readTable(write('a.csv', 'index,arch,score\n0,"x, y",1.5\n1,z,2\n'));
    const json = readTable(
      write('b.json.gz', gzipSync('{"columns":["index","ms"],"rows":[[1,20],[0,10]]}')),
    );
    const joined = joinScores(csv, [
      { metric: 'accuracy', table: csv, column: 'score' },
      { metric: 'latencyMs', table: json, column: 'ms' },
    ]);
    expect([...joined]).toEqual([
      ['x, y', { accuracy: 1.5, latencyMs: 10 }],
      ['z', { accuracy: 2, latencyMs: 20 }],
    ]);
  });

  test.each([
    ['nothing.csv', undefined, /expected a table, received ENOENT/],
    ['ragged.csv', 'a,b\n1,2\n3\n', /row 2: expected 2 values, received 1/],
    ['broken.json', '{"columns": [', /expected JSON/],
    ['other.json', '{"rows": 3}', /expected \{"columns"/],
  ])('%s is refused in one line', (name, content, message) => {
    const file = content === undefined ? join(folder, name) : write(name, content);
    expect(() => readTable(file)).toThrow(UsageError);
    expect(() => readTable(file)).toThrow(message);
  });

  test('a missing column, number or row is named', () => {
    const table = readTable(write('c.csv', 'arch,score\nx,1\ny,\n'));
    const source = (column: string) => [{ metric: 'm', table, column }];
    expect(() => joinScores(table, source('other'))).toThrow(
      /a column other, received arch, score/,
    );
    expect(() => joinScores(table, source('score'))).toThrow(
      /row 2, column score: expected a number/,
    );
    const short = readTable(write('d.csv', 'arch,ms\nx,3\n'));
    const main = readTable(write('e.csv', 'arch,score\nx,1\ny,2\n'));
    expect(() => joinScores(main, [{ metric: 'm', table: short, column: 'ms' }])).toThrow(
      /expected a row for y, received none/,
    );
  });
});
