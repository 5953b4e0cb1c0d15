/** Shape rules: picking and placing by index. */
import { intOf } from '../attributes.js';
import type { Dim, Shape } from '../graph.js';
import type { gatherSchemas } from '../schema/gather.js';
import { formatShape, isFixed, productOf, unifyDims } from './dims.js';
import { scatterElements } from './indexing.js';
import {
  fail,
  frontAxis,
  hasInput,
  numbersOf,
  type ShapeRule,
  single,
  typeFrom,
  unknownDims,
} from './shape.js';

/** GatherElements: the type of data, the shape of indices. */
const gatherElements: ShapeRule = ({ node, inputs: [data, indices], contents }) => {
  const [a, b] = [data?.shape, indices?.shape];
  if (a !== undefined && b !== undefined && a.length !== b.length) {
    fail(
      node,
      `expected indices of rank ${a.length} as ${formatShape(a)}, received ${formatShape(b)}`,
    );
  }
  if (a !== undefined) frontAxis(node, intOf(node, 'axis', 0), a.length);
  const picks = a?.length === 1 ? numbersOf(contents[1]) : undefined;
  const picked = contents[0] && picks?.map((pick) => contents[0]?.at(pick) ?? '?');
  return single(data?.dtype, b, picked);
};

/** GatherND: batch axes, the other axes of indices but the last, the axes of data behind the index. */
const gatherND: ShapeRule = ({ node, inputs: [data, indices] }) => {
  const [a, b] = [data?.shape, indices?.shape];
  const depth = b?.at(-1);
  if (a === undefined || b === undefined || !isFixed(depth)) return single(data?.dtype, undefined);
  const batch = intOf(node, 'batch_dims', 0);
  if (batch < 0 || batch >= Math.min(a.length, b.length) || depth < 1 || batch + depth > a.length) {
    fail(
      node,
      `expected 1 to ${a.length - batch} indices behind ${batch} batch axes, received data ${formatShape(a)} and indices ${formatShape(b)}`,
    );
  }
  const batches = a.slice(0, batch).map((dim, i): Dim => {
    const problem = `expected the same batch axes, received ${formatShape(a)} and ${formatShape(b)}`;
    return unifyDims(dim, b[i] as Dim) ?? fail(node, problem);
  });
  return single(data?.dtype, [...batches, ...b.slice(batch, -1), ...a.slice(batch + depth)]);
};

/** ScatterND: like data; updates hold one slice of data per index. */
const scatterND: ShapeRule = ({ node, inputs: [data, indices, updates] }) => {
  const [a, b, u] = [data?.shape, indices?.shape, updates?.shape];
  const depth = b?.at(-1);
  if (a !== undefined && b !== undefined && u !== undefined && isFixed(depth)) {
    const expected = [...b.slice(0, -1), ...a.slice(depth)];
    const agrees =
      depth <= a.length &&
      expected.length === u.length &&
      expected.every((dim, i) => unifyDims(dim, u[i] as Dim) !== undefined);
    if (!agrees) {
      fail(node, `expected updates of ${formatShape(expected)}, received ${formatShape(u)}`);
    }
  }
  return single(data?.dtype, a);
};

/** TensorScatter: like the cache, into which the update must fit. */
const tensorScatter: ShapeRule = ({ node, inputs: [cache, update] }) => {
  const [a, b] = [cache?.shape, update?.shape];
  if (a !== undefined && b !== undefined) {
    const axis = frontAxis(node, intOf(node, 'axis', -2), a.length);
    const fits =
      axis > 0 &&
      a.length === b.length &&
      a.every((dim, i) => {
        const other = b[i] as Dim;
        if (!isFixed(dim) || !isFixed(other)) return true;
        return i === axis ? other <= dim : other === dim;
      });
    if (!fits) {
      fail(
        node,
        `expected an update within ${formatShape(a)} along axis ${axis}, received ${formatShape(b)}`,
      );
    }
  }
  return single(cache?.dtype, a);
};

