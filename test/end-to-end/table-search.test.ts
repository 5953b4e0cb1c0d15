/** Searches that read scores from tables: the same loop, ledger, resume and report. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readLedger } from '../../src/ledger/sqlite.js';
import type { RunSummary } from '../../src/search/summary.js';
import { createCellSpace } from '../../src/space/cell.js';
import { createConvSpace } from '../../src/space/conv.js';
import { Rng } from '../../src/util/random.js';
import { archwright, start, temporaryFolder, writeConfig } from './cli.js';

const folder = temporaryFolder();
const RESNET = '|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|';

/** Cells with made-up scores in percent and milliseconds; convolutions help and cost. */
function writeCells(): string {
  const space = createCellSpace({ channels: 3, height: 32, width: 32, classes: 10 });
  const rng = new Rng('cells');
  const cells = new Set([RESNET, ...Array.from({ length: 400 }, () => space.sample(rng))]);
  const lines = [...cells].map((cell) => {
    const count = (name: string) => cell.split(name).length - 1;
    const guide = 50 + 6 * count('conv_3x3') + 4 * count('conv_1x1') + rng.uniform();
    const ms = 1 + 2 * count('conv_3x3') + count('conv_1x1');
    return `${cell},${guide.toFixed(3)},${(guide - 1).toFixed(3)},${ms},${30 + 10 * ms}`;
  });
  const path = join(folder, 'cells.csv');
  writeFileSync(path, `cell_string,val,test,ms,time\n${lines.join('\n')}\n`);
  return path;
}

const file = writeCells();
const tableSearch = {
  seed: 5,
  space: { kind: 'cell' },
  data: {
    kind: 'table',
    file,
    columns: { arch: 'cell_string' },
    guide: 'val',
    report: 'test',
    unit: 'percent',
    latency: 'ms',
    seconds: 'time',
  },
  constraints: [{ metric: 'latencyMs', max: { baseline: 'resnet-cell', factor: 1.5 } }],
  agents: ['evolution', 'random'],
  budget: { time: '3h' },
  guard: { seeds: 2, champions: 3 },
};

/** All that a run recorded. */
function factsOf(run: string) {
  const ledger = readLedger(join(run, 'ledger.sqlite'));
  const facts = {
    proposals: ledger.proposals(),
    trials: ledger.trials(),
    stages: ledger.stages(),
    events: ledger.events(),
  };
  ledger.close();
  return facts;
}

const searched = async (name: string, config: object, flags: readonly string[] = []) => {
  const path = writeConfig(folder, config);
  return archwright(['search', path, '--out', join(folder, name), '--json', ...flags], folder);
};

