/** Gradients: picking and placing by index. */
import { intOf, stringOf } from '../../ir/attributes.js';
import type { gatherSchemas } from '../../ir/schema/gather.js';
import { elementCount } from '../../util/tensor.js';
import type { NodeContext } from './node-context.js';
import { frontAxis, type GradientRow, type GradientRule, range } from './rule.js';
import { scatterND, slicesOf } from './scatter.js';
import { addAt } from './selection.js';

/** The seed added where each element came from. */
const gatherElements: GradientRule = (c) => [
  addAt(c, c.dims(c.x()), c.x(1), c.dy, intOf(c.node, 'axis', 0)),
];

/** The slices of the seed added where they came from. */
const gatherND: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const slices = slicesOf(c, c.x(1), dims, intOf(c.node, 'batch_dims', 0));
  return [c.reshape(slices.put(c.zeros(dims, c.dy), c.dy, 'add'), dims)];
};

/** The seed at the chosen positions, which must be known, zeros elsewhere. */
const compress: GradientRule = (c) => {
  const chosen = c.builder.constantOf(c.x(1));
  if (chosen === undefined) throw c.refuse('its condition must be constant');
  const dims = c.dims(c.x());
  const listed = c.node.attributes.axis !== undefined;
  const from = listed ? dims : [elementCount(dims)];
  const axis = listed ? frontAxis(intOf(c.node, 'axis', 0), dims.length) : 0;
  const positions = Array.from(chosen, Number).flatMap((flag, i) => (flag === 0 ? [] : [i]));
  const column = from.map((_, i) => (i === axis ? positions.length : 1));
  const indices = c.expand(c.reshape(c.builder.ints(positions), column), c.dims(c.dy));
  return [c.reshape(addAt(c, from, indices, c.dy, axis), dims)];
};

/** Reversed once more. */
const reverseSequence: GradientRule = (c) => [
  c.op('ReverseSequence', [c.dy, c.x(1)], {
    batch_axis: intOf(c.node, 'batch_axis', 1),
    time_axis: intOf(c.node, 'time_axis', 0),
  }),
];

/** The seed of the values added where they came from, by the node's second output. */
const topK: GradientRule = (c) => {
  const indices = c.output(1) ?? `d.${c.node.name}.indices`;
  if (c.output(1) === undefined) {
    const name = `d.${c.node.name}.topk`;
    c.append({ ...c.node, name, outputs: [name, indices] });
  }
  return [addAt(c, c.dims(c.x()), indices, c.dy, intOf(c.node, 'axis', -1))];
};

/** The same triangle of the seed. */
const trilu: GradientRule = (c) => {
  const diagonal = c.hasInput(1) ? [c.x(1)] : [];
  return [c.op('Trilu', [c.dy, ...diagonal], { upper: intOf(c.node, 'upper', 1) })];
};

/** The cache with the update written over it at the computed positions of each batch. */
function tensorScatter(c: NodeContext): string[] {
  const [cache, update] = [c.x(0), c.x(1)];
  const dims = c.dims(update);
  const b = c.builder;
  const axis = frontAxis(intOf(c.node, 'axis', -2), dims.length);
  const shaped = (list: string, at: number) =>
    c.reshape(
      list,
      dims.map((size, i) => (i === at ? size : 1)),
    );
  let positions = shaped(b.ints(range(dims[axis] as number)), axis);
  if (c.hasInput(2)) positions = c.add(positions, shaped(c.x(2), 0));
  if (stringOf(c.node, 'mode', 'linear') === 'circular') {
    const length = b.scalar(c.dims(cache)[axis] as number, 'int64');
    const isInside = c.op('Less', [positions, length]);
    positions = c.where(isInside, positions, c.sub(positions, length));
  }
  return [c.op('ScatterElements', [cache, c.expand(positions, dims), update], { axis })];
}

export const gatherGradients: Readonly<Record<keyof typeof gatherSchemas, GradientRow>> = {
  Compress: compress,
  GatherElements: gatherElements,
  GatherND: gatherND,
  NonZero: { notDifferentiable: 'its result is a list of indices' },
  ReverseSequence: reverseSequence,
  Scatter: {
    expand: (c) => [
      c.op('ScatterElements', [...c.node.inputs], { axis: intOf(c.node, 'axis', 0) }),
    ],
  },
  ScatterND: scatterND,
  TensorScatter: { expand: tensorScatter },
  TopK: topK,
  Trilu: trilu,
  Unique: { notDifferentiable: 'how many elements its result has depends on their values' },
};
