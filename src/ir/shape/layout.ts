/** Operators that rearrange: reshape, transpose, squeeze, concatenate, split, expand, tile. */
import { intOf, intsOf } from '../attributes.js';
import type { Dim, Shape } from '../graph.js';
import { fillContents, transposeContents } from './contents.js';
import {
  addDims,
  broadcastShapes,
  formatShape,
  isFixed,
  isSameDim,
  multiplyDims,
  productOf,
  unifyDims,
} from './dims.js';
import {
  type Contents,
  commonType,
  fail,
  frontAxis,
  hasInput,
  type InferContext,
  lengthOf,
  numbersOf,
  type ShapeRule,
  single,
  typeFrom,
  unknownDims,
} from './shape.js';

/** Reshape: 0 copies the size (unless `allowzero`), one -1 takes what is left. */
export const reshape: ShapeRule = (context) => {
  const { node, inputs, contents } = context;
  const [x] = inputs;
  const target = contents[1];
  if (target === undefined) {
    const rank = lengthOf(context, 1);
    return single(x?.dtype, rank === undefined ? undefined : unknownDims(rank));
  }
  const copies = intOf(node, 'allowzero', 0) === 0;
  const dims = target.map((dim, i) => (dim === 0 && copies ? (x?.shape?.[i] ?? '?') : dim));
  const holes = dims.flatMap((dim, i) => (dim === -1 ? [i] : []));
  if (holes.length > 1) fail(node, `expected at most one -1, received ${formatShape(target)}`);
  // A single unknown size follows from the number of elements, like a -1.
  const unknown = dims.flatMap((dim, i) => (dim === '?' ? [i] : []));
  const hole = holes[0] ?? (unknown.length === 1 ? unknown[0] : undefined);
  if (hole !== undefined) {
    dims[hole] = remainingSize(context, dims.toSpliced(hole, 1));
  } else if (x?.shape !== undefined) {
    const [from, to] = [productOf(x.shape), productOf(dims)];
    if (isFixed(from) && isFixed(to) && from !== to) {
      fail(
        node,
        `expected ${from} elements as in ${formatShape(x.shape)}, received ${formatShape(target)}`,
      );
    }
  }
  return single(x?.dtype, dims, contents[0]);
};

/** Elements of the first input divided by the product of `others`; equal names cancel. */
function remainingSize({ node, inputs }: InferContext, others: readonly Dim[]): Dim {
  const shape = inputs[0]?.shape;
  if (shape === undefined) return '?';
  const divisors = [...others];
  const left = shape.filter((dim) => {
    const match = divisors.findIndex((other) => isSameDim(dim, other));
    if (match >= 0 && !isFixed(dim)) divisors.splice(match, 1);
    return match < 0 || isFixed(dim);
  });
  const [total, divisor] = [left, divisors].map((dims) => productOf(dims.filter(isFixed)));
  const [names, unmatched] = [left, divisors].map((dims) => dims.filter((d) => !isFixed(d)));
  if (!isFixed(total) || !isFixed(divisor) || unmatched?.length !== 0 || divisor === 0) return '?';
  if (names?.length === 0) {
    if (total % divisor === 0) return total / divisor;
    fail(node, `expected sizes that divide ${formatShape(shape)}, received [${others},-1]`);
  }
  return names?.length === 1 && total === divisor ? (names[0] as Dim) : '?';
}

/** Flatten: [product before axis, product from axis]. */
export const flatten: ShapeRule = ({ node, inputs: [x] }) => {
  if (x?.shape === undefined) return single(x?.dtype, x && ['?', '?']);
  const rank = x.shape.length;
  const axis = intOf(node, 'axis', 1);
  if (axis < -rank || axis > rank) {
    fail(node, `expected an axis from ${-rank} to ${rank}, received ${axis}`);
  }
  const split = axis < 0 ? axis + rank : axis;
  return single(x.dtype, [productOf(x.shape.slice(0, split)), productOf(x.shape.slice(split))]);
};

/** Transpose: y.shape[i] = x.shape[perm[i]]; reversed without perm. */
export const transpose: ShapeRule = ({ node, inputs: [x], contents: [values] }) => {
  const perm = intsOf(node, 'perm');
  if (x?.shape === undefined) return single(x?.dtype, perm && unknownDims(perm.length));
  const { shape } = x;
  const order = perm ?? shape.map((_, i) => shape.length - 1 - i);
  const isPermutation = order.length === shape.length && shape.every((_, i) => order.includes(i));
  if (!isPermutation) {
    fail(node, `expected perm of the axes of ${formatShape(shape)}, received [${order}]`);
  }
  const dims = order.map((i) => shape[i] as Dim);
  return single(x.dtype, dims, transposeContents(values, shape, order));
};

/** Axes in the attribute (old operator sets) or in input 1; null where they are not known. */
function axesOf({ node, contents }: InferContext): readonly number[] | undefined | null {
  return hasInput(node, 1) ? (numbersOf(contents[1]) ?? null) : intsOf(node, 'axes');
}

