/** Shape rules: what makes tensors: ranges, random draws, windows. */
import type { ElementType } from '../../util/tensor.js';
import { intOf, intsOf } from '../attributes.js';
import { elementTypeOf } from '../element-codes.js';
import type { Dim, Node } from '../graph.js';
import type { generateSchemas } from '../schema/generate.js';
import { MAX_CONTENTS } from './contents.js';
import { addDims, divideDims, formatShape, isFixed, subtractDims } from './dims.js';
import { commonType, fail, type ShapeRule, single } from './shape.js';

const FLOAT = 1;
const INT32 = 6;

/** The element type in an attribute; `fallback` where it is absent. */
function typeIn(node: Node, attribute: string, fallback: ElementType | undefined) {
  const code = intOf(node, attribute, 0);
  if (code === 0) return fallback;
  const dtype = elementTypeOf(code);
  if (dtype === undefined) {
    fail(node, `expected a known element type in attribute ${attribute}, received ${code}`);
  }
  return dtype;
}

/** RandomNormal, RandomUniform: `shape` says all. */
const draw: ShapeRule = ({ node }) => {
  const shape = intsOf(node, 'shape');
  if (shape === undefined) fail(node, 'expected attribute shape, received none');
  return single(typeIn(node, 'dtype', elementTypeOf(FLOAT)), shape);
};

/** The shape of the input, and its element type unless another is asked for. */
const drawLike: ShapeRule = ({ node, inputs: [x] }) =>
  single(typeIn(node, 'dtype', x?.dtype), x?.shape);

/** EyeLike: as `drawLike`, for matrices. */
const eyeLike: ShapeRule = (context) => {
  const shape = context.inputs[0]?.shape;
  if (shape !== undefined && shape.length !== 2) {
    fail(context.node, `expected a matrix, received ${formatShape(shape)}`);
  }
  return drawLike(context);
};

/** Multinomial: [N,classes] to [N,sample_size]. */
const multinomial: ShapeRule = ({ node, inputs: [x] }) => {
  const shape = x?.shape;
  if (shape !== undefined && shape.length !== 2) {
    fail(node, `expected log-probabilities [N,classes], received ${formatShape(shape)}`);
  }
  const dims = [shape?.[0] ?? '?', intOf(node, 'sample_size', 1)];
  return single(typeIn(node, 'dtype', elementTypeOf(INT32)), dims);
};

/** Windows: one dimension of the size that the input states. */
const window: ShapeRule = ({ node, contents: [size] }) =>
  single(typeIn(node, 'output_datatype', elementTypeOf(FLOAT)), [size?.[0] ?? '?']);

/** MelWeightMatrix: [⌊dft_length/2⌋ + 1, num_mel_bins]. */
const melWeightMatrix: ShapeRule = ({ node, contents: [bins, length] }) => {
  const spectrum = addDims(divideDims(length?.[0] ?? '?', 2), 1);
  const dims = [spectrum, bins?.[0] ?? '?'];
  return single(typeIn(node, 'output_datatype', elementTypeOf(FLOAT)), dims);
};

/** Range: max(⌈(limit − start) / delta⌉, 0) elements. */
const range: ShapeRule = (context) => {
  const [start = '?', limit = '?', delta = '?'] = [0, 1, 2].map((i) => context.contents[i]?.[0]);
  if (delta === 0) fail(context.node, 'expected a delta other than 0, received 0');
  const dtype = commonType(context, [0, 1, 2]);
  const length = rangeLength(start, limit, delta);
  const follows = isFixed(length) && length <= MAX_CONTENTS && isFixed(start) && isFixed(delta);
  return single(
    dtype,
    [length],
    follows ? Array.from({ length }, (_, i) => start + i * delta) : undefined,
  );
};

function rangeLength(start: Dim, limit: Dim, delta: Dim): Dim {
  const span = subtractDims(limit, start);
  if (isFixed(span) && isFixed(delta)) return Math.max(Math.ceil(span / delta), 0);
  return delta === 1 ? span : '?';
}

export const generateShapes: Readonly<Record<keyof typeof generateSchemas, ShapeRule>> = {
  Bernoulli: drawLike,
  BlackmanWindow: window,
  EyeLike: eyeLike,
  HammingWindow: window,
  HannWindow: window,
  MelWeightMatrix: melWeightMatrix,
  Multinomial: multinomial,
  RandomNormal: draw,
  RandomNormalLike: drawLike,
  RandomUniform: draw,
  RandomUniformLike: drawLike,
  Range: range,
};
