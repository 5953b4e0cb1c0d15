/**
 * A search problem whose stages are formulas: for tests of the loop alone. Scores, latencies and
 * durations are functions of architecture and seed; time is a counter that the stages advance, so a
 * run is the same however often it is interrupted. Plain JavaScript: child processes load it too.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEvolutionAgent } from '../../dist/agent/evolution.js';
import { createRandomAgent } from '../../dist/agent/random.js';
import { UsageError } from '../../dist/errors.js';
import { Rng } from '../../dist/util/random.js';

const RANGES = { width: [4, 64], depth: [1, 8], kernel: [1, 4] };
const KEYS = Object.keys(RANGES);

const draw = (key, rng) => {
  const [low, high] = RANGES[key];
  return low + rng.integer(high - low + 1);
};

export const operators = {
  sample: (rng) => Object.fromEntries(KEYS.map((key) => [key, draw(key, rng)])),
  mutate: (architecture, rng, changes = 1) => {
    let result = architecture;
    for (let i = 0; i < changes; i++) {
      const key = rng.pick(KEYS);
      result = { ...result, [key]: draw(key, rng) };
    }
    return result;
  },
  cross: (a, b, rng) =>
    Object.fromEntries(KEYS.map((key) => [key, rng.uniform() < 0.5 ? a[key] : b[key]])),
};

export const settings = {
  objectives: [
    { metric: 'accuracy', direction: 'maximize' },
    { metric: 'latencyMs', direction: 'minimize' },
  ],
  limits: [
    { metric: 'latencyMs', max: { baseline: 'large', factor: 0.5 } },
    { metric: 'params', max: 40_000 },
  ],
  budget: { seconds: 150, reserve: 0.3 },
  promotion: { eta: 3 },
  acceptance: { k: 2, rounds: 3, champions: 4 },
};

export const createAgents = (problem) => [
  createEvolutionAgent(problem, { populationSize: 8, initialSamples: 4 }),
  createRandomAgent(problem),
];

const DESIGNS = {
  small: { width: 8, depth: 2, kernel: 2 },
  large: { width: 60, depth: 8, kernel: 3 },
};

const GRAPH = {
  name: 'analytic',
  opsets: { '': 17 },
  inputs: [],
  outputs: [],
  initializers: [],
  nodes: [],
  metadata: {},
};

function decode(architecture) {
  const { width, depth, kernel } = architecture ?? {};
  if (!(width > 0)) throw new UsageError(`width: expected above 0, received ${width}`);
  const hash = `${width}-${depth}-${kernel}`;
  return { graph: GRAPH, hash, description: `w${width} d${depth} k${kernel}` };
}

export function createAnalytic({ sideLog, sleepMs = 0, noise = 0.002 } = {}) {
  let now = 0;
  const calls = [];
  const shapeOf = ({ agent, architecture }) =>
    agent === 'baseline' ? DESIGNS[architecture] : architecture;
  const capacity = ({ width, depth }) => 1 - 0.7 * Math.exp(-(width * depth) / 120);
  const latencyOf = ({ width, depth, kernel }) => (width * depth * (1 + kernel)) / 256;
  const accuracyOf = (shape, seed) => {
    const luck = new Rng(`${JSON.stringify(shape)} ${seed}`).normal();
    return capacity(shape) + 0.01 * shape.kernel + noise * luck;
  };
  const passed = (metrics, more = {}) => ({ status: 'passed', metrics, ...more });
  const stages = {
    limits: (_c, shape) => passed({ params: shape.width * shape.depth * 100 }),
    screen: (_c, shape, { constraints }) => {
      const limit = constraints.find(({ metric }) => metric === 'latencyMs')?.max ?? Infinity;
      const actual = latencyOf(shape);
      if (actual < 1.5 * limit) return passed({});
      return {
        status: 'infeasible',
        metrics: { screenMs: actual },
        violations: [{ metric: 'latencyMs', limit, actual }],
      };
    },
    train: (_c, shape, { seed }) =>
      shape.width % 16 === 7
        ? { status: 'failed', reason: 'the loss is not a number at step 3', metrics: {} }
        : passed({ accuracy: accuracyOf(shape, seed) - 0.1 }),
    measure: (_c, shape) => passed({ latencyMs: latencyOf(shape) }),
    extend: ({ id }, shape, { seed }) =>
      passed({ accuracy: accuracyOf(shape, seed) }, { artifacts: { weights: `w/${id}.bin` } }),
    retest: (_c, shape, { seed }) => passed({ accuracy: accuracyOf(shape, seed) }),
    hidden: (_c, shape) =>
      passed({
        hiddenCorrect: Math.floor(1000 * Math.min(1, capacity(shape))),
        hiddenSamples: 1000,
      }),
    export: ({ id }) => passed({}, { artifacts: { onnx: `front/${id}.onnx` } }),
  };
  const cost = { limits: 0, screen: 0.0625, train: 0.5, measure: 0.25, extend: 1, retest: 1.5 };
  return {
    calls,
    clock: () => now,
    baselines: Object.entries(DESIGNS).map(([name, shape]) => ({ name, ...decode(shape) })),
    decode,
    async run(candidate, call) {
      const line = `${candidate.id} ${call.stage} ${call.round}`;
      calls.push(line);
      if (sideLog) appendFileSync(sideLog, `${line}\n`);
      if (sleepMs > 0) await sleep(sleepMs);
      now += cost[call.stage] ?? 0.125;
      return stages[call.stage](candidate, shapeOf(candidate), call);
    },
  };
}
