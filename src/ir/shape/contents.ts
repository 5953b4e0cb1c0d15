/**
 * Rules for the contents of small integer tensors, row-major. Exporters compute the targets of
 * Reshape, Expand and Pad with them; without the contents, shapes behind would be unknown.
 */
import { elementCount } from '../../util/tensor.js';
import type { Dim, Shape } from '../graph.js';
import { isFixed, isSameDim } from './dims.js';
import type { Contents } from './shape.js';

/** Longest integer tensor whose contents are followed: sizes of the parts of long sequences, too. */
export const MAX_CONTENTS = 4096;

type Lists = readonly (Contents | undefined)[];

/** The one element of a list of length 1 for every position, else the element there. */
const at = (list: Contents, i: number): Dim => list[list.length === 1 ? 0 : i] ?? '?';

/**
 * Element by element. Lists have one length, or one element; a broadcast that crosses axes shows in
 * `shape`, the shape of the result, and gives nothing.
 */
export function combineContents(
  lists: Lists,
  shape: Shape | undefined,
  operate: (...operands: Dim[]) => Dim,
): Contents | undefined {
  if (lists.includes(undefined)) return undefined;
  const known = lists as readonly Contents[];
  const lengths = new Set(known.map(({ length }) => length).filter((length) => length !== 1));
  const length = [...lengths][0] ?? 1;
  const fits = shape?.every(isFixed) && elementCount(shape as readonly number[]) === length;
  if (!fits || lengths.size > 1) return undefined;
  return Array.from({ length }, (_, i) => operate(...known.map((list) => at(list, i))));
}

/** Where, element by element; a size that both sides share needs no condition. */
export function chooseDim(condition: Dim, x: Dim, y: Dim): Dim {
  if (isSameDim(x, y)) return x;
  return isFixed(condition) ? (condition === 0 ? y : x) : '?';
}

/** The elements at the given indices of each axis, in row-major order. */
export function pickContents(
  contents: Contents | undefined,
  shape: Shape,
  indices: readonly (readonly number[])[] | undefined,
): Contents | undefined {
  if (contents === undefined || indices === undefined || !shape.every(isFixed)) return undefined;
  const offsets = shape.reduce<number[]>(
    (bases, size, axis) =>
      bases.flatMap((base) => (indices[axis] ?? []).map((i) => base * Number(size) + i)),
    [0],
  );
  return offsets.map((offset) => contents[offset] ?? '?');
}

/** Contents of a transposed tensor. */
export function transposeContents(
  contents: Contents | undefined,
  shape: Shape,
  order: readonly number[],
): Contents | undefined {
  if (contents === undefined || !shape.every(isFixed)) return undefined;
  const strides = shape.map((_, i) => elementCount(shape.slice(i + 1) as readonly number[]));
  const offsets = order.reduce<number[]>(
    (bases, axis) =>
      bases.flatMap((base) =>
        Array.from({ length: Number(shape[axis]) }, (_, i) => base + i * Number(strides[axis])),
      ),
    [0],
  );
  return offsets.map((offset) => contents[offset] ?? '?');
}

/** `value` repeated to fill `shape`; nothing where that is not known or too long to follow. */
export function fillContents(value: Dim | undefined, shape: Shape | undefined) {
  if (value === undefined || !shape?.every(isFixed)) return undefined;
  const length = elementCount(shape as readonly number[]);
  return length <= MAX_CONTENTS ? new Array<Dim>(length).fill(value) : undefined;
}
