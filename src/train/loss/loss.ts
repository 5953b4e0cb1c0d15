/**
 * Losses: what a step minimises. A loss appends itself to the step graph and says where gradients
 * begin: at the prediction, by a formula of its own, or at its scalar, for autodiff to go through it.
 * All are means over every element or position of the batch, as PyTorch's are by default.
 */
import { InternalError, UsageError } from '../../errors.js';
import type { GraphBuilder } from '../../ir/builder.js';
import type { Graph, Node } from '../../ir/graph.js';
import { appendTarget, type PreparedTarget, type Target } from './class-target.js';
import { appendCrossEntropy } from './cross-entropy.js';
import { appendBinaryCrossEntropy, appendHuber, appendSquaredError } from './elementwise.js';
import { appendCustomLoss, appendOutputLoss } from './scalar.js';

/** Losses that class numbers can be targets of. */
export const classLosses = ['cross-entropy', 'bce', 'mse', 'huber'] as const;
export const lossNames = [...classLosses, 'output', 'custom'] as const;

/**
 * - `cross-entropy`: softmax cross-entropy of logits; targets are class numbers or probabilities.
 * - `bce`: binary cross-entropy of logits, each element on its own.
 * - `mse`, `huber`: mean squared error, and the one that is linear beyond `huberDelta`.
 * - `output`: the model's own output is the loss, a scalar.
 * - `custom`: a graph with inputs `prediction` and `target` and one scalar output.
 *
 * For `bce`, `mse` and `huber` class numbers stand for one-hot vectors.
 */
export type LossName = (typeof lossNames)[number];

/** What decides a loss; part of the recipe, `graph` excepted. */
export interface LossSpec {
  readonly loss: LossName;
  readonly labelSmoothing: number;
  readonly huberDelta: number;
  /** The user's own loss, for `custom`. */
  readonly graph?: Graph;
}

/** A loss in a step graph. */
export interface AppendedLoss {
  /** float32 scalar. */
  readonly loss: string;
  /** float32 scalar: right decisions of the batch, where the targets are decisions. */
  readonly correct?: string;
  /** Decisions of a batch; 0 where there are none. */
  readonly decisions: number;
  /** Classes, where the targets are class numbers. */
  readonly classes?: number;
  /** Loss of one who guesses evenly, where that is known: below ten times this nothing has exploded. */
  readonly chance?: number;
  /** Nodes that gradients go through, behind those of the forward pass. */
  readonly nodes: readonly Node[];
  /** Gradients that backpropagation begins with, by value. */
  readonly seeds: ReadonlyMap<string, string>;
}

/** Appends a loss. Throws `UsageError` where prediction and target do not fit each other or the loss. */
export function appendLoss(
  b: GraphBuilder,
  spec: LossSpec,
  prediction: string,
  target: Target | undefined,
): AppendedLoss {
  if (spec.loss === 'output') return appendOutputLoss(b, prediction);
  if (target === undefined) {
    throw new UsageError(`loss ${spec.loss}: expected targets in the data, received none`);
  }
  if (b.typeOf(prediction).dtype !== 'float32') {
    throw new UsageError(
      `loss ${spec.loss}: expected a float32 prediction, received ${b.typeOf(prediction).dtype}`,
    );
  }
  if (spec.loss === 'custom') {
    if (spec.graph === undefined)
      throw new UsageError('loss custom: expected the graph of the loss');
    return appendCustomLoss(b, spec.graph, prediction, target);
  }
  const prepared = appendTarget(b, spec, prediction, target);
  const axis = prepared.classes?.axis;
  const classes = axis === undefined ? {} : { classes: b.dimsOf(prediction)[axis] as number };
  return { ...appendPrepared(b, spec, prediction, prepared), ...classes };
}

function appendPrepared(
  b: GraphBuilder,
  { loss, huberDelta }: LossSpec,
  prediction: string,
  target: PreparedTarget,
): AppendedLoss {
  switch (loss) {
    case 'cross-entropy':
      return appendCrossEntropy(b, prediction, target);
    case 'bce':
      return appendBinaryCrossEntropy(b, prediction, target);
    case 'mse':
      return appendSquaredError(b, prediction, target);
    case 'huber':
      return appendHuber(b, prediction, target, huberDelta);
    default:
      throw new InternalError(`loss ${loss} has no formula`);
  }
}
