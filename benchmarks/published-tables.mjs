/**
 * Every strategy, and Optuna beside them, on the published scores of NAS-Bench-201.
 *
 *   npm run build && nice node benchmarks/published-tables.mjs --data <folder> --work <folder> \
 *     [--strategies random,evolution,optuna-nsga2,…|none] [--tasks cifar10,…] [--seeds 100] [--fresh] \
 *     > benchmarks/results/published-tables.md
 *
 * `--data` holds accuracy.json.gz, help-latency.json.gz and hw-nas-bench.json.gz. Searches are kept
 * under `--work` and not run again; `--fresh` runs the chosen ones anew. What is printed is made of all
 * that is there, so `--strategies none` runs nothing and prints. Optuna: Debian's python3-optuna.
 */
import { parseArgs } from 'node:util';
import { strategies, strategyNames } from '../dist/agent/strategy.js';
import { runTableSearch } from '../dist/search/table-bench.js';
import { samplers, searchWithOptuna } from './published-tables/optuna.mjs';
import { dropRuns, readRuns, writeRuns } from './published-tables/raw.mjs';
import { render } from './published-tables/render.mjs';
import { openTask, tasks } from './published-tables/tasks.mjs';

const { values: flags } = parseArgs({
  options: {
    data: { type: 'string' },
    work: { type: 'string' },
    strategies: { type: 'string' },
    tasks: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    fresh: { type: 'boolean', default: false },
  },
});
if (flags.data === undefined || flags.work === undefined) {
  throw new Error('expected --data <folder of the tables> and --work <folder for raw searches>');
}

/** Listing everything is random search without repeats, which the bench has anyway. */
const own = strategyNames.filter((name) => name !== 'exhaustive');
const names = [...own, ...samplers];
const chosen = pick('strategies', flags.strategies === 'none' ? '' : flags.strategies, names);
const wanted = new Set(
  pick(
    'tasks',
    flags.tasks,
    tasks.map(({ name }) => name),
  ),
);
const seeds = Number(flags.seeds);
/** Searches from one save to the next. */
const SAVE_EVERY = 5;

for (const task of tasks) {
  if (!wanted.has(task.name) || chosen.length === 0) continue;
  const opened = openTask(flags.data, task);
  for (const strategy of chosen) await complete(task, opened, strategy);
}
process.stdout.write(render(flags.data, flags.work, names));

function pick(option, text, all) {
  if (text === undefined) return all;
  const given = text.split(',').filter((name) => name !== '');
  const unknown = given.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new Error(`--${option}: expected ${all.join(', ')}; received ${unknown}`);
  }
  return given;
}

/** Runs the seeds that are not there. */
async function complete(task, opened, strategy) {
  if (flags.fresh) dropRuns(flags.work, task, strategy);
  const runs = [...readRuns(flags.work, task, strategy)];
  const done = new Set(runs.map(({ seed }) => seed));
  const missing = Array.from({ length: seeds }, (_, seed) => seed).filter((s) => !done.has(s));
  if (missing.length === 0) return;
  const start = performance.now();
  const source = samplers.includes(strategy)
    ? searchWithOptuna(strategy, task, opened, missing)
    : searchWithOwn(strategy, opened, missing);
  let unsaved = 0;
  for await (const run of source) {
    runs.push(run);
    if (++unsaved % SAVE_EVERY === 0) writeRuns(flags.work, task, strategy, runs);
  }
  writeRuns(flags.work, task, strategy, runs);
  const seconds = ((performance.now() - start) / 1e3).toFixed(0);
  process.stderr.write(`${task.name}: ${strategy}: ${missing.length} searches in ${seconds} s\n`);
}

function* searchWithOwn(strategy, { options, architectures }, missing) {
  const rows = new Map(architectures.map((architecture, i) => [architecture, i]));
  for (const seed of missing) {
    const start = performance.now();
    const { queried, winner } = runTableSearch(strategies[strategy].create, options, seed);
    yield {
      seed,
      queried: queried.map((architecture) => rows.get(architecture)),
      winner: winner === undefined ? null : rows.get(winner),
      seconds: (performance.now() - start) / 1e3,
    };
  }
}
