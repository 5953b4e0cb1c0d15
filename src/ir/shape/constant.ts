/** Operators that create tensors, or only change their element type. */
import { intOf, intsOf, tensorOf } from '../attributes.js';
import { elementTypeOf } from '../element-codes.js';
import { fillContents } from './contents.js';
import { isFixed } from './dims.js';
import {
  fail,
  frontAxis,
  hasInput,
  lengthOf,
  type ShapeRule,
  single,
  unknownDims,
} from './shape.js';

/** Constant. The contents of a `value` tensor are recorded by `TypeScope`. */
export const constant: ShapeRule = ({ node }) => {
  const value = tensorOf(node, 'value');
  if (value !== undefined) return single(value.dtype, value.dims);
  const ints = intsOf(node, 'value_ints');
  if (ints !== undefined) return single('int64', [ints.length], ints);
  const floats = node.attributes.value_floats;
  if (floats?.kind === 'floats') return single('float32', [floats.value.length]);
  if (node.attributes.value_int !== undefined) {
    return single('int64', [], [intOf(node, 'value_int', 0)]);
  }
  if (node.attributes.value_float !== undefined) return single('float32', []);
  fail(node, 'expected a value attribute, received none');
};

/** ConstantOfShape: float32 0 unless `value` says otherwise. */
export const constantOfShape: ShapeRule = (context) => {
  const { node, contents } = context;
  const value = tensorOf(node, 'value');
  const dtype = value?.dtype ?? 'float32';
  const length = lengthOf(context, 0);
  const shape = contents[0] ?? (length === undefined ? undefined : unknownDims(length));
  const fill = isInteger(dtype) ? value?.data[0] : undefined;
  return single(dtype, shape, fillContents(fill === undefined ? undefined : Number(fill), shape));
};

const isInteger = (dtype: string) => dtype === 'int64' || dtype === 'int32';

/** Cast: integer contents pass to integer types, and as 0 and 1 to bool. */
export const cast: ShapeRule = ({ node, inputs: [x], contents: [values] }) => {
  const dtype = elementTypeOf(intOf(node, 'to', 0));
  if (dtype === undefined) {
    fail(node, `expected a known element type in attribute to, received ${intOf(node, 'to', 0)}`);
  }
  if (dtype === 'bool') {
    return single(
      dtype,
      x?.shape,
      values?.map((value) => (isFixed(value) ? Number(value !== 0) : '?')),
    );
  }
  return single(dtype, x?.shape, isInteger(dtype) ? values : undefined);
};

/** QuantizeLinear: the type of the zero point, or the one asked for, or uint8. */
export const quantizeLinear: ShapeRule = ({ node, inputs: [x, , zeroPoint] }) => {
  const given = hasInput(node, 2) ? zeroPoint?.dtype : undefined;
  const asked = elementTypeOf(intOf(node, 'output_dtype', 0));
  const dtype = given ?? asked ?? (hasInput(node, 2) ? undefined : 'uint8');
  return single(dtype, x?.shape);
};

/** DequantizeLinear: the type asked for, or that of the scale. */
export const dequantizeLinear: ShapeRule = ({ node, inputs: [x, scale] }) =>
  single(elementTypeOf(intOf(node, 'output_dtype', 0)) ?? scale?.dtype, x?.shape);

/** OneHot: `indices` with an axis of size `depth` put in at `axis`. */
export const oneHot: ShapeRule = ({ node, inputs, contents }) => {
  const [indices, , values] = inputs;
  if (indices?.shape === undefined) return single(values?.dtype, undefined);
  const rank = indices.shape.length + 1;
  const axis = frontAxis(node, intOf(node, 'axis', -1), rank);
  const depth = contents[1]?.[0] ?? '?';
  return single(values?.dtype, indices.shape.toSpliced(axis, 0, depth));
};