describe('a search on a table', () => {
  it('goes through the whole loop, and reports what the search never saw', async () => {
    const { code, stdout, stderr } = await searched('unbroken', tableSearch);
    expect(stderr).toContain('limits: latencyMs ≤ 7.50 ms');
    expect(code).toBe(0);
    const summary = JSON.parse(stdout) as RunSummary;
    expect(summary.baselines).toMatchObject([{ name: 'resnet-cell', metrics: { latencyMs: 5 } }]);
    expect(summary.trials.infeasible).toBeGreaterThan(0);
    expect(summary.trials.failed).toBe(0);
    // The time of the run is that of the table's column, 70 % of three hours of it for searching.
    expect(summary.budget.elapsedSeconds).toBeGreaterThan(0.7 * 10_800);
    const [evolution, random] = summary.arms.map(({ seconds }) => seconds) as [number, number];
    expect(Math.abs(evolution - random)).toBeLessThanOrEqual(200);
    for (const { metrics, holdout, onnx } of summary.front) {
      expect(metrics.latencyMs).toBeLessThanOrEqual(7.5);
      expect(holdout?.accuracy).toBeCloseTo((metrics.accuracy as number) - 0.01, 6);
      expect(holdout?.samples).toBeNull();
      expect(onnx).toBeNull();
    }
    const { trials } = factsOf(join(folder, 'unbroken'));
    for (const trial of trials.filter(({ state }) => state === 'infeasible')) {
      expect(Object.keys(trial.metrics)).toEqual(['latencyMs']);
    }
    const shown = await archwright(['show', join(folder, 'unbroken')], folder);
    expect(shown.stdout).toMatch(/front +\d+ +\d\d\.\d\d % /);
  });

  it('that is killed goes on to the same record', { timeout: 120_000 }, async () => {
    const path = writeConfig(folder, tableSearch);
    const run = join(folder, 'broken');
    let running = start(['search', path, '--out', run], folder);
    for (const trial of [9, 40, 80]) {
      await running.sees(new RegExp(`^ +${trial} (evolution|random)`, 'm'));
      running.child.kill('SIGKILL');
      expect((await running.finished).signal).toBe('SIGKILL');
      running = start(['resume', run], folder);
    }
    expect((await running.finished).code).toBe(0);
    expect(factsOf(run)).toEqual(factsOf(join(folder, 'unbroken')));
  });

  it('takes architectures as JSON of the conv space, and says what is wrong with a row', async () => {
    const space = createConvSpace({ channels: 3, height: 32, width: 32, classes: 10 });
    const rng = new Rng('nets');
    const nets = Array.from({ length: 40 }, () => space.sample(rng));
    const rows = nets.map((net) => [JSON.stringify(net), rng.uniform(), rng.uniform()]);
    const data = { kind: 'table', file: 'nets.json', guide: 'a', report: 'b' };
    const config = {
      data,
      objectives: [{ metric: 'accuracy', direction: 'maximize' }],
      budget: { trials: 20, eta: 1 },
    };
    const write = (more: unknown[][]) => {
      const table = { columns: ['arch', 'a', 'b'], rows: [...rows, ...more] };
      writeFileSync(join(folder, 'nets.json'), JSON.stringify(table));
    };
    write([]);
    const { code, stdout } = await searched('nets', config);
    expect(code).toBe(0);
    const { front, trials } = JSON.parse(stdout) as RunSummary;
    expect(trials.complete).toBe(20);
    const known = rows.map(([net]) => net);
    for (const { architecture } of front) expect(known).toContain(JSON.stringify(architecture));
    write([['{"norm": "layer"}', 0.5, 0.5]]);
    const broken = await searched('broken-nets', config);
    expect(broken.code).toBe(2);
    expect(broken.stderr).toMatch(/nets\.json: row 41: architecture\.norm: .*received "layer"\n$/);
    expect(existsSync(join(folder, 'broken-nets'))).toBe(false);
  });

  it('takes plain columns, remembers them, and benches strategies on them', async () => {
    const lines = [1, 2, 4, 8].flatMap((depth) =>
      [16, 32, 64].flatMap((width) =>
        ['conv', 'pool'].map((op) => {
          const guide = 0.5 + depth / 40 + width / 400 + (op === 'conv' ? 0.1 : 0);
          return `${depth},${width},${op},${guide},${guide - 0.01}`;
        }),
      ),
    );
    writeFileSync(join(folder, 'own.csv'), `depth,width,op,val,test\n${lines.join('\n')}\n`);
    const decisions = ['depth', 'width', 'op'];
    const { code, stdout } = await searched('own', {
      space: { kind: 'columns', decisions },
      data: { kind: 'table', file: 'own.csv', guide: 'val', report: 'test' },
      objectives: [{ metric: 'accuracy', direction: 'maximize' }],
      agents: [{ kind: 'evolution', initialSamples: 6 }, 'bayes'],
      budget: { trials: 24, eta: 1 },
    });
    expect(code).toBe(0);
    const { front } = JSON.parse(stdout) as RunSummary;
    expect(front[0]?.architecture).toEqual({ depth: 8, width: 64, op: 'conv' });
    const memory = await archwright(['memory', join(folder, 'own')], folder);
    expect(memory.stdout).toMatch(/ (depth|width) less→more: accuracy \+/);
    const flags = ['--table', 'own.csv', '--guide', 'val', '--report', 'test', '--queries', '12'];
    const bench = await archwright(
      ['bench-agents', ...flags, '--decisions', 'depth,width,op', '--seeds', '2', '--json'],
      folder,
    );
    expect(bench.code).toBe(0);
    expect(JSON.parse(bench.stdout)).toMatchObject({ bounds: { oracle: expect.closeTo(0.95, 6) } });
  });
});

