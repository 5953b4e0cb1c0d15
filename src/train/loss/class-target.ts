/** Targets as losses want them: a number for each element of the prediction. */
import { UsageError } from '../../errors.js';
import type { GraphBuilder } from '../../ir/builder.js';
import { targetKindOf } from './class-axis.js';
import type { LossSpec } from './loss.js';

/** The targets of a batch as they come into a step. */
export interface Target {
  /** int64 class numbers or float32 values. */
  readonly name: string;
  /** Mixup: class numbers of the images mixed in, and the scalar share λ of the first ones. */
  readonly mixed?: { readonly labels: string; readonly share: string };
}

/** Targets of the prediction's dims. */
export interface PreparedTarget {
  /** float32, of the prediction's dims. */
  readonly values: string;
  /** Class numbers, and the axis of the prediction that they count along. */
  readonly classes?: { readonly labels: string; readonly axis: number };
}

/**
 * Class numbers as one-hot vectors, smoothed as PyTorch does (1−ε+ε/K for the true class and ε/K for
 * the others) and, for mixup, mixed: λ·first + (1−λ)·second. Float targets stay as they are, but that
 * those of cross-entropy are smoothed too.
 */
export function appendTarget(
  b: GraphBuilder,
  { loss, labelSmoothing }: LossSpec,
  prediction: string,
  target: Target,
): PreparedTarget {
  const dims = b.dimsOf(prediction);
  const { dtype } = b.typeOf(target.name);
  const found = targetKindOf(dims, b.dimsOf(target.name), dtype as 'float32' | 'int64');
  const fitted = (name: string, wanted: readonly number[]) =>
    b.dimsOf(name).join() === wanted.join()
      ? name
      : b.op('Reshape', [name, b.ints(wanted)], {}, 'loss.fitted');
  if (found.kind === 'classes') {
    const { axis } = found;
    const positions = dims.toSpliced(axis, 1);
    const classes = dims[axis] as number;
    const hot = (labels: string) => appendOneHot(b, labels, classes, axis, labelSmoothing);
    const labels = fitted(target.name, positions);
    const first = hot(labels);
    const values =
      target.mixed === undefined
        ? first
        : appendMixed(b, first, hot(fitted(target.mixed.labels, positions)), target.mixed.share);
    return { values, classes: { labels, axis } };
  }
  if (target.mixed !== undefined) {
    throw new UsageError('recipe.mixup: expected class numbers as targets, received floats');
  }
  const plain = fitted(target.name, dims);
  if (labelSmoothing === 0) return { values: plain };
  if (loss !== 'cross-entropy') {
    throw new UsageError(
      `recipe.labelSmoothing: expected 0 with loss ${loss} and float targets, received ${labelSmoothing}`,
    );
  }
  const even = b.scalar(labelSmoothing / (dims[1] as number));
  const kept = b.op('Mul', [plain, b.scalar(1 - labelSmoothing)], {}, 'loss.kept');
  return { values: b.op('Add', [kept, even], {}, 'loss.target') };
}

function appendOneHot(
  b: GraphBuilder,
  labels: string,
  classes: number,
  axis: number,
  smoothing: number,
): string {
  const off = smoothing / classes;
  const data = Float32Array.of(off, 1 - smoothing + off);
  const values = b.constant({ dtype: 'float32', dims: [2], data });
  return b.op('OneHot', [labels, b.scalar(classes, 'int64'), values], { axis }, 'loss.target');
}

function appendMixed(b: GraphBuilder, first: string, second: string, share: string): string {
  const rest = b.op('Sub', [b.scalar(1), share], {}, 'loss.rest');
  const [kept, added] = [b.op('Mul', [first, share]), b.op('Mul', [second, rest])];
  return b.op('Add', [kept, added], {}, 'loss.mixed');
}

/** Positions whose greatest prediction along `axis` is at the class in `labels`: float32 scalar. */
export function appendHits(
  b: GraphBuilder,
  prediction: string,
  labels: string,
  axis: number,
): { readonly correct: string; readonly decisions: number } {
  const guess = b.op('ArgMax', [prediction], { axis, keepdims: 0 }, 'loss.guess');
  return appendAgreement(b, guess, labels);
}

/** How many elements of two tensors of the same dims are equal: float32 scalar. */
export function appendAgreement(
  b: GraphBuilder,
  guess: string,
  truth: string,
): { readonly correct: string; readonly decisions: number } {
  const right = b.op('Equal', [guess, truth], {}, 'loss.right');
  const hits = b.op('Cast', [right], { to: 1 }, 'loss.hits');
  const correct = b.op('ReduceSum', [hits], { keepdims: 0 }, 'loss.correct');
  return { correct, decisions: b.sizeOf(guess) };
}
