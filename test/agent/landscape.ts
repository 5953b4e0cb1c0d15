/**
 * A made-up world for agents: real architectures and real costs, a made-up accuracy and latency. The
 * accuracy grows with the logarithm of MACs and parameters, likes some genes better than others, and
 * prefers depth to grow with width, so that genes depend on each other.
 */
import type { Agent, Problem } from '../../src/agent/agent.js';
import { createOperators } from '../../src/agent/operators.js';
import { inferCost } from '../../src/ir/cost.js';
import { createCellSpace } from '../../src/space/cell.js';
import { createConvSpace } from '../../src/space/conv.js';
import type { ConvArchitecture, Stage } from '../../src/space/conv-architecture.js';
import { type Constraint, type Objective, violationsOf } from '../../src/trial/objective.js';
import type { Json, Metrics, Trial, TrialBase } from '../../src/trial/trial.js';
import { Rng } from '../../src/util/random.js';

export const task = { channels: 1, height: 28, width: 28, classes: 10 };
export const space = createConvSpace(task);

export const objectives: readonly Objective[] = [
  { metric: 'accuracy', direction: 'maximize' },
  { metric: 'latencyMs', direction: 'minimize' },
];

export const constraints: readonly Constraint[] = [{ metric: 'latencyMs', max: 0.3 }];

export const problem: Problem = { operators: createOperators(space), objectives, constraints };

const blockGain = { plain: 0, residual: 0.6, separable: 0.4, inverted: 0.8 };
const blockSpeed = { plain: 1, residual: 0.9, separable: 0.35, inverted: 0.45 };
const activationGain = { relu: 0, relu6: 0.05, hardswish: 0.3, silu: 0.35, gelu: 0.4 };
const activationMs = { relu: 0, relu6: 0.002, hardswish: 0.004, silu: 0.01, gelu: 0.014 };

/** Accuracy and latency of an architecture on the landscape. */
export function scoreArchitecture(architecture: ConvArchitecture): Metrics {
  const { macs, params } = inferCost(space.decode(architecture), { N: 1 });
  const { stages, norm, stem } = architecture;
  const mean = (score: (stage: Stage) => number) =>
    stages.reduce((sum, stage) => sum + score(stage), 0) / stages.length;
  const squeeze = (stage: Stage) => (stage.block !== 'plain' && stage.squeezeExcite ? 1 : 0);
  const genes =
    mean((s) => blockGain[s.block] + activationGain[s.activation] + 0.3 * squeeze(s)) -
    mean((s) => 0.4 * Math.abs(Math.log2(s.width / 16) - s.depth)) -
    stages.reduce((sum, s, i) => sum + 0.1 * Math.abs(s.kernel - (i === 0 ? 5 : 3)), 0) -
    (norm === 'none' ? 1 : 0) -
    (stem.stride - 1) * 0.5;
  const size = Math.log10(macs / 1e5) + 0.7 * Math.log10(params / 2e3);
  const merit = 0.5 * size + 0.5 * genes;
  const layers = stages.reduce((sum, stage) => sum + stage.depth, 0);
  const speed = mean((s) => blockSpeed[s.block]) * 2e7;
  return {
    accuracy: 0.98 - 0.3 * Math.exp(-merit),
    latencyMs:
      macs / speed +
      0.01 * layers +
      layers * mean((s) => activationMs[s.activation] + 0.02 * squeeze(s)),
    macs,
    params,
  };
}

/** What becomes of a proposal; the architecture is one of the world's space. */
export type Judge = (architecture: Json, base: TrialBase) => Trial;

/** A space with a landscape over it. */
export interface World {
  readonly problem: Problem;
  /** Where the space is made, for a process that has to import it; a path under `dist/`. */
  readonly space: { readonly module: string; readonly factory: string };
  readonly judge: Judge;
  /** Throws for an architecture that is not of the space. */
  readonly read: (json: unknown) => Json;
}

const judgeBy =
  (score: (architecture: Json) => Metrics): Judge =>
  (architecture, base) => {
    const metrics = score(architecture);
    const violations = violationsOf(metrics, constraints);
    if (violations.length === 0) return { ...base, state: 'complete', metrics };
    return { ...base, state: 'infeasible', stage: 'measure', violations, metrics };
  };

/** The landscape as it is. */
export const judge: Judge = judgeBy((architecture) =>
  scoreArchitecture(architecture as unknown as ConvArchitecture),
);

export const world: World = {
  problem,
  space: { module: 'space/conv.js', factory: 'ConvSpace' },
  judge,
  read: (json) => space.parse(json) as unknown as Json,
};

const cells = createCellSpace(task);

/** Cells, which can be listed: convolutions are accurate and slow. */
export const cellWorld: World = {
  problem: { operators: createOperators(cells), objectives, constraints },
  space: { module: 'space/cell.js', factory: 'CellSpace' },
  judge: judgeBy((cell) => {
    const choices = cells.choices(cells.parse(cell));
    const count = (...kinds: number[]) => choices.filter((choice) => kinds.includes(choice)).length;
    return {
      accuracy: 0.5 + 0.06 * count(3) + 0.04 * count(2) + 0.03 * count(1) - 0.05 * count(4),
      latencyMs: 0.02 + 0.09 * count(3) + 0.04 * count(2, 4),
    };
  }),
  read: (json) => cells.parse(json),
};

/** Asks, judges and tells `count` times, as the search loop does; trials are frozen. */
export function runAgent(
  agent: Agent,
  count: number,
  seed: number | string,
  decide?: Judge,
  { judge: usual, read }: World = world,
): Trial[] {
  const rng = new Rng(seed);
  const trials: Trial[] = [];
  for (let id = 1; id <= count; id++) {
    const proposal = agent.propose(rng.fork(id));
    const architecture = read(JSON.parse(JSON.stringify(proposal.architecture)));
    const base = {
      ...proposal,
      architecture,
      id,
      agent: agent.name,
      hash: JSON.stringify(architecture),
      description: '',
      costSeconds: 1,
    };
    const trial = deepFreeze((decide ?? usual)(architecture, base));
    agent.observe(trial);
    trials.push(trial);
  }
  return trials;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