describe('bench-agents', () => {
  const flags = ['bench-agents', '--table', file, '--guide', 'val', '--report', 'test'];
  const few = ['--agents', 'random,evolution', '--queries', '20', '--seeds', '2'];

  it('takes a table of one’s own with other names of columns', async () => {
    const args = [...flags, ...few, '--columns', 'arch=cell_string', '--latency', 'ms', '--json'];
    const { code, stdout } = await archwright(args, folder);
    expect(code).toBe(0);
    const { bounds, results } = JSON.parse(stdout);
    expect(bounds.feasible).toBeLessThanOrEqual(401);
    expect(results.map(({ agent }: { agent: string }) => agent)).toEqual(['random', 'evolution']);
  });

  it('follows score, regret, feasibility and volume over queries, also as a picture', async () => {
    const limit = ['--columns', 'arch=cell_string', '--latency', 'ms', '--limit', '6ms'];
    const args = [...flags, ...few, ...limit, '--plot', 'curves.svg', '--plot-axis', 'linear'];
    const { code, stdout } = await archwright([...args, '--json'], folder);
    expect(code).toBe(0);
    const { bounds, interval, plot, results } = JSON.parse(stdout);
    expect(interval).toBe('95 %, normal, over seeds');
    for (const { curve, infeasibleWinners } of results) {
      expect(curve).toHaveLength(20);
      expect(infeasibleWinners).toBe(0);
      const { queries, found, mean, regret, guided, hypervolume } = curve.at(-1);
      expect({ queries, found }).toEqual({ queries: 20, found: 2 });
      expect(regret).toBeCloseTo(bounds.oracle - mean, 10);
      expect(guided.mean).toBeLessThanOrEqual(bounds.bestGuide);
      expect(hypervolume.ci95[0]).toBeLessThanOrEqual(hypervolume.mean);
    }
    const svg = readFileSync(join(folder, plot), 'utf8');
    expect(svg).toContain('>Searches by val, ms ≤ 6 ms</text>');
    expect(svg.match(/<polyline class="line line[01]"/g)).toHaveLength(6);
    const wrong = await archwright([...args, '--plot-axis', 'cubic'], folder);
    expect(wrong.stderr).toMatch(/--plot-axis: expected log, linear; received cubic/);
  });

  it.each([
    [[], /cells\.csv: expected a column arch with .* received cell_string, val, test, ms, time;/],
    [
      ['--columns', 'cell=x'],
      /--columns: expected arch=<column>, index=<column> .* received cell=x/,
    ],
    [['--columns', 'arch=cell_string', '--latency', 'msec'], /latency: .* received msec/],
    [['--space', 'cell', '--decisions', 'val'], /--space, --decisions: expected one of them/],
    [['--decisions', 'ms'], /cells\.csv:\d+: expected each architecture once, received again/],
  ])('says in one line what is wrong with %j', async (more, message) => {
    const { code, stderr } = await archwright([...flags, ...few, ...more], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('a configuration with a table', () => {
  it.each([
    [
      'a missing column',
      { space: { kind: 'conv' }, data: { ...tableSearch.data, columns: {} } },
      /columns: arch says/,
    ],
    [
      'a wrong unit',
      { data: { ...tableSearch.data, unit: 'share' } },
      /csv:2, column val: .*is its unit percent\?/,
    ],
    [
      'an objective without a column',
      { data: { ...tableSearch.data, latency: undefined } },
      /objectives\[1\]\.metric: expected accuracy, .*received latencyMs; data\.latency names/,
    ],
    [
      'a limit without a column',
      { constraints: [{ metric: 'macs', max: 1 }] },
      /constraints\[0\]\.metric: expected accuracy or latencyMs, .*received macs/,
    ],
    [
      'columns without a table',
      { data: { kind: 'glyphs' }, space: { kind: 'columns', decisions: ['a'] } },
      /space\.kind: columns: expected data of the kind table, received glyphs/,
    ],
    [
      'no table',
      { data: { ...tableSearch.data, file: undefined } },
      /data\.file: expected a table, received nothing/,
    ],
  ])('says in one line what is wrong with %s', async (_, change, message) => {
    const { code, stderr } = await searched('refused', { ...tableSearch, ...change });
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });
});

const published = fileURLToPath(
  new URL('../../../shared/data/nasbench201/accuracy.json.gz', import.meta.url),
);
if (!existsSync(published)) console.warn(`skipped, no NAS-Bench-201 table: ${published} is absent`);

it.skipIf(!existsSync(published))('the example finds a good cell of NAS-Bench-201', async () => {
  const example = fileURLToPath(new URL('../../examples/table.yaml', import.meta.url));
  const args = ['search', example, '--data', published, '--out', 'nb201', '--json'];
  const { code, stdout } = await archwright(args, folder);
  expect(code).toBe(0);
  const { trials, front, baselines } = JSON.parse(stdout) as RunSummary;
  expect(trials.complete).toBe(200);
  // Published: the best cell has 94.37 % on the test set after 200 epochs.
  expect(front[0]?.holdout?.accuracy).toBeGreaterThan(0.935);
  expect(front[0]?.holdout?.accuracy).toBeLessThanOrEqual(0.9438);
  expect(baselines.map(({ name }) => name)).toEqual(['resnet-cell']);
});
