/** Costs: further products, transforms and determinants. */
import { stringOf } from '../attributes.js';
import { parseEinsum } from '../einsum.js';
import type { algebraSchemas } from '../schema/algebra.js';
import { type CostRule, moving } from './rule.js';

/** A product of two or more operands takes one MAC for each combination of indices; one operand none. */
const einsum: CostRule = {
  ...moving,
  macs: ({ node, inputs }) => {
    const ranks = inputs.map((dims) => dims?.length ?? 0);
    const labels = parseEinsum(stringOf(node, 'equation', ''), ranks);
    if (typeof labels === 'string' || inputs.length < 2) return 0;
    const sizes = new Map<string, number>();
    labels.operands.forEach((operand, i) => {
      operand.forEach((label, axis) => {
        sizes.set(label, Math.max(sizes.get(label) ?? 0, inputs[i]?.[axis] ?? 0));
      });
    });
    return [...sizes.values()].reduce((product, size) => product * size, inputs.length - 1);
  },
};

export const algebraCosts: Readonly<Record<keyof typeof algebraSchemas, CostRule>> = {
  DFT: moving,
  Det: moving,
  Einsum: einsum,
  STFT: moving,
};