/** Compress: as many as the condition names; a list where no axis is given. */
const compress: ShapeRule = ({ node, inputs: [x, condition], constants: [, chosen] }) => {
  const listed = node.attributes.axis !== undefined;
  if (x?.shape === undefined && listed) return single(x?.dtype, undefined);
  if (condition?.shape !== undefined && condition.shape.length !== 1) {
    fail(node, `expected a condition of rank 1, received ${formatShape(condition.shape)}`);
  }
  const shape = x?.shape ?? ['?'];
  const axis = listed ? frontAxis(node, intOf(node, 'axis', 0), shape.length) : 0;
  const size = listed ? (shape[axis] as Dim) : productOf(shape);
  let count: Dim = '?';
  if (chosen !== undefined) {
    const last = chosen.length - 1 - [...chosen].reverse().findIndex((c) => Number(c) !== 0);
    count = Array.from(chosen, Number).filter((c) => c !== 0).length;
    if (count > 0 && isFixed(size) && last >= size) {
      fail(node, `expected a condition on ${size} elements, received one true at ${last}`);
    }
  }
  return single(x?.dtype, listed ? shape.with(axis, count) : [count]);
};

/** ReverseSequence: like x. */
const reverseSequence: ShapeRule = ({ node, inputs: [x] }) => {
  if (x?.shape !== undefined && x.shape.length < 2) {
    fail(node, `expected an input of rank 2 or more, received ${formatShape(x.shape)}`);
  }
  return single(x?.dtype, x?.shape);
};

/** TopK: k along the axis; k is an input from opset 10 on. */
const topK: ShapeRule = ({ node, inputs: [x], contents: [, asked] }) => {
  if (x?.shape === undefined) return { types: [x, typeFrom('int64', undefined)] };
  const axis = frontAxis(node, intOf(node, 'axis', -1), x.shape.length);
  const k: Dim = hasInput(node, 1) ? (asked?.[0] ?? '?') : intOf(node, 'k', 0);
  const size = x.shape[axis] as Dim;
  if (isFixed(k) && isFixed(size) && k > size) {
    fail(node, `expected k up to ${size}, received ${k} for ${formatShape(x.shape)}`);
  }
  const shape = x.shape.with(axis, k);
  return { types: [typeFrom(x.dtype, shape), typeFrom('int64', shape)] };
};

/** Trilu: like x, which holds matrices. */
const trilu: ShapeRule = ({ node, inputs: [x] }) => {
  if (x?.shape !== undefined && x.shape.length < 2) {
    fail(node, `expected matrices, received ${formatShape(x.shape)}`);
  }
  return single(x?.dtype, x?.shape);
};

/** Unique: how many there are depends on the data; so does the length of three lists of indices. */
const unique: ShapeRule = ({ node, inputs: [x] }) => {
  const along = node.attributes.axis === undefined ? undefined : intOf(node, 'axis', 0);
  let shape: Shape | undefined = ['?'];
  let inverse: Dim = x?.shape === undefined ? '?' : productOf(x.shape);
  if (along !== undefined) {
    const axis = x?.shape && frontAxis(node, along, x.shape.length);
    shape = axis === undefined ? undefined : x?.shape?.with(axis, '?');
    inverse = (axis === undefined ? undefined : x?.shape?.[axis]) ?? '?';
  }
  return {
    types: [
      typeFrom(x?.dtype, shape),
      typeFrom('int64', ['?']),
      typeFrom('int64', [inverse]),
      typeFrom('int64', ['?']),
    ],
  };
};

/** NonZero: one row of indices per axis. */
const nonZero: ShapeRule = ({ inputs: [x] }) =>
  single('int64', x?.shape === undefined ? unknownDims(2) : [x.shape.length, '?']);

export const gatherShapes: Readonly<Record<keyof typeof gatherSchemas, ShapeRule>> = {
  Compress: compress,
  GatherElements: gatherElements,
  GatherND: gatherND,
  NonZero: nonZero,
  ReverseSequence: reverseSequence,
  Scatter: scatterElements,
  ScatterND: scatterND,
  TensorScatter: tensorScatter,
  TopK: topK,
  Trilu: trilu,
  Unique: unique,
};
