/** Shape rules: recurrent layers. X is [T, N, I], or [N, T, I] with layout 1. */
import { intOf, stringOf } from '../attributes.js';
import type { Dim, Shape } from '../graph.js';
import type { recurrentSchemas } from '../schema/recurrent.js';
import { formatShape, isFixed, unifyDims } from './dims.js';
import {
  commonType,
  fail,
  hasInput,
  type InferContext,
  type ShapeRule,
  typeFrom,
} from './shape.js';

/** Directions of the layer: one, or both. */
const directions: Readonly<Record<string, number>> = { forward: 1, reverse: 1, bidirectional: 2 };

/** A layer with so many gates: its weights have `gates`·H rows. */
const recurrent =
  (gates: number): ShapeRule =>
  (context) => {
    const { node, inputs } = context;
    const [x, w, r] = inputs;
    const floats = node.inputs.flatMap((_, i) => (i === 4 ? [] : [i]));
    const dtype = commonType(context, floats);
    const direction = stringOf(node, 'direction', 'forward');
    const count = directions[direction.toLowerCase()];
    if (count === undefined) {
      fail(node, `expected forward, reverse or bidirectional, received ${direction}`);
    }
    for (const i of [0, 1, 2]) requireRank(context, i, 3);
    const size = intOf(node, 'hidden_size', 0);
    const rows = w?.shape?.[1];
    const divided: Dim = isFixed(rows) ? rows / gates : '?';
    let hidden: Dim = size === 0 ? '?' : size;
    for (const known of [divided, r?.shape?.[2] ?? '?']) {
      const both = unifyDims(hidden, known);
      if (both === undefined || (isFixed(both) && !Number.isInteger(both))) {
        fail(node, `expected weights for ${hidden} hidden units, received ${known}`);
      }
      hidden = both;
    }
    requireSizes(context, 1, [count, multiple(gates, hidden), x?.shape?.[2] ?? '?']);
    requireSizes(context, 2, [count, multiple(gates, hidden), hidden]);
    requireSizes(context, 3, [count, multiple(2 * gates, hidden)]);
    requireSizes(context, 7, [count, multiple(3, hidden)]);
    const batchFirst = intOf(node, 'layout', 0) === 1;
    const [outer = '?', inner = '?'] = x?.shape ?? [];
    const [length, batch] = batchFirst ? [inner, outer] : [outer, inner];
    const last: Shape = batchFirst ? [batch, count, hidden] : [count, batch, hidden];
    for (const i of [5, 6]) requireSizes(context, i, last);
    const all: Shape = batchFirst ? [batch, length, count, hidden] : [length, count, batch, hidden];
    return { types: [all, last, last].map((shape) => typeFrom(dtype, shape)) };
  };

export const recurrentShapes: Readonly<Record<keyof typeof recurrentSchemas, ShapeRule>> = {
  GRU: recurrent(3),
  LSTM: recurrent(4),
  RNN: recurrent(1),
};

const multiple = (factor: number, dim: Dim): Dim => (isFixed(dim) ? factor * dim : '?');

function requireRank({ node, inputs }: InferContext, i: number, rank: number): void {
  const shape = inputs[i]?.shape;
  if (shape === undefined || shape.length === rank) return;
  fail(node, `expected input ${i} of rank ${rank}, received ${formatShape(shape)}`);
}

function requireSizes(context: InferContext, i: number, expected: Shape): void {
  const shape = context.inputs[i]?.shape;
  if (!hasInput(context.node, i) || shape === undefined) return;
  const fits =
    shape.length === expected.length &&
    shape.every((dim, axis) => unifyDims(dim, expected[axis] ?? '?') !== undefined);
  if (fits) return;
  const sizes = `expected input ${i} as ${formatShape(expected)}`;
  fail(context.node, `${sizes}, received ${formatShape(shape)}`);
}
