// What a strategy costs: milliseconds of ask plus tell of one trial, over a window of trials around the 200th,
// 1,000th and 10,000th, on the cell space (15,625 cells, listed) and the conv space, with a limit
// that about half of the trials break, for one and for two objectives. Trials up to the window are told
// (made up: mutants of earlier ones, scores a fixed function of their features); in the window each is
// asked for, judged and told, as in a search. The asks before it, the first of which has to catch up
// with all that was told, warm up. Prints a Markdown table.
//
//   node benchmarks/ask-tell.mjs [strategy …]
import { cpus } from 'node:os';
import { createOperators } from '../dist/agent/operators.js';
import { strategies, strategyNames } from '../dist/agent/strategy.js';
import { createCellSpace } from '../dist/space/cell.js';
import { createConvSpace } from '../dist/space/conv.js';
import { violationsOf } from '../dist/trial/objective.js';
import { Rng } from '../dist/util/random.js';

const SIZES = [200, 1_000, 10_000];
const WINDOW = 200;
const WARM_UP = 50;
/** Samples that the trials to tell descend from. */
const SAMPLES = 200;

const task = { channels: 3, height: 32, width: 32, classes: 10 };
const accuracy = { metric: 'accuracy', direction: 'maximize' };
const latency = { metric: 'latencyMs', direction: 'minimize' };

/** A space, a score and trials to tell. */
function createWorld(space, count) {
  const operators = createOperators(space);
  const rng = new Rng('ask-tell');
  const width = operators.features(operators.sample(rng)).length;
  const gains = Array.from({ length: width }, () => rng.normal());
  const costs = Array.from({ length: width }, () => Math.abs(rng.normal()));
  const dot = (features, weights) => features.reduce((sum, x, i) => sum + x * weights[i], 0);
  const score = (architecture) => {
    const features = operators.features(architecture);
    return {
      accuracy: 1 / (1 + Math.exp(-0.1 * dot(features, gains))),
      latencyMs: Math.exp(0.02 * dot(features, costs)),
    };
  };
  const probes = Array.from({ length: 101 }, () => score(operators.sample(rng)).latencyMs);
  const max = probes.sort((a, b) => a - b)[50];
  const constraints = [{ metric: 'latencyMs', max }];
  const judge = (id, agent, proposal) => {
    const metrics = score(proposal.architecture);
    const violations = violationsOf(metrics, constraints);
    const hash = JSON.stringify(proposal.architecture);
    const base = { ...proposal, id, agent, hash, description: '', costSeconds: 1, metrics };
    return violations.length === 0
      ? { ...base, state: 'complete' }
      : { ...base, state: 'infeasible', stage: 'measure', violations };
  };
  const trials = [];
  const seen = new Set();
  while (trials.length < count) {
    const parent = trials.length >= SAMPLES ? rng.pick(trials) : undefined;
    const architecture =
      parent === undefined ? operators.sample(rng) : operators.mutate(parent.architecture, rng);
    const key = JSON.stringify(architecture);
    if (seen.has(key)) continue;
    seen.add(key);
    const operator = parent === undefined ? 'sample' : 'mutate';
    const parents = parent === undefined ? [] : [parent.id];
    trials.push(judge(trials.length + 1, 'told', { architecture, operator, parents }));
  }
  return { operators, constraints, judge, trials };
}

/** Milliseconds of ask plus tell of each trial of the window around `size`, ascending; of the first ask. */
function timesOf(name, { operators, constraints, judge, trials }, objectives, size) {
  const agent = strategies[name].create({ operators, objectives, constraints });
  const told = size - WINDOW / 2 - WARM_UP;
  for (const trial of trials.slice(0, told)) agent.observe(trial);
  const rng = new Rng(name);
  const times = Array.from({ length: WARM_UP + WINDOW }, (_, i) => {
    const id = told + 1 + i;
    const start = performance.now();
    const proposal = agent.propose(rng.fork(id));
    const asked = performance.now();
    const trial = judge(id, name, proposal);
    const judged = performance.now();
    agent.observe(trial);
    return asked - start + (performance.now() - judged);
  });
  return { first: times[0], window: times.slice(WARM_UP).sort((a, b) => a - b) };
}

const worlds = {
  cell: createWorld(createCellSpace(task), SIZES.at(-1)),
  conv: createWorld(createConvSpace(task), SIZES.at(-1)),
};
const chosen = process.argv.length > 2 ? process.argv.slice(2) : strategyNames;
const row = (cells) => console.log(`| ${cells.join(' | ')} |`);

console.log(`Milliseconds on ${cpus()[0].model}, Node.js ${process.version}:\n`);
row(['strategy', 'space', 'objectives', 'trial', 'mean', 'median', 'p95', 'p99', 'max', 'first']);
row(['---', '---', ...Array(8).fill('---:')]);
for (const name of chosen) {
  for (const [space, world] of Object.entries(worlds)) {
    if (world.operators.list === undefined && name === 'exhaustive') continue;
    for (const objectives of [[accuracy], [accuracy, latency]]) {
      for (const size of SIZES) {
        const { first, window } = timesOf(name, world, objectives, size);
        const mean = window.reduce((a, b) => a + b, 0) / WINDOW;
        const [median, p95, p99] = [0.5, 0.95, 0.99].map((q) => window[Math.ceil(q * WINDOW) - 1]);
        const figures = [mean, median, p95, p99, window.at(-1), first];
        row([name, space, objectives.length, size, ...figures.map((ms) => ms.toFixed(2))]);
      }
    }
  }
}
