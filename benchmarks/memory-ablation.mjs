/**
 * What memory brings evolution on published scores of NAS-Bench-201: the same seeds without memory,
 * with what the search itself has seen, and with the effects that the search of another seed left.
 *
 *   node benchmarks/memory-ablation.mjs <folder of the tables> [seeds] > benchmarks/results/memory-ablation.md
 *
 * The folder holds `accuracy.json.gz` and `help-latency.json.gz`.
 */
import { join } from 'node:path';
import { createEvolutionAgent } from '../dist/agent/evolution.js';
import { createOperators } from '../dist/agent/operators.js';
import { oneColumn } from '../dist/evaluate/table/architectures.js';
import { joinScores } from '../dist/evaluate/table/scores.js';
import { readTable } from '../dist/evaluate/table/table.js';
import { remember } from '../dist/memory/memory.js';
import { runQueries } from '../dist/search/queries.js';
import { createCellSpace } from '../dist/space/cell.js';
import { Rng } from '../dist/util/random.js';

const [folder, seedsGiven = '100'] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected the folder of the tables');
const SEEDS = Number(seedsGiven);
const QUERIES = 200;
const CHECKPOINTS = [50, 100, 200];
/** Seeds whose searches are remembered: none of those that are compared. */
const MEMORY_SEEDS = 10_000;

const accuracies = readTable(join(folder, 'accuracy.json.gz'));
const latencies = readTable(join(folder, 'help-latency.json.gz'));
const space = createCellSpace({ channels: 3, height: 32, width: 32, classes: 10 });
const operators = createOperators(space);

const settings = [
  { title: 'CIFAR-10', guide: 'c10_val_12', report: 'c10_test_200' },
  { title: 'CIFAR-100', guide: 'c100_val_12', report: 'c100_test_200' },
  {
    title: 'CIFAR-10, 1080ti_256 ≤ 21 ms',
    guide: 'c10_val_12',
    report: 'c10_test_200',
    column: '1080ti_256',
    max: 21,
  },
  {
    title: 'CIFAR-10, samsung_a50 ≤ 19 ms',
    guide: 'c10_val_12',
    report: 'c10_test_200',
    column: 'samsung_a50',
    max: 19,
  },
];

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** Mean ± half its 95 % interval. */
function meanText(values) {
  const m = mean(values);
  const deviation = Math.sqrt(mean(values.map((v) => (v - m) ** 2)));
  return `${m.toFixed(3)} ± ${((1.96 * deviation) / Math.sqrt(values.length - 1)).toFixed(3)}`;
}

function ablate({ title, guide, report, column, max }) {
  const sources = [
    { metric: 'accuracy', table: accuracies, column: guide },
    { metric: 'reported', table: accuracies, column: report },
  ];
  if (column !== undefined) sources.push({ metric: 'latencyMs', table: latencies, column });
  const names = { architecture: oneColumn('arch', space), index: 'index' };
  const { metrics: scores } = joinScores(accuracies, sources, names);
  const problem = {
    operators,
    objectives: [{ metric: 'accuracy', direction: 'maximize' }],
    constraints: column === undefined ? [] : [{ metric: 'latencyMs', max }],
  };
  const oracle = (architecture) => {
    const { reported: _, ...seen } = scores.get(architecture);
    return seen;
  };
  const search = (seed, remembered) =>
    runQueries({
      agent: createEvolutionAgent({ ...problem, remembered }),
      oracle,
      constraints: problem.constraints,
      queries: QUERIES,
      rng: new Rng(seed),
    });
  const winnerAt = (trials, count) => {
    const feasible = trials.slice(0, count).filter(({ state }) => state === 'complete');
    if (feasible.length === 0) return 0;
    const best = feasible.reduce((a, b) => (b.metrics.accuracy > a.metrics.accuracy ? b : a));
    return scores.get(best.architecture).reported;
  };
  const context = { ...problem, choosing: operators };
  const arms = {
    'without memory': () => undefined,
    'its own trials': () => [],
    'another seed, carried': (seed) => remember(search(MEMORY_SEEDS + seed), context).effects,
  };
  const curves = Object.entries(arms).map(([arm, memoryOf]) => {
    const winners = Array.from({ length: SEEDS }, (_, seed) => {
      const trials = search(seed, memoryOf(seed));
      return CHECKPOINTS.map((count) => winnerAt(trials, count));
    });
    process.stderr.write(`${title}: ${arm}\n`);
    return { arm, winners };
  });
  const base = curves[0].winners;
  const rows = curves.map(({ arm, winners }) => {
    const cells = CHECKPOINTS.map((_, c) => meanText(winners.map((row) => row[c])));
    const gains = CHECKPOINTS.map((_, c) => meanText(winners.map((row, s) => row[c] - base[s][c])));
    return `| ${[arm, ...cells, ...(arm === 'without memory' ? gains.map(() => '–') : gains)].join(' | ')} |`;
  });
  const heads = CHECKPOINTS.map((count) => `at ${count}`);
  const columns = ['memory', ...heads, ...heads.map((head) => `gain ${head}`)];
  return [
    `## ${title}`,
    '',
    `| ${columns.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(columns.length - 1)}`,
    ...rows,
    '',
  ].join('\n');
}

const sections = settings.map(ablate);
process.stdout.write(`${sections.join('\n')}`);
