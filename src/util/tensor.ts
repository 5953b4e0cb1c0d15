/** Element types of tensors; names as in the ONNX specification, in lower case. */
export type ElementType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool';

/** The JavaScript array of a tensor. 16-bit floats travel as their bits in `Uint16Array`. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** A dense tensor, row-major. `data.length` is the product of `dims`. */
export interface HostTensor {
  readonly dtype: ElementType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** Bytes of one element. */
export const elementBytes: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
};

/** The array type that carries each element type. */
export const arrayTypes = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies Record<ElementType, new (length: number) => TensorData>;

/** A zeroed array for `length` elements of `dtype`. */
export function createTensorData(dtype: ElementType, length: number): TensorData {
  return new arrayTypes[dtype](length);
}

/** The elements in `bytes` (little-endian, as ONNX stores them), copied. */
export function decodeTensorData(dtype: ElementType, bytes: Uint8Array): TensorData {
  const copy = new Uint8Array(bytes);
  return new arrayTypes[dtype](copy.buffer, 0, Math.floor(copy.byteLength / elementBytes[dtype]));
}

/** The elements as little-endian bytes; a view, not a copy. */
export function encodeTensorData(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Product of the dimensions; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) count *= dim;
  return count;
}
