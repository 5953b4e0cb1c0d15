/** Shape rules: further products, transforms and determinants. */
import { intOf, stringOf } from '../attributes.js';
import { parseEinsum } from '../einsum.js';
import type { Dim } from '../graph.js';
import type { algebraSchemas } from '../schema/algebra.js';
import { formatShape, isFixed, unifyDims } from './dims.js';
import {
  commonType,
  fail,
  frontAxis,
  hasInput,
  type InferContext,
  numbersOf,
  type ShapeRule,
  single,
  unknownDims,
} from './shape.js';

/** Det: […,M,M] to […]. */
const det: ShapeRule = ({ node, inputs: [x] }) => {
  const shape = x?.shape;
  if (shape === undefined) return single(x?.dtype, undefined);
  const [rows, columns] = shape.slice(-2);
  if (shape.length < 2 || unifyDims(rows as Dim, columns as Dim) === undefined) {
    fail(node, `expected square matrices […,M,M], received ${formatShape(shape)}`);
  }
  return single(x?.dtype, shape.slice(0, -2));
};

/** Einsum: the size of each output label; a size of 1 is stretched. */
const einsum: ShapeRule = (context) => {
  const { node, inputs } = context;
  const dtype = commonType(
    context,
    inputs.map((_, i) => i),
  );
  const shapes = inputs.map((input) => input?.shape);
  if (shapes.includes(undefined)) return single(dtype, undefined);
  const labels = parseEinsum(
    stringOf(node, 'equation', ''),
    shapes.map((shape) => shape?.length ?? 0),
  );
  if (typeof labels === 'string') fail(node, labels);
  const sizes = new Map<string, Dim>();
  labels.operands.forEach((operand, i) => {
    operand.forEach((label, axis) => {
      const dim = shapes[i]?.[axis] as Dim;
      const known = sizes.get(label) ?? 1;
      if (isFixed(dim) && isFixed(known) && dim !== known && dim !== 1 && known !== 1) {
        fail(node, `expected one size of ${label}, received ${known} and ${dim}`);
      }
      if (known === 1 || (isFixed(dim) && dim !== 1)) sizes.set(label, dim);
      else if (!isFixed(known) && !isFixed(dim) && known !== dim) sizes.set(label, '?');
    });
  });
  return single(
    dtype,
    labels.output.map((label) => sizes.get(label) ?? '?'),
  );
};

/** The known integer of a scalar input; undefined where it is left out, `'?'` where not known. */
function scalarInput({ node, contents }: InferContext, index: number): Dim | undefined {
  if (!hasInput(node, index)) return undefined;
  return contents[index]?.[0] ?? '?';
}

/** Number of bins of a real signal's transform. */
const halfOf = (length: Dim): Dim => (isFixed(length) ? Math.floor(length / 2) + 1 : '?');

/** DFT: […,N,1 or 2] to […,L,2]; one-sided L/2 + 1, or back from these to a real signal. */
const dft: ShapeRule = (context) => {
  const { node, opset, inputs } = context;
  const [x] = inputs;
  if (x?.shape === undefined) return single(x?.dtype, undefined);
  const rank = x.shape.length;
  const parts = x.shape.at(-1);
  if (rank < 2 || (isFixed(parts) && parts !== 1 && parts !== 2)) {
    fail(node, `expected a signal […,1] or […,2], received ${formatShape(x.shape)}`);
  }
  const inverse = intOf(node, 'inverse', 0) === 1;
  const onesided = intOf(node, 'onesided', 0) === 1;
  if (onesided && isFixed(parts) && parts !== (inverse ? 2 : 1)) {
    fail(
      node,
      `expected a ${inverse ? 'complex' : 'real'} signal, received ${formatShape(x.shape)}`,
    );
  }
  const last = onesided && inverse ? 1 : 2;
  const axis = opset >= 20 ? (scalarInput(context, 2) ?? -2) : intOf(node, 'axis', 1);
  if (!isFixed(axis)) return single(x.dtype, [...unknownDims(rank - 1), last]);
  const place = frontAxis(node, axis, rank);
  if (place === rank - 1) fail(node, 'expected an axis before the last, received the last');
  const size = x.shape[place] as Dim;
  const natural = onesided && inverse ? (isFixed(size) ? 2 * (size - 1) : '?') : size;
  const length = scalarInput(context, 1) ?? natural;
  const bins = onesided && !inverse ? halfOf(length) : length;
  return single(x.dtype, [...x.shape.slice(0, place), bins, ...x.shape.slice(place + 1, -1), last]);
};

/** STFT: signal [B,N,1 or 2] to [B,frames,bins,2]. */
const stft: ShapeRule = (context) => {
  const { node, inputs, contents } = context;
  const [signal, , window] = inputs;
  if (signal?.shape === undefined) return single(signal?.dtype, undefined);
  if (signal.shape.length !== 3) {
    fail(node, `expected a signal [B,N,1] or [B,N,2], received ${formatShape(signal.shape)}`);
  }
  const step = numbersOf(contents[1])?.[0];
  if (step !== undefined && step < 1) fail(node, `expected a frame_step above 0, received ${step}`);
  const [batch, size] = signal.shape as [Dim, Dim];
  const given = hasInput(node, 2) ? (window?.shape?.[0] ?? '?') : size;
  const length = scalarInput(context, 3) ?? given;
  const known = isFixed(size) && isFixed(length) && step !== undefined;
  if (known && length > size) fail(node, `expected frames of at most ${size}, received ${length}`);
  const frames = known ? 1 + Math.floor((size - length) / step) : '?';
  const bins = intOf(node, 'onesided', 1) === 1 ? halfOf(length) : length;
  return single(signal.dtype, [batch, frames, bins, 2]);
};

export const algebraShapes: Readonly<Record<keyof typeof algebraSchemas, ShapeRule>> = {
  DFT: dft,
  Det: det,
  Einsum: einsum,
  STFT: stft,
};
