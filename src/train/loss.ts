/**
 * Softmax cross-entropy with label smoothing as PyTorch defines it: the target is 1−ε+ε/K for the
 * true class and ε/K for the others; loss = −mean over the batch of Σ target·log softmax(logits).
 */
import type { GraphBuilder } from '../ir/builder.js';

export interface Loss {
  /** float32 scalar. */
  readonly loss: string;
  /** float32 scalar: rows whose greatest logit is the true class's. */
  readonly correct: string;
  /** d loss / d logits = (softmax − target) / B, [B, K]. */
  readonly gradient: string;
}

/** Appends loss and its gradient for logits [B, K] and int64 labels [B]. */
export function appendCrossEntropy(
  b: GraphBuilder,
  logits: string,
  labels: string,
  labelSmoothing: number,
): Loss {
  const [batch, classes] = b.dimsOf(logits) as [number, number];
  const off = labelSmoothing / classes;
  const values = Float32Array.of(off, 1 - labelSmoothing + off);
  const target = b.op(
    'OneHot',
    [labels, b.scalar(classes, 'int64'), b.constant({ dtype: 'float32', dims: [2], data: values })],
    { axis: -1 },
    'loss.target',
  );
  const logs = b.op('LogSoftmax', [logits], { axis: -1 }, 'loss.logs');
  const likelihood = b.op(
    'ReduceSum',
    [b.op('Mul', [target, logs], {}, 'loss.terms')],
    { keepdims: 0 },
    'loss.sum',
  );
  const loss = b.op('Mul', [likelihood, b.scalar(-1 / batch)], {}, 'loss.mean');
  const error = b.op('Sub', [b.op('Exp', [logs], {}, 'loss.softmax'), target], {}, 'loss.error');
  const gradient = b.op('Mul', [error, b.scalar(1 / batch)], {}, 'loss.gradient');
  const guess = b.op('ArgMax', [logits], { axis: -1, keepdims: 0 }, 'loss.guess');
  const right = b.op(
    'Cast',
    [b.op('Equal', [guess, labels], {}, 'loss.right')],
    { to: 1 },
    'loss.hits',
  );
  const correct = b.op('ReduceSum', [right], { keepdims: 0 }, 'loss.correct');
  return { loss, correct, gradient };
}
