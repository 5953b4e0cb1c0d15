/** Einsum: the gradient of each operand is an Einsum of the seed and the other operands. */
import { stringOf } from '../../ir/attributes.js';
import { type EinsumLabels, parseEinsum } from '../../ir/einsum.js';
import { elementCount } from '../../util/tensor.js';
import { type GradientContext, type GradientRule, range } from './rule.js';

interface Factor {
  readonly value: string;
  /** One label for each axis. */
  readonly labels: readonly string[];
}

/**
 * dA sums the seed times the other operands over all labels but A's. A label that only A has was
 * summed, so its gradient is the same all along; one that A has twice was a diagonal, so the rest is
 * 0; one that was stretched from size 1 is summed.
 */
export const einsum: GradientRule = (c) => {
  const ranks = c.node.inputs.map((name) => c.dims(name).length);
  const labels = parseEinsum(stringOf(c.node, 'equation', ''), ranks);
  if (typeof labels === 'string') throw c.refuse(labels);
  return c.node.inputs.map((_, i) => (c.wants[i] ? operandGradient(c, labels, i) : undefined));
};

function operandGradient(c: GradientContext, labels: EinsumLabels, i: number): string {
  const own = labels.operands[i] as readonly string[];
  const dims = c.dims(c.x(i));
  const factors = [
    { value: c.dy, labels: labels.output },
    ...labels.operands.map((operand, k) => ({ value: c.x(k), labels: operand })),
  ]
    .filter((_, k) => k !== i + 1)
    .map((factor) => withoutOnes(c, factor));
  const unique = [...new Set(own)];
  const kept = unique.filter((label) => factors.some((factor) => factor.labels.includes(label)));
  const asked = kept.filter((label) => dims[own.indexOf(label)] !== 1);
  const sum = product(c, factors, asked);
  const placed = own.map((label, axis) =>
    asked.includes(label) && own.indexOf(label) === axis ? (dims[axis] as number) : 1,
  );
  const spread = c.expand(c.reshape(sum, placed), dims);
  return unique
    .filter((label) => own.indexOf(label) !== own.lastIndexOf(label))
    .reduce((value, label) => c.mul(value, diagonal(c, own, dims, label)), spread);
}

/** The factor without its axes of size 1, which are not summed over nor stretched. */
function withoutOnes(c: GradientContext, { value, labels }: Factor): Factor {
  const dims = c.dims(value);
  return {
    value: c.reshape(
      value,
      dims.filter((size) => size !== 1),
    ),
    labels: labels.filter((_, axis) => dims[axis] !== 1),
  };
}

/** The product of the factors, summed over all labels that are not asked for. */
function product(c: GradientContext, factors: readonly Factor[], asked: readonly string[]): string {
  const numbers = factors.filter(({ labels }) => labels.length === 0);
  const tensors = factors.filter(({ labels }) => labels.length > 0);
  const all = [...new Set(tensors.flatMap(({ labels }) => labels))];
  if (all.length > ALPHABET.length) throw c.refuse(`it has more than ${ALPHABET.length} labels`);
  const letters = (labels: readonly string[]) =>
    labels.map((label) => ALPHABET[all.indexOf(label)]).join('');
  const terms = tensors.map(({ labels }) => letters(labels));
  const only = terms.length === 1 && terms[0] === letters(asked) ? tensors[0]?.value : undefined;
  const values = numbers.map(({ value }) => value);
  if (tensors.length > 0) {
    const equation = `${terms}->${letters(asked)}`;
    values.push(
      only ??
        c.op(
          'Einsum',
          tensors.map(({ value }) => value),
          { equation },
        ),
    );
  }
  return values.reduce((total, value) => c.mul(total, value));
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** 1 where the indices of all axes with that label are the same, else 0. */
function diagonal(
  c: GradientContext,
  own: readonly string[],
  dims: readonly number[],
  label: string,
): string {
  const shape = dims.map((size, axis) => (own[axis] === label ? size : 1));
  const size = dims[own.indexOf(label)] as number;
  const axes = own.filter((other) => other === label).length;
  const step = range(axes).reduce((sum, k) => sum + size ** k, 0);
  const ones = range(elementCount(shape)).map((n) => (n % step === 0 && n / step < size ? 1 : 0));
  return c.tensor(shape, ones);
}
