/**
 * Losses of predictions that are there, in float64: the same definitions as in the step graph, without
 * label smoothing.
 */
import { UsageError } from '../../errors.js';
import { elementCount, type HostTensor } from '../../util/tensor.js';
import { targetKindOf } from './class-axis.js';
import type { LossSpec } from './loss.js';

export interface Score {
  /** Mean over all elements or positions. */
  readonly loss: number;
  /** Right decisions; 0 of 0 where targets are no decisions. */
  readonly correct: number;
  readonly decisions: number;
}

/** Numbers of one class axis: `at(k)` is the place of class k. */
interface Position {
  readonly classes: number;
  at(k: number): number;
}

/** Scores a batch. Throws `UsageError` where prediction and target do not fit each other. */
export function scoreBatch(spec: LossSpec, prediction: HostTensor, target: HostTensor): Score {
  const x = prediction.data as Float32Array;
  const { dims } = prediction;
  const kind = targetKindOf(dims, target.dims, target.dtype as 'float32' | 'int64');
  const axis = kind.kind === 'classes' ? kind.axis : 1;
  const truth =
    kind.kind === 'classes' ? oneHot(target.data, dims, axis) : (target.data as Float32Array);
  const decided = kind.kind === 'classes' || spec.loss === 'cross-entropy';
  const hits = decided ? countHits(x, truth, dims, axis) : { correct: 0, decisions: 0 };
  switch (spec.loss) {
    case 'cross-entropy':
      return { loss: crossEntropy(x, truth, dims, axis), ...hits };
    case 'bce': {
      const loss = mean(x, (v, i) => softplus(v) - v * (truth[i] as number));
      if (decided) return { loss, ...hits };
      const correct = x.reduce((n, v, i) => n + Number(v > 0 === (truth[i] as number) > 0.5), 0);
      return { loss, correct, decisions: x.length };
    }
    case 'mse':
      return { loss: mean(x, (v, i) => (v - (truth[i] as number)) ** 2), ...hits };
    case 'huber': {
      const { huberDelta: delta } = spec;
      const one = (d: number) => (d < delta ? (d * d) / 2 : delta * (d - delta / 2));
      return { loss: mean(x, (v, i) => one(Math.abs(v - (truth[i] as number)))), ...hits };
    }
    default:
      throw new UsageError(`loss ${spec.loss}: expected a loss of predictions and targets`);
  }
}

function mean(values: Float32Array, term: (value: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += term(values[i] as number, i);
  return sum / values.length;
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function* positionsOf(dims: readonly number[], axis: number): Generator<Position> {
  const classes = dims[axis] as number;
  const inner = elementCount(dims.slice(axis + 1));
  const outer = elementCount(dims.slice(0, axis));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const from = o * classes * inner + i;
      yield { classes, at: (k) => from + k * inner };
    }
  }
}

function oneHot(labels: HostTensor['data'], dims: readonly number[], axis: number): Float32Array {
  const hot = new Float32Array(elementCount(dims));
  let place = 0;
  for (const { classes, at } of positionsOf(dims, axis)) {
    const label = Number(labels[place++]);
    if (label < 0 || label >= classes) {
      throw new UsageError(`target: expected classes from 0 to ${classes - 1}, received ${label}`);
    }
    hot[at(label)] = 1;
  }
  return hot;
}

function greatest(values: Float32Array, { classes, at }: Position): number {
  let best = 0;
  for (let k = 1; k < classes; k++) {
    if ((values[at(k)] as number) > (values[at(best)] as number)) best = k;
  }
  return best;
}

function countHits(x: Float32Array, truth: Float32Array, dims: readonly number[], axis: number) {
  let correct = 0;
  let decisions = 0;
  for (const position of positionsOf(dims, axis)) {
    decisions++;
    if (greatest(x, position) === greatest(truth, position)) correct++;
  }
  return { correct, decisions };
}

function crossEntropy(
  x: Float32Array,
  truth: Float32Array,
  dims: readonly number[],
  axis: number,
): number {
  let loss = 0;
  let count = 0;
  for (const position of positionsOf(dims, axis)) {
    const { classes, at } = position;
    const peak = x[at(greatest(x, position))] as number;
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp((x[at(k)] as number) - peak);
    const total = peak + Math.log(sum);
    for (let k = 0; k < classes; k++) {
      const share = truth[at(k)] as number;
      if (share !== 0) loss += share * (total - (x[at(k)] as number));
    }
    count++;
  }
  return loss / count;
}
