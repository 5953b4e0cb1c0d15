/** Operators that draw: two of them with the same inputs are not the same value. */
import type { Node } from './graph.js';

const drawing: ReadonlySet<string> = new Set([
  'Bernoulli',
  'Dropout',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);

/** Whether the node's outputs are drawn at each run. Dropout draws in training form alone. */
export function isRandom({ op, domain }: Pick<Node, 'op' | 'domain'>): boolean {
  return domain === '' && drawing.has(op);
}
