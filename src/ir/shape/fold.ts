/** Further operators with sliding windows: folding columns, undoing a pooling, deformable windows. */
import { intOf, intsOf } from '../attributes.js';
import type { Dim } from '../graph.js';
import { axesOf, slide, spread } from './convolution.js';
import { divideDims, formatShape, isFixed } from './dims.js';
import {
  commonType,
  fail,
  hasInput,
  numbersOf,
  type ShapeRule,
  single,
  unknownDims,
} from './shape.js';

/** Col2Im: x [N,C·∏block,L], the image's and the block's sizes in inputs 1 and 2 → [N,C,…image]. */
export const col2im: ShapeRule = (context) => {
  const { node, inputs, contents } = context;
  const [x, size] = inputs;
  if (x?.shape !== undefined && x.shape.length !== 3) {
    fail(node, `expected columns [N,C,L], received ${formatShape(x.shape)}`);
  }
  const [n, columns] = x?.shape ?? ['?', '?'];
  const block = numbersOf(contents[2]);
  const taps = block?.reduce((a, b) => a * b, 1) ?? '?';
  if (isFixed(columns) && isFixed(taps) && columns % taps !== 0) {
    fail(node, `expected columns divisible by ${taps}, received ${formatShape(x?.shape)}`);
  }
  const rank = contents[1]?.length ?? size?.shape?.[0];
  if (!isFixed(rank)) return single(x?.dtype, undefined);
  const image = contents[1] ?? unknownDims(rank);
  return single(x?.dtype, [n as Dim, divideDims(columns as Dim, taps), ...image]);
};

/** MaxUnpool: the sizes that the pooling had before it, or those of input 2. */
export const maxUnpool: ShapeRule = ({ node, inputs: [x, , stated], contents }) => {
  const shape = x?.shape;
  if (hasInput(node, 2)) {
    const rank = shape?.length ?? stated?.shape?.[0];
    return single(x?.dtype, contents[2] ?? (isFixed(rank) ? unknownDims(rank) : undefined));
  }
  const kernel = intsOf(node, 'kernel_shape');
  if (kernel === undefined) fail(node, 'expected attribute kernel_shape, received none');
  if (shape === undefined) return single(x?.dtype, undefined);
  if (shape.length !== kernel.length + 2) {
    fail(
      node,
      `expected ${shape.length - 2} sizes in kernel_shape, received ${formatShape(kernel)}`,
    );
  }
  const axes = axesOf(node, kernel);
  const spatial = axes.map((axis, i) => spread(node, shape[i + 2] as Dim, axis, 0));
  return single(x?.dtype, [...shape.slice(0, 2), ...spatial]);
};

/** DeformConv: x [N,C,…], w [M,C/group,…], offset [N,groups·∏kernel·rank,…out] → [N,M,…out]. */
export const deformConv: ShapeRule = (context) => {
  const { node, inputs } = context;
  const dtype = commonType(context, [0, 1, 2, 3, 4]);
  const [x, w, offset] = inputs.map((input) => input?.shape);
  if (x === undefined || w === undefined) return single(dtype, undefined);
  if (w.length !== x.length) {
    fail(node, `expected a weight of rank ${x.length}, received ${formatShape(w)}`);
  }
  const kernel = w.slice(2);
  const axes = axesOf(node, kernel);
  const out = axes.map((axis, i): Dim => {
    const size = slide(node, x[i + 2] as Dim, axis, false);
    return isFixed(size) ? size : (offset?.[i + 2] ?? '?');
  });
  const groups = intOf(node, 'offset_group', 1);
  const taps = kernel.every(isFixed)
    ? kernel.reduce<number>((a, b) => a * Number(b), 1)
    : undefined;
  const expected = taps && groups * taps * kernel.length;
  const received = offset?.[1];
  if (expected !== undefined && isFixed(received) && received !== expected) {
    fail(node, `expected ${expected} channels of offsets, received ${received}`);
  }
  return single(dtype, [x[0] as Dim, w[0] as Dim, ...out]);
};
