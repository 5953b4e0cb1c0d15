import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../src/agent/agent.js';
import { createOperators } from '../../src/agent/operators.js';
import { strategies } from '../../src/agent/strategy.js';
import { UsageError } from '../../src/errors.js';
import { oneColumn } from '../../src/evaluate/table/architectures.js';
import { joinScores } from '../../src/evaluate/table/scores.js';
import { readTable } from '../../src/evaluate/table/table.js';
import { runQueries } from '../../src/search/queries.js';
import { benchStrategy, scoringOf, type TableBenchOptions } from '../../src/search/table-bench.js';
import { boundsOf } from '../../src/search/table-curves.js';
import { createCellSpace } from '../../src/space/cell.js';
import { createConvSpace } from '../../src/space/conv.js';
import type { Json } from '../../src/trial/trial.js';
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
    const free = boundsOf(scoringOf(options()));
    const limited = boundsOf(scoringOf(options(5)));
    expect(free.feasible).toBe(15_625);
    expect(limited.feasible).toBeLessThan(15_625);
    expect(limited.oracle).toBeLessThan(free.oracle);
    const result = benchStrategy(strategies.evolution.create, options(5));
    expect(result.curve).toHaveLength(60);
    expect(result.infeasibleWinners).toBe(0);
    expect(result.withoutWinner).toBe(0);
    expect(result.curve.at(-1)?.mean).toBeLessThanOrEqual(limited.oracle);
    expect(result.curve.at(-1)?.hypervolume).toBeUndefined();
  });

  test('hypervolume is a share of what the whole table dominates', () => {
    const objectives = [
      { metric: 'accuracy', direction: 'maximize' },
      { metric: 'latencyMs', direction: 'minimize' },
    ] as const;
    const both = { ...options(), problem: { ...problem(), objectives }, plane: objectives };
    const { curve } = benchStrategy(strategies.random.create, both);
    const volumes = curve.map(({ hypervolume }) => hypervolume?.mean as number);
    expect(volumes.at(-1)).toBeGreaterThan(0.3);
    expect(volumes.at(-1)).toBeLessThan(1);
    expect(volumes).toEqual([...volumes].sort((a, b) => a - b));
  });
});

