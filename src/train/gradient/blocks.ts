/** Operators that move blocks of images: between space and depth, cropped, unpooled, folded. */
import { intOf, intsOf, stringOf } from '../../ir/attributes.js';
import { elementCount } from '../../util/tensor.js';
import type { Expansion } from './rule.js';
import { frontAxis, type GradientRule, range } from './rule.js';

/** The opposite move. */
export const depthToSpace: GradientRule = (c) => {
  const blocksize = intOf(c.node, 'blocksize', 1);
  if (stringOf(c.node, 'mode', 'DCR') === 'DCR')
    return [c.op('SpaceToDepth', [c.dy], { blocksize })];
  const [n, channels, height, width] = c.dims(c.dy) as [number, number, number, number];
  const [rows, columns] = [height / blocksize, width / blocksize];
  const blocks = c.reshape(c.dy, [n, channels, rows, blocksize, columns, blocksize]);
  return [c.reshape(c.transpose(blocks, [0, 1, 3, 5, 2, 4]), c.dims(c.x()))];
};

/** The opposite move. */
export const spaceToDepth: GradientRule = (c) => [
  c.op('DepthToSpace', [c.dy], { blocksize: intOf(c.node, 'blocksize', 1), mode: 'DCR' }),
];

/** CenterCropPad is a Pad, negative where it crops; of an odd difference, more is at the end. */
export const centerCropPad: Expansion = {
  expand: (c) => {
    const dims = c.dims(c.x());
    const pads = new Array<number>(2 * dims.length).fill(0);
    const axes = intsOf(c.node, 'axes') ?? range(dims.length);
    const sizes = c.ints('shape', 1) ?? [];
    axes.forEach((listed, i) => {
      const axis = frontAxis(listed, dims.length);
      const more = (sizes[i] as number) - (dims[axis] as number);
      pads[axis] = Math.trunc(more / 2);
      pads[axis + dims.length] = more - Math.trunc(more / 2);
    });
    return [c.pad(c.x(), pads)];
  },
};

/** MaxUnpool: zeros of the size before the pooling, the values put in; zeros at the end if larger. */
export const maxUnpool: Expansion = {
  expand: (c) => {
    const [n, channels, ...small] = c.dims(c.x()) as [number, number, ...number[]];
    const kernel = intsOf(c.node, 'kernel_shape') ?? [];
    const strides = intsOf(c.node, 'strides') ?? kernel.map(() => 1);
    const pads = intsOf(c.node, 'pads') ?? [];
    const large = small.map((size, i) => {
      const border = (pads[i] ?? 0) + (pads[i + kernel.length] ?? 0);
      return (size - 1) * (strides[i] as number) - border + (kernel[i] as number);
    });
    const dims = [n, channels, ...large];
    const count = elementCount(c.dims(c.x()));
    const zeros = c.zeros([elementCount(dims)], c.x());
    const flat = [c.x(1), c.x(0)].map((value) => c.reshape(value, [count])) as [string, string];
    const filled = c.reshape(c.op('ScatterElements', [zeros, ...flat], { axis: 0 }), dims);
    if (!c.hasInput(2)) return [filled];
    const stated = c.ints('output_shape', 2) ?? dims;
    return [
      c.pad(filled, [...dims.map(() => 0), ...stated.map((s, i) => s - (dims[i] as number))]),
    ];
  },
};

/** Col2Im adds columns into an image; each column takes back what the image has at its places. */
export const col2im: GradientRule = (c) => {
  const [n, channels, ...image] = c.dims(c.dy) as [number, number, ...number[]];
  const rank = image.length;
  const block = c.ints('block_shape', 2) ?? [];
  const strides = intsOf(c.node, 'strides') ?? block.map(() => 1);
  const dilations = intsOf(c.node, 'dilations') ?? block.map(() => 1);
  const pads = intsOf(c.node, 'pads') ?? new Array<number>(2 * rank).fill(0);
  const sides = [pads.slice(0, rank), pads.slice(rank)] as const;
  const padded = c.pad(c.dy, [0, 0, ...sides[0], 0, 0, ...sides[1]]);
  const full = c.dims(padded).slice(2);
  // Flat places in the padded image, by tap and then by position.
  const places = (counts: readonly number[], steps: readonly number[]) =>
    counts.reduce<number[]>(
      (flat, count, i) =>
        flat.flatMap((base) =>
          range(count).map(
            (k) => base + k * (steps[i] as number) * elementCount(full.slice(i + 1)),
          ),
        ),
      [0],
    );
  const positions = full.map((size, i) => {
    const extent = ((block[i] as number) - 1) * (dilations[i] as number) + 1;
    return Math.floor((size - extent) / (strides[i] as number)) + 1;
  });
  const starts = places(positions, strides);
  const indices = places(block, dilations).flatMap((tap) => starts.map((start) => tap + start));
  const flat = c.reshape(padded, [n, channels, elementCount(full)]);
  const columns = c.op('Gather', [flat, c.builder.ints(indices)], { axis: 2 });
  return [c.reshape(columns, c.dims(c.x()))];
};