/** Squeeze: removes axes of size 1, all of them when none are named. */
export const squeeze: ShapeRule = (context) => {
  const { node, inputs, contents } = context;
  const [x] = inputs;
  const axes = axesOf(context);
  if (x?.shape === undefined) return single(x?.dtype, undefined);
  const { shape } = x;
  if (axes === undefined) {
    const known = shape.every(isFixed);
    return single(x.dtype, known ? shape.filter((dim) => dim !== 1) : undefined, contents[0]);
  }
  if (axes === null) {
    const count = lengthOf(context, 1);
    return single(x.dtype, count === undefined ? undefined : unknownDims(shape.length - count));
  }
  const gone = new Set(axes.map((axis) => frontAxis(node, axis, shape.length)));
  for (const axis of gone) {
    const dim = shape[axis] as Dim;
    if (isFixed(dim) && dim !== 1) {
      fail(node, `expected size 1 at axis ${axis}, received ${dim} in ${formatShape(shape)}`);
    }
  }
  return single(
    x.dtype,
    shape.filter((_, i) => !gone.has(i)),
    contents[0],
  );
};

/** Unsqueeze: axes of size 1, numbered as in the output. */
export const unsqueeze: ShapeRule = (context) => {
  const { node, inputs, contents } = context;
  const [x] = inputs;
  const axes = axesOf(context);
  if (axes === undefined) fail(node, 'expected axes, received none');
  if (x?.shape === undefined) return single(x?.dtype, undefined);
  if (axes === null) {
    const count = lengthOf(context, 1);
    return single(x.dtype, count === undefined ? undefined : unknownDims(x.shape.length + count));
  }
  const rank = x.shape.length + axes.length;
  const fresh = new Set(axes.map((axis) => frontAxis(node, axis, rank)));
  if (fresh.size !== axes.length) fail(node, `expected each axis once, received [${axes}]`);
  const rest = x.shape.values();
  const shape = Array.from({ length: rank }, (_, i) =>
    fresh.has(i) ? 1 : (rest.next().value as Dim),
  );
  return single(x.dtype, shape, contents[0]);
};

/** Concat: sizes add up along the axis and agree elsewhere. */
export const concat: ShapeRule = (context) => {
  const { node, inputs, contents } = context;
  const dtype = commonType(
    context,
    inputs.map((_, i) => i),
  );
  if (node.attributes.axis === undefined) fail(node, 'expected attribute axis, received none');
  const shapes = inputs.map((x) => x?.shape);
  if (shapes.includes(undefined)) return single(dtype, undefined);
  const [first, ...others] = shapes as Shape[] as [Shape, ...Shape[]];
  const axis = frontAxis(node, intOf(node, 'axis', 0), first.length);
  const shape = others.reduce(
    (sum, next): Shape =>
      sum.map((dim, i) => {
        const other = next[i];
        const result =
          other === undefined || next.length !== sum.length
            ? undefined
            : i === axis
              ? addDims(dim, other)
              : unifyDims(dim, other);
        if (result === undefined) {
          fail(
            node,
            `expected shapes that agree except at axis ${axis}, received ${shapes.map(formatShape).join(' and ')}`,
          );
        }
        return result;
      }),
    first,
  );
  const lists = contents.includes(undefined) ? undefined : (contents as readonly Contents[]);
  return single(dtype, shape, axis === 0 ? lists?.flat() : undefined);
};

/** Split: sizes from the attribute or input 1, else equal parts (the last may be smaller). */
export const split: ShapeRule = (context) => {
  const { node, inputs, contents } = context;
  const [x] = inputs;
  const count = node.outputs.length;
  if (x?.shape === undefined) return { types: node.outputs.map(() => x && { dtype: x.dtype }) };
  const { shape } = x;
  const axis = frontAxis(node, intOf(node, 'axis', 0), shape.length);
  const size = shape[axis] as Dim;
  const given = hasInput(node, 1) ? contents[1] : intsOf(node, 'split');
  const sizes = given ?? (hasInput(node, 1) ? unknownDims(count) : equalParts(size, count));
  const total = productOf(sizes.every(isFixed) ? [sizes.reduce((a, b) => a + b, 0)] : ['?']);
  const agrees = !isFixed(total) || !isFixed(size) || total === size;
  if (sizes.length !== count || !agrees) {
    fail(
      node,
      `expected ${count} sizes that add up to ${size}, received [${sizes}] for ${formatShape(shape)}`,
    );
  }
  return { types: sizes.map((part) => typeFrom(x.dtype, shape.with(axis, part))) };
};

function equalParts(size: Dim, count: number): Dim[] {
  if (count === 1) return [size];
  if (!isFixed(size)) return unknownDims(count);
  const part = Math.ceil(size / count);
  return Array.from({ length: count }, (_, i) => (i < count - 1 ? part : size - part * i));
}

/** Expand: multidirectional broadcast with the shape in input 1. */
export const expand: ShapeRule = (context) => {
  const { node, inputs, contents } = context;
  const [x] = inputs;
  const target = contents[1];
  if (x?.shape === undefined || target === undefined) {
    const length = lengthOf(context, 1);
    const known = x?.shape !== undefined && length !== undefined;
    return single(x?.dtype, known ? unknownDims(Math.max(x.shape.length, length)) : undefined);
  }
  const shape = broadcastShapes(node, [x.shape, target]);
  const value = contents[0]?.length === 1 ? contents[0][0] : undefined;
  return single(x.dtype, shape, fillContents(value, shape));
};

/** Tile: each size times its repeats. */
export const tile: ShapeRule = ({ node, inputs: [x], contents: [, repeats] }) => {
  if (x?.shape === undefined) return single(x?.dtype, repeats && unknownDims(repeats.length));
  if (repeats === undefined) return single(x.dtype, unknownDims(x.shape.length));
  if (repeats.length !== x.shape.length) {
    fail(node, `expected ${x.shape.length} repeats, received [${repeats}]`);
  }
  return single(
    x.dtype,
    x.shape.map((dim, i) => multiplyDims(dim, repeats[i] as Dim)),
  );
};
