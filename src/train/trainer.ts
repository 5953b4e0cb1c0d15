/**
 * Training and scoring as tasks of a runner: `trainTask` and `evaluateTask` run in a worker thread of
 * the runner process and get plain data; rows come from arrays that the runner shares. Both are
 * exports of this module, which `trainerModule` names.
 */
import type { Graph } from '../ir/graph.js';
import { withData } from '../ir/graph.js';
import { encodeModel } from '../ir/onnx/encode.js';
import type { TaskContext } from '../runtime/runner-protocol.js';
import { Session } from '../runtime/session.js';
import type { HostTensor } from '../util/tensor.js';
import { decodeCheckpoint, encodeCheckpoint, type Position } from './checkpoint.js';
import { bestOf, type Evaluation, isExhausted } from './early-stopping.js';
import { evaluateTask } from './evaluate.js';
import { packState, unpackState } from './flat-state.js';
import { trainingSession } from './step.js';
import { runUpdates } from './training-loop.js';
import {
  isDue,
  nextStop,
  preparePlan,
  type TrainArgs,
  type TrainingPlan,
} from './training-plan.js';

export { evaluateTask } from './evaluate.js';
export type { CheckpointPlan, EvaluationPlan, TrainArgs } from './training-plan.js';

/** Module URL for `runner.call({ module, name, args })`, for `trainTask` and `evaluateTask`. */
export const trainerModule = import.meta.url;

/** What `context.progress` gets during training; checkpoints too where they are asked for. */
export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  /** Mean over the updates since the last report. */
  readonly loss: number;
  /** Share of right decisions over the same updates; absent where targets are no decisions. */
  readonly accuracy?: number;
  /** The evaluation after this update. */
  readonly evaluation?: Evaluation;
}

export interface TrainCheckpoint {
  readonly checkpoint: Uint8Array;
}

/** Where training was given up: the loss was not finite, or far above where it began. */
export interface Divergence {
  /** Counted from 0. */
  readonly step: number;
  readonly loss: number;
}

export interface TrainResult {
  /** Final value of each weight and running statistic, by name. */
  readonly weights: Readonly<Record<string, Float32Array>>;
  /** Mean loss of each update's rows. */
  readonly losses: Float32Array;
  /** Updates. */
  readonly steps: number;
  /** Updates that were planned: more than `steps` where early stopping ended it. */
  readonly planned: number;
  /** Time in the updates themselves. */
  readonly seconds: number;
  readonly evaluations: readonly Evaluation[];
  readonly diverged?: Divergence;
}

/** A loss this many times the first one (or chance level) is an explosion. */
const EXPLOSION_FACTOR = 10;

/**
 * Trains a graph. Throws `UsageError` for a graph or data that cannot be trained, and for a checkpoint
 * of another training.
 */
export async function trainTask(args: TrainArgs, context: TaskContext): Promise<TrainResult> {
  const plan = preparePlan(args, context);
  const { step, steps, patience, saveEvery } = plan;
  const { checkpoint } = args;
  const session = await Session.create(encodeModel(step.graph), {
    threads: args.threads,
    ...trainingSession,
  });
  try {
    let at: Position = {
      step: 0,
      seconds: 0,
      losses: new Float32Array(),
      evaluations: [],
      state: packState(step, plan.graph),
    };
    if (checkpoint?.resume !== undefined) {
      at = decodeCheckpoint(checkpoint.resume, plan.fingerprint);
    }
    let diverged: Divergence | undefined;
    while (at.step < steps && diverged === undefined && !isExhausted(at.evaluations, patience)) {
      const next = await advance(session, plan, at, context);
      at = next.position;
      diverged = next.diverged;
      if (checkpoint !== undefined && diverged === undefined && isDue(plan, at.step, saveEvery)) {
        const saved = encodeCheckpoint(at, plan.fingerprint);
        context.progress({ checkpoint: saved } satisfies TrainCheckpoint);
      }
    }
    const weights = unpackState(step, at.best ?? at.state);
    const finite = [...weights.values()].every((values) => values.every(Number.isFinite));
    if (!finite) diverged ??= { step: at.step - 1, loss: Number.NaN };
    return {
      weights: Object.fromEntries(weights),
      losses: at.losses,
      steps: at.step,
      planned: steps,
      seconds: at.seconds,
      evaluations: at.evaluations,
      ...(diverged === undefined ? {} : { diverged }),
    };
  } finally {
    session.release();
  }
}

function copyOf({ dtype, dims, data }: HostTensor): HostTensor {
  return { dtype, dims, data: data.slice() };
}

/** The graph with the weights of a training. */
export function withWeights(graph: Graph, weights: TrainResult['weights']): Graph {
  return withData(graph, new Map(Object.entries(weights)));
}

interface Advance {
  readonly position: Position;
  readonly diverged?: Divergence;
}

/** The updates up to the next stop, the evaluation that is due there, and the report of both. */
async function advance(
  session: Session,
  plan: TrainingPlan,
  at: Position,
  context: TaskContext,
): Promise<Advance> {
  const { step, steps } = plan;
  // The first update stands alone: its loss sets the limit for all others.
  const limit =
    at.step === 0 || step.chance === undefined
      ? Number.POSITIVE_INFINITY
      : EXPLOSION_FACTOR * Math.max(at.losses[0] as number, step.chance);
  const count = nextStop(plan, at.step) - at.step;
  const part = await runUpdates({ ...plan, session, context }, at.state, at.step, count, limit);
  const done = at.step + part.losses.length;
  const losses = new Float32Array(done);
  losses.set(at.losses);
  losses.set(part.losses, at.step);
  const position = {
    ...at,
    step: done,
    state: part.state,
    losses,
    seconds: at.seconds + part.seconds,
  };
  const loss = part.losses.reduce((a, b) => a + b, 0) / part.losses.length;
  const report: TrainProgress = {
    step: done,
    steps,
    loss,
    ...(part.accuracy !== undefined && { accuracy: part.accuracy }),
  };
  if (part.exploded) {
    context.progress(report);
    return { position, diverged: { step: done - 1, loss: losses[done - 1] as number } };
  }
  const evaluation = await evaluateIfDue(plan, position, context);
  context.progress({ ...report, ...(evaluation && { evaluation }) } satisfies TrainProgress);
  if (evaluation === undefined) return { position };
  const evaluations = [...at.evaluations, evaluation];
  const isBest = plan.keepsBest && bestOf(evaluations) === evaluation;
  return {
    position: { ...position, evaluations, ...(isBest && { best: part.state.map(copyOf) }) },
  };
}

async function evaluateIfDue(
  plan: TrainingPlan,
  { step: done, state }: Position,
  context: TaskContext,
): Promise<Evaluation | undefined> {
  const { evaluation, graph, loss: spec, threads, step } = plan;
  if (evaluation === undefined || !isDue(plan, done, plan.evaluateEvery)) return undefined;
  const current = withData(graph, unpackState(step, state));
  const call = { graph: current, data: evaluation.data, threads, loss: spec };
  const { loss, accuracy } = await evaluateTask(call, context);
  const epoch = done / plan.stepsPerEpoch;
  return { step: done, epoch, loss, ...(accuracy !== undefined && { accuracy }) };
}
