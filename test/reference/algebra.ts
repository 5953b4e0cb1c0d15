/** Further products, transforms and determinants, by their definitions. */
import { intOf, stringOf } from '../../src/ir/attributes.js';
import { count, type Kernels, need, positive } from './kernel.js';
import { at, generate, get, indices, offset, type Tensor, zeros } from './tensor.js';

/** By expansion along the first row. */
function determinant(matrix: readonly (readonly number[])[]): number {
  if (matrix.length === 0) return 1;
  const [first = [], ...rest] = matrix;
  return first.reduce((sum, value, k) => {
    const minor = rest.map((row) => row.filter((_, i) => i !== k));
    return sum + (k % 2 === 0 ? 1 : -1) * value * determinant(minor);
  }, 0);
}

/** Σₙ xₙ·e^(∓2πi·kn/L) along an axis of […,1 or 2]; `x` beyond its end is 0. */
function fourier(x: Tensor, axis: number, length: number, bins: number, inverse: boolean): Tensor {
  const size = Math.min(length, at(x.dims, axis));
  const parts = x.dims.at(-1);
  const dims = x.dims.map((d, i) => (i === axis ? bins : i === x.dims.length - 1 ? 2 : d));
  return generate(dims, (index) => {
    const imaginary = index.at(-1) === 1;
    let sum = 0;
    for (let n = 0; n < size; n++) {
      const place = [...index.slice(0, axis), n, ...index.slice(axis + 1, -1)];
      const angle = ((inverse ? 2 : -2) * Math.PI * ((at(index, axis) * n) % length)) / length;
      const re = get(x, [...place, 0]);
      const im = parts === 2 ? get(x, [...place, 1]) : 0;
      sum += imaginary
        ? re * Math.sin(angle) + im * Math.cos(angle)
        : re * Math.cos(angle) - im * Math.sin(angle);
    }
    return inverse ? sum / length : sum;
  });
}

/** The bins of a real signal's transform from those up to the middle: X₋ₖ is the conjugate of Xₖ. */
function mirrored(x: Tensor, axis: number, length: number): Tensor {
  const dims = x.dims.map((d, i) => (i === axis ? length : d));
  return generate(dims, (index) => {
    const k = at(index, axis);
    const beyond = 2 * k > length;
    const source = beyond ? length - k : k;
    if (source >= at(x.dims, axis)) return 0;
    const value = get(x, [...index.slice(0, axis), source, ...index.slice(axis + 1)]);
    if (index.at(-1) === 0) return value;
    return source === 0 || 2 * source === length ? 0 : beyond ? -value : value;
  });
}

const scalarOf = (t: Tensor | undefined) => (t === undefined ? undefined : at(t.data, 0));

export const algebra: Kernels = {
  DFT: (node, inputs, opset) => {
    const x = need(inputs, 0);
    const given = opset >= 20 ? (scalarOf(inputs[2]) ?? -2) : intOf(node, 'axis', 1);
    const axis = positive(given, x.dims.length);
    const inverse = intOf(node, 'inverse', 0) === 1;
    const onesided = intOf(node, 'onesided', 0) === 1;
    if (inverse && onesided) {
      const length = scalarOf(inputs[1]) ?? 2 * (at(x.dims, axis) - 1);
      const whole = fourier(mirrored(x, axis, length), axis, length, length, true);
      const dims = [...whole.dims.slice(0, -1), 1];
      return [generate(dims, (index) => get(whole, index))];
    }
    const length = scalarOf(inputs[1]) ?? at(x.dims, axis);
    const bins = onesided ? Math.floor(length / 2) + 1 : length;
    return [fourier(x, axis, length, bins, inverse)];
  },
  Det: (_, [x]) => {
    const input = need([x], 0);
    const n = input.dims.at(-1) as number;
    return [
      generate(input.dims.slice(0, -2), (index) =>
        determinant(count(n).map((i) => count(n).map((j) => get(input, [...index, i, j])))),
      ),
    ];
  },
  Einsum: (node, inputs) => {
    const operands = inputs.map((_, i) => need(inputs, i));
    const [left = '', right] = stringOf(node, 'equation', '').replaceAll(' ', '').split('->');
    const further = Math.max(
      ...left.split(',').map((term, i) => {
        const rank = (operands[i] as Tensor).dims.length;
        return term.includes('...') ? rank - (term.length - 3) : 0;
      }),
    );
    // Digits name the axes of the ellipsis, 0 the last.
    const digits = count(further).reverse().join('');
    const spell = (term: string, axes: number) =>
      term.replace('...', axes === 0 ? '' : digits.slice(-axes));
    const terms = left
      .split(',')
      .map((term, i) => spell(term, (operands[i] as Tensor).dims.length - (term.length - 3)));
    const letters = terms.join('').replaceAll(/\d/g, '');
    const once = [...letters].filter((l) => letters.split(l).length === 2).sort();
    const output = right === undefined ? digits + once.join('') : spell(right, further);
    const all = [...new Set([...output, ...terms.join('')])];
    const sizes = all.map((label) =>
      Math.max(
        ...terms.flatMap((term, i) =>
          [...term].flatMap((l, axis) =>
            l === label ? [at((operands[i] as Tensor).dims, axis)] : [],
          ),
        ),
      ),
    );
    const y = zeros([...output].map((label) => at(sizes, all.indexOf(label))));
    for (const index of indices(sizes)) {
      const product = operands.reduce((value, operand, i) => {
        const place = [...(terms[i] as string)].map((label, axis) =>
          at(operand.dims, axis) === 1 ? 0 : at(index, all.indexOf(label)),
        );
        return value * get(operand, place);
      }, 1);
      const target = offset(y.dims, index.slice(0, output.length));
      y.data[target] = at(y.data, target) + product;
    }
    return [y];
  },
  STFT: (node, inputs) => {
    const [signal, window] = [need(inputs, 0), inputs[2]];
    const step = at(need(inputs, 1).data, 0);
    const [batch = 0, size = 0, parts = 0] = signal.dims;
    const length = scalarOf(inputs[3]) ?? window?.data.length ?? size;
    const frames = 1 + Math.floor((size - length) / step);
    const cut = generate([batch, frames, length, parts], ([b = 0, f = 0, n = 0, p = 0]) => {
      const weight = window === undefined ? 1 : (window.data[n] ?? 0);
      return weight * get(signal, [b, f * step + n, p]);
    });
    const onesided = intOf(node, 'onesided', 1) === 1;
    return [fourier(cut, 2, length, onesided ? Math.floor(length / 2) + 1 : length, false)];
  },
};
