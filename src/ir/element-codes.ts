/** Numbers of element types in ONNX files (`TensorProto.DataType`), as in the attribute `to` of Cast. */
import type { ElementType } from '../util/tensor.js';

/** ONNX's number of each element type. */
export const elementCodes: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
};

const types = new Map(
  Object.entries(elementCodes).map(([dtype, code]) => [code, dtype as ElementType]),
);

/** The element type of a number in an ONNX file; undefined for one that Archwright does not hold. */
export function elementTypeOf(code: number): ElementType | undefined {
  return types.get(code);
}