describe('tables', () => {
  const folder = mkdtempSync(join(tmpdir(), 'archwright-table-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  /** Any word names an architecture. */
  const names = {
    architecture: oneColumn('arch', { parse: (json) => json as Json }),
    index: 'index',
  };
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  test('CSV, JSON and gzip read alike, and join by architecture or by index', () => {
    const csv = readTable(write('a.csv', 'index,arch,score\n0,"x, y",1.5\n1,z,2\n'));
    const json = readTable(
      write('b.json.gz', gzipSync('{"columns":["index","ms"],"rows":[[1,20],[0,10]]}')),
    );
    const sources = [
      { metric: 'accuracy', table: csv, column: 'score' },
      { metric: 'latencyMs', table: json, column: 'ms' },
    ];
    const { architectures, metrics } = joinScores(csv, sources, names);
    expect(architectures).toEqual(['x, y', 'z']);
    expect([...metrics]).toEqual([
      ['x, y', { accuracy: 1.5, latencyMs: 10 }],
      ['z', { accuracy: 2, latencyMs: 20 }],
    ]);
  });

  test.each([
    ['nothing.csv', undefined, /expected a table, received ENOENT/],
    ['ragged.csv', 'a,b\n1,2\n3\n', /ragged.csv:3: expected 2 values, received 1/],
    ['broken.json', '{"columns": [', /expected JSON/],
    ['other.json', '{"rows": 3}', /expected \{"columns"/],
  ])('%s is refused in one line', (name, content, message) => {
    const file = content === undefined ? join(folder, name) : write(name, content);
    expect(() => readTable(file)).toThrow(UsageError);
    expect(() => readTable(file)).toThrow(message);
  });

  test('a missing column, number or row is named', () => {
    const table = readTable(write('c.csv', 'arch,score\nx,1\n\ny,\n'));
    const source = (column: string) => [{ metric: 'm', table, column }];
    expect(() => joinScores(table, source('other'), names)).toThrow(
      /a column other, received arch, score/,
    );
    expect(() => joinScores(table, source('score'), names)).toThrow(
      /c.csv:4, column score: expected a number, received nothing/,
    );
    const short = readTable(write('d.csv', 'arch,ms\nx,3\n'));
    const main = readTable(write('e.csv', 'arch,score\nx,1\ny,2\n'));
    expect(() => joinScores(main, [{ metric: 'm', table: short, column: 'ms' }], names)).toThrow(
      /d.csv: expected a row for y \(.*e.csv:3\), received none/,
    );
  });

  test('rows twice, columns twice and what names no architecture are named', () => {
    const twice = readTable(write('f.csv', 'arch,score\nx,1\ny,2\nx,3\n'));
    expect(() => joinScores(twice, [], names)).toThrow(
      /f.csv:4: expected each architecture once, received again that of .*f.csv:2, x$/,
    );
    expect(() => readTable(write('g.csv', 'arch,arch\nx,1\n'))).toThrow(/received arch twice/);
    const cell = space.sample(new Rng(0));
    const odd = readTable(write('h.csv', `arch,score\n${cell},1\n|conv~0|,2\n`));
    const cells = {
      architecture: oneColumn('arch', { parse: (json) => space.parse(json) }),
      index: 'index',
    };
    expect(() => joinScores(odd, [], cells)).toThrow(/h.csv:3: cell: expected .*"\|conv~0\|"$/);
    const json = readTable(write('i.json', '{"columns":["arch"],"rows":[["{\\"a\\":"]]}'));
    expect(() => joinScores(json, [], names)).toThrow(/i.json: row 1: expected an architecture as/);
  });

  test('the architecture may be JSON of a space, written in any way', () => {
    const conv = createConvSpace({ channels: 1, height: 28, width: 28, classes: 10 });
    const [a, b] = [conv.sample(new Rng(1)), conv.sample(new Rng(2))];
    const quoted = (value: unknown) =>
      `"${JSON.stringify(value, null, 1).replaceAll('\n', '').replaceAll('"', '""')}"`;
    const table = readTable(write('j.csv', `net,acc\n${quoted(a)},0.5\n${quoted(b)},0.75\n`));
    const { head, ...rest } = b;
    const other = {
      columns: ['net', 'ms'],
      rows: [
        [{ head, ...rest }, 2],
        [JSON.stringify(a), 3],
      ],
    };
    const latencies = readTable(write('k.json', JSON.stringify(other)));
    const sources = [
      { metric: 'accuracy', table, column: 'acc', unit: 'share' as const },
      { metric: 'latencyMs', table: latencies, column: 'ms' },
    ];
    const parse = (json: unknown) => conv.parse(json) as unknown as Json;
    const architecture = oneColumn('net', { parse });
    const { architectures, metrics } = joinScores(table, sources, { architecture, index: 'i' });
    expect(architectures).toEqual([a, b]);
    expect([...metrics.values()]).toEqual([
      { accuracy: 0.5, latencyMs: 3 },
      { accuracy: 0.75, latencyMs: 2 },
    ]);
  });

  test('accuracies are shares, or percentages where that is said', () => {
    const table = readTable(write('l.csv', 'arch,acc\nx,91.5\n'));
    const join = (unit: 'percent' | 'share') =>
      joinScores(table, [{ metric: 'accuracy', table, column: 'acc', unit }], names);
    expect(join('percent').metrics.get('x')).toEqual({ accuracy: 0.915 });
    expect(() => join('share')).toThrow(
      /l.csv:2, column acc: expected an accuracy from 0 to 1, received 91.5; is its unit percent\?/,
    );
  });
});
