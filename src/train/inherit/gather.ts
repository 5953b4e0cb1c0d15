/** A weight of the child, element by element from one of its parent. */
import type { Initializer } from '../../ir/graph.js';
import type { Rng } from '../../util/random.js';
import { elementCount } from '../../util/tensor.js';
import { NONE } from './mapping.js';

/** Entry of an axis map for taps that a larger kernel has around the parent's. */
export const ZERO = -2;

/** How one axis of a weight is taken over. */
export interface AxisMap {
  /** Entry of the child → entry of the parent, `NONE` (keeps what was drawn) or `ZERO`. */
  readonly from: Int32Array;
  readonly parentLength: number;
}

export interface Gathered {
  readonly data: Float32Array;
  /** Elements that came from the parent. */
  readonly taken: number;
  /** Axes grew by repetition, or shares of repeated inputs were taken. */
  readonly isWidened: boolean;
  readonly isEmbedded: boolean;
  /** Whether the layer computes what the parent's did, given that its inputs are repeated likewise. */
  readonly isExact: boolean;
}

/**
 * Takes over a weight.
 * @param summed the axis that the layer sums over: where it reads a channel of the parent more than
 *   once, each reading gets a share of the parent's weight. Shares are drawn between a half and one
 *   and a half of an even share, differently for each output, so that repeated units learn different
 *   things although nothing has changed yet (equal units would stay equal for ever).
 */
export function gatherWeight(
  child: Initializer,
  parent: Initializer,
  axes: readonly AxisMap[],
  summed: number | undefined,
  rng: Rng,
): Gathered {
  const data = new Float32Array(child.data as Float32Array);
  const source = parent.data as Float32Array;
  const shares = summed === undefined ? undefined : drawShares(child.dims, axes, summed, rng);
  const strides = parent.dims.map((_, axis) => elementCount(parent.dims.slice(axis + 1)));
  const index = child.dims.map(() => 0);
  let taken = 0;
  for (let at = 0; at < data.length; at++) {
    let from = 0;
    for (let axis = 0; axis < axes.length && from >= 0; axis++) {
      const entry = (axes[axis] as AxisMap).from[index[axis] as number] as number;
      from = entry < 0 ? entry : from + entry * (strides[axis] as number);
    }
    if (from === ZERO) data[at] = 0;
    else if (from !== NONE) {
      data[at] = (source[from] as number) * (shares?.(index) ?? 1);
      taken++;
    }
    for (let axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (child.dims[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return {
    data,
    taken,
    isWidened: shares !== undefined || axes.some(repeats),
    isEmbedded: axes.some(({ from }) => from.includes(ZERO)),
    isExact: axes.every((axis, i) => !axis.from.includes(NONE) && (i !== summed || covers(axis))),
  };
}

/** Whether an axis takes nothing from the parent but itself. */
export function isIdentity({ from, parentLength }: AxisMap): boolean {
  return from.length === parentLength && from.every((entry, i) => entry === i);
}

/** Whether every entry of the parent is continued. */
export function covers({ from, parentLength }: AxisMap): boolean {
  return new Set(from.filter((entry) => entry >= 0)).size === parentLength;
}

function repeats({ from }: AxisMap): boolean {
  const entries = from.filter((entry) => entry >= 0);
  return new Set(entries).size < entries.length;
}

function drawShares(
  dims: readonly number[],
  axes: readonly AxisMap[],
  summed: number,
  rng: Rng,
): ((index: readonly number[]) => number) | undefined {
  const axis = axes[summed] as AxisMap;
  if (!repeats(axis)) return undefined;
  const out = summed === 0 ? 1 : 0;
  const length = dims[summed] as number;
  const shares = new Float64Array((dims[out] as number) * length);
  for (let row = 0; row < shares.length; row += length) {
    const sums = new Float64Array(axis.parentLength);
    for (let i = 0; i < length; i++) {
      const from = axis.from[i] as number;
      const share = rng.range(0.5, 1.5);
      shares[row + i] = share;
      if (from >= 0) sums[from] = (sums[from] as number) + share;
    }
    for (let i = 0; i < length; i++) {
      const from = axis.from[i] as number;
      if (from >= 0) shares[row + i] = (shares[row + i] as number) / (sums[from] as number);
    }
  }
  return (index) => shares[(index[out] as number) * length + (index[summed] as number)] as number;
}
