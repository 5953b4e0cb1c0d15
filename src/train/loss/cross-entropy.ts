/**
 * Softmax cross-entropy as PyTorch defines it: −mean over all positions of
 * Σ target·log softmax(logits) along the class axis.
 */
import type { GraphBuilder } from '../../ir/builder.js';
import { hasNativeForm } from '../native-form.js';
import { appendHits, type PreparedTarget } from './class-target.js';
import type { AppendedLoss } from './loss.js';

/** Appends the loss of logits; its gradient is (softmax − target) / positions. */
export function appendCrossEntropy(
  b: GraphBuilder,
  logits: string,
  { values, classes }: PreparedTarget,
): AppendedLoss {
  const axis = classes?.axis ?? 1;
  const count = b.dimsOf(logits)[axis] as number;
  const share = 1 / (b.sizeOf(logits) / count);
  const labels =
    classes?.labels ?? b.op('ArgMax', [values], { axis, keepdims: 0 }, 'loss.likeliest');
  const ending = (loss: string, gradient: string): AppendedLoss => ({
    loss,
    ...appendHits(b, logits, labels, axis),
    chance: Math.log(count),
    nodes: [],
    seeds: new Map([[logits, gradient]]),
  });
  if (hasNativeForm(b, logits) && b.dimsOf(logits).length === 2) {
    const [loss = '', gradient = ''] = b.ops(
      'TrainingCrossEntropy',
      [logits, values],
      {},
      2,
      'loss.entropy',
    );
    return ending(loss, gradient);
  }
  const logs = b.op('LogSoftmax', [logits], { axis }, 'loss.logs');
  const terms = b.op('Mul', [values, logs], {}, 'loss.terms');
  const likelihood = b.op('ReduceSum', [terms], { keepdims: 0 }, 'loss.sum');
  const loss = b.op('Mul', [likelihood, b.scalar(-share)], {}, 'loss.mean');
  const error = b.op('Sub', [b.op('Exp', [logs], {}, 'loss.softmax'), values], {}, 'loss.error');
  const gradient = b.op('Mul', [error, b.scalar(share)], {}, 'loss.gradient');
  return ending(loss, gradient);
}
