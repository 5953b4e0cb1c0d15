// What a strategy costs: milliseconds of ask plus tell after 200, 1,000 and 10,000 trials, on the conv
// space and the 15,625 cells, with two objectives and a limit that about half of the trials break. Trials are told first
// (made up: mutants of earlier ones, scores a fixed function of their features), then as many as are
// timed are asked for, judged and told.
//
//   node benchmarks/ask-tell.mjs [strategy …]
import { createOperators } from '../dist/agent/operators.js';
import { strategies, strategyNames } from '../dist/agent/strategy.js';
import { createCellSpace } from '../dist/space/cell.js';
import { createConvSpace } from '../dist/space/conv.js';
import { violationsOf } from '../dist/trial/objective.js';
import { Rng } from '../dist/util/random.js';

const SIZES = [200, 1_000, 10_000];
const TIMED = 100;
const SAMPLES = 200;

const task = { channels: 3, height: 32, width: 32, classes: 10 };
const objectives = [
  { metric: 'accuracy', direction: 'maximize' },
  { metric: 'latencyMs', direction: 'minimize' },
];

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
  for (let id = 1; id <= count; id++) {
    const parent = id > SAMPLES ? rng.pick(trials) : undefined;
    const architecture =
      parent === undefined ? operators.sample(rng) : operators.mutate(parent.architecture, rng);
    const operator = parent === undefined ? 'sample' : 'mutate';
    const parents = parent === undefined ? [] : [parent.id];
    trials.push(judge(id, 'told', { architecture, operator, parents }));
  }
  return { problem: { operators, objectives, constraints }, judge, trials };
}

/** Milliseconds of each timed ask and tell after `told` trials. */
function timesOf(name, { problem, judge, trials }, told) {
  const agent = strategies[name].create(problem);
  for (const trial of trials.slice(0, told)) agent.observe(trial);
  const rng = new Rng(name);
  return Array.from({ length: TIMED }, (_, i) => {
    const id = told + 1 + i;
    const start = performance.now();
    const proposal = agent.propose(rng.fork(id));
    const asked = performance.now();
    const trial = judge(id, name, proposal);
    const judged = performance.now();
    agent.observe(trial);
    return asked - start + (performance.now() - judged);
  });
}

const conv = createWorld(createConvSpace(task), SIZES.at(-1));
const cell = createWorld(createCellSpace(task), SIZES.at(-1));
const chosen = process.argv.length > 2 ? process.argv.slice(2) : strategyNames;
const text = (ms) => ms.toFixed(2).padStart(8);

console.log(`| strategy | space |${SIZES.map((n) => ` ${n} trials: mean | p95 | max |`).join('')}`);
console.log(`| --- | --- |${SIZES.map(() => ' ---: | ---: | ---: |').join('')}`);
for (const name of chosen) {
  // The exhaustive strategy needs a space that can be listed.
  for (const world of name === 'exhaustive' ? [cell] : [conv, cell]) {
    const columns = SIZES.map((told) => {
      const times = timesOf(name, world, told).sort((a, b) => a - b);
      const mean = times.reduce((a, b) => a + b, 0) / times.length;
      const p95 = times[Math.ceil(0.95 * times.length) - 1];
      return `${[mean, p95, times.at(-1)].map(text).join(' | ')} |`;
    });
    console.log(`| ${name} | ${world === cell ? 'cell' : 'conv'} | ${columns.join(' ')}`);
  }
}
