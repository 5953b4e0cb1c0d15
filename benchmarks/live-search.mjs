/**
 * Live searches: the ensemble, evolution and random search in one run, each with the same device time,
 * a run for each seed. Prints every arm's hypervolume, of the scores that the search itself recorded
 * under the run's own limit and reference, and the means over the runs.
 *
 *   node benchmarks/live-search.mjs --data path/to/fashion-mnist [--time 20m] [--seeds 1,2,3] [--work folder]
 *
 * Finished runs in the work folder are not run again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    time: { type: 'string', default: '20m' },
    seeds: { type: 'string', default: '1,2,3' },
    work: { type: 'string', default: join(tmpdir(), 'archwright-live-search') },
  },
});
if (options.data === undefined) throw new Error('--data: expected a folder, received none');

const agents = ['ensemble', 'evolution', 'random'];
const config = {
  data: { kind: 'idx', train: 10_000, search: 5_000 },
  train: { epochs: { short: 1, long: 3 } },
  device: { kind: 'cpu', threads: 1, measureSeconds: 0.5 },
  objectives: [
    { metric: 'accuracy', direction: 'maximize' },
    { metric: 'latencyMs', direction: 'minimize' },
  ],
  constraints: [{ metric: 'latencyMs', max: { baseline: 'lenet-5', factor: 5 } }],
  agents,
  budget: { time: options.time },
};

function summaryOf(seed) {
  const file = join(options.work, `seed-${seed}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const configFile = join(options.work, 'config.json');
  writeFileSync(configFile, JSON.stringify(config));
  const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const out = join(options.work, `run-${seed}`);
  const args = [
    'search',
    configFile,
    '--data',
    options.data,
    '--seed',
    seed,
    '--out',
    out,
    '--json',
  ];
  const { status, stdout } = spawnSync(process.execPath, [cli, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`the search with seed ${seed} ended with code ${status}`);
  writeFileSync(file, stdout);
  return JSON.parse(stdout);
}

mkdirSync(options.work, { recursive: true });
const rows = options.seeds.split(',').flatMap((seed) => {
  const { arms, constraints } = summaryOf(seed);
  return arms.map(({ agent, trials, seconds, hypervolume, best }) => ({
    seed,
    agent,
    ...{ complete: trials.complete, infeasible: trials.infeasible, failed: trials.failed },
    pruned: trials.pruned,
    seconds,
    hypervolume,
    accuracy: best?.objectives.accuracy ?? null,
    limitMs: constraints[0].max,
  }));
});
console.log(
  '| seed | agent | complete | pruned | over the limit | failed | device s | hypervolume | best accuracy |',
);
console.log('| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const r of rows) {
  const counts = [r.complete, r.pruned, r.infeasible, r.failed].join(' | ');
  const scores = [
    r.seconds.toFixed(0),
    r.hypervolume.toPrecision(4),
    r.accuracy?.toFixed(4) ?? '–',
  ];
  console.log(`| ${r.seed} | ${r.agent} | ${counts} | ${scores.join(' | ')} |`);
}
for (const agent of agents) {
  const own = rows.filter((row) => row.agent === agent).map(({ hypervolume }) => hypervolume);
  const mean = own.reduce((a, b) => a + b, 0) / own.length;
  const deviation = Math.sqrt(own.reduce((a, b) => a + (b - mean) ** 2, 0) / (own.length - 1));
  console.log(
    `${agent}: ${mean.toPrecision(4)} ± ${deviation.toPrecision(2)} over ${own.length} runs`,
  );
}
