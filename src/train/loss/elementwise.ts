/** Losses of each element on its own, as PyTorch defines them; x is the prediction, t the target. */
import type { GraphBuilder } from '../../ir/builder.js';
import { appendAgreement, appendHits, type PreparedTarget } from './class-target.js';
import type { AppendedLoss } from './loss.js';

/** log(1 + eˣ) − x·t; gradient σ(x) − t. (BCEWithLogitsLoss) */
export function appendBinaryCrossEntropy(
  b: GraphBuilder,
  logits: string,
  target: PreparedTarget,
): AppendedLoss {
  const { values, classes } = target;
  const plus = b.op('Softplus', [logits], {}, 'loss.plus');
  const terms = b.op('Sub', [plus, b.op('Mul', [logits, values])], {}, 'loss.terms');
  const slope = b.op('Sub', [b.op('Sigmoid', [logits]), values], {}, 'loss.error');
  const mean = appendMean(b, logits, terms, slope);
  if (classes !== undefined) {
    const hits = appendHits(b, logits, classes.labels, classes.axis);
    return { ...mean, ...hits, chance: Math.LN2 };
  }
  const guess = b.op('Greater', [logits, b.scalar(0)], {}, 'loss.guess');
  const truth = b.op('Greater', [values, b.scalar(0.5)], {}, 'loss.truth');
  return { ...mean, ...appendAgreement(b, guess, truth), chance: Math.LN2 };
}

/** (x − t)²; gradient 2(x − t). (MSELoss) */
export function appendSquaredError(
  b: GraphBuilder,
  prediction: string,
  target: PreparedTarget,
): AppendedLoss {
  const error = b.op('Sub', [prediction, target.values], {}, 'loss.error');
  const terms = b.op('Mul', [error, error], {}, 'loss.terms');
  const slope = b.op('Mul', [error, b.scalar(2)], {}, 'loss.slope');
  return withHits(b, prediction, target, appendMean(b, prediction, terms, slope));
}

/** ½d² for |d| ≤ δ, δ(|d| − ½δ) beyond, d = x − t; gradient c = d clipped to ±δ. (HuberLoss) */
export function appendHuber(
  b: GraphBuilder,
  prediction: string,
  target: PreparedTarget,
  delta: number,
): AppendedLoss {
  const error = b.op('Sub', [prediction, target.values], {}, 'loss.error');
  const slope = b.op('Clip', [error, b.scalar(-delta), b.scalar(delta)], {}, 'loss.slope');
  // Both branches are c·(d − c/2).
  const half = b.op('Mul', [slope, b.scalar(0.5)]);
  const terms = b.op('Mul', [slope, b.op('Sub', [error, half])], {}, 'loss.terms');
  return withHits(b, prediction, target, appendMean(b, prediction, terms, slope));
}

/** Mean of the terms; `slope` is the derivative of each term by its own element. */
function appendMean(
  b: GraphBuilder,
  prediction: string,
  terms: string,
  slope: string,
): AppendedLoss {
  const share = b.scalar(1 / b.sizeOf(prediction));
  const sum = b.op('ReduceSum', [terms], { keepdims: 0 }, 'loss.sum');
  const gradient = b.op('Mul', [slope, share], {}, 'loss.gradient');
  return {
    loss: b.op('Mul', [sum, share], {}, 'loss.mean'),
    decisions: 0,
    nodes: [],
    seeds: new Map([[prediction, gradient]]),
  };
}

function withHits(
  b: GraphBuilder,
  prediction: string,
  { classes }: PreparedTarget,
  mean: AppendedLoss,
): AppendedLoss {
  if (classes === undefined) return mean;
  return { ...mean, ...appendHits(b, prediction, classes.labels, classes.axis) };
}
