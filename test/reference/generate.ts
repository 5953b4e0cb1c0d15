/** Reference: what makes tensors: ranges and windows. What draws has no value to compare with. */
import { intOf } from '../../src/ir/attributes.js';
import { elementTypeOf } from '../../src/ir/element-codes.js';
import type { Node } from '../../src/ir/graph.js';
import { type Kernel, type Kernels, need } from './kernel.js';
import { at, generate, type Tensor, tensor } from './tensor.js';

/** The one element of the i-th input. */
const number = (inputs: readonly (Tensor | undefined)[], i: number) => at(need(inputs, i).data, 0);

/** With the element type in an attribute, where it is one. */
function typedBy(node: Node, attribute: string, value: Tensor, otherwise?: Tensor): Tensor {
  const dtype = elementTypeOf(intOf(node, attribute, 0)) ?? otherwise?.dtype;
  return dtype === undefined ? value : { ...value, dtype };
}

/** A sum of cosines over one period; symmetric windows end where they begin. */
const window =
  (...factors: readonly number[]): Kernel =>
  (node, inputs) => {
    const size = number(inputs, 0);
    const period = intOf(node, 'periodic', 1) === 1 ? size : size - 1;
    const values = generate([size], ([n = 0]) =>
      factors.reduce((sum, a, k) => sum + a * Math.cos((2 * Math.PI * k * n) / period), 0),
    );
    return [typedBy(node, 'output_datatype', values)];
  };

const melOf = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
const hertzOf = (mel: number) => 700 * (10 ** (mel / 2595) - 1);

/** Triangles between neighbouring ones of evenly spaced mel frequencies, as bins of the spectrum. */
function melWeights(
  bins: number,
  length: number,
  rate: number,
  lower: number,
  upper: number,
): Tensor {
  const step = (melOf(upper) - melOf(lower)) / (bins + 2);
  const edges = Array.from({ length: bins + 2 }, (_, i) =>
    Math.floor(((length + 1) * hertzOf(melOf(lower) + i * step)) / rate),
  );
  return generate([Math.floor(length / 2) + 1, bins], ([j = 0, i = 0]) => {
    const [low, centre, high] = [at(edges, i), at(edges, i + 1), at(edges, i + 2)];
    if (j >= centre && j < high) return (high - j) / (high - centre);
    if (j === centre && low === centre) return 1;
    return j >= low && j <= centre && low < centre ? (j - low) / (centre - low) : 0;
  });
}

export const generators: Kernels = {
  BlackmanWindow: window(0.42, -0.5, 0.08),
  EyeLike: (node, inputs) => {
    const k = intOf(node, 'k', 0);
    const x = need(inputs, 0);
    const eye = generate(x.dims, ([i = 0, j = 0]) => (j === i + k ? 1 : 0));
    return [typedBy(node, 'dtype', eye, x)];
  },
  HammingWindow: window(25 / 46, -21 / 46),
  HannWindow: window(0.5, -0.5),
  MelWeightMatrix: (node, inputs) => {
    const given = (i: number) => number(inputs, i);
    const weights = melWeights(given(0), given(1), given(2), given(3), given(4));
    return [typedBy(node, 'output_datatype', weights)];
  },
  Range: (_, inputs) => {
    const [start, limit, delta] = [number(inputs, 0), number(inputs, 1), number(inputs, 2)];
    const length = Math.max(Math.ceil((limit - start) / delta), 0);
    return [
      tensor(
        [length],
        Array.from({ length }, (__, i) => start + i * delta),
      ),
    ];
  },
};
