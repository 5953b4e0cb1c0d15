/**
 * Element types of tensors; names as in the ONNX specification, in lower case. Those below 8 bits are
 * packed in files and lie one to an array element here.
 */
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
  | 'bool'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'float8e8m0'
  | 'float4e2m1'
  | 'int4'
  | 'uint4'
  | 'int2'
  | 'uint2';

/** The JavaScript array of a tensor. Floats of 16 bits and less travel as their bits. */
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

/** Bytes of one element, a part of one where several are packed into a byte. */
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
  float8e4m3fn: 1,
  float8e4m3fnuz: 1,
  float8e5m2: 1,
  float8e5m2fnuz: 1,
  float8e8m0: 1,
  float4e2m1: 0.5,
  int4: 0.5,
  uint4: 0.5,
  int2: 0.25,
  uint2: 0.25,
};

/** Bytes of a tensor, packed. */
export function tensorBytes(dtype: ElementType, dims: readonly number[]): number {
  return Math.ceil(elementCount(dims) * elementBytes[dtype]);
}

/** Whether values of this type are arithmetic floats: those that gradients pass. */
export function isFloating(dtype: ElementType): boolean {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
}

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
  float8e4m3fn: Uint8Array,
  float8e4m3fnuz: Uint8Array,
  float8e5m2: Uint8Array,
  float8e5m2fnuz: Uint8Array,
  float8e8m0: Uint8Array,
  float4e2m1: Uint8Array,
  int4: Int8Array,
  uint4: Uint8Array,
  int2: Int8Array,
  uint2: Uint8Array,
} as const satisfies Record<ElementType, new (length: number) => TensorData>;

/** A zeroed array for `length` elements of `dtype`. */
export function createTensorData(dtype: ElementType, length: number): TensorData {
  return new arrayTypes[dtype](length);
}

/** `count` elements from `bytes` (little-endian and packed, as ONNX stores them), copied. */
export function decodeTensorData(dtype: ElementType, bytes: Uint8Array, count: number): TensorData {
  if (elementBytes[dtype] < 1) return unpack(dtype, bytes, count);
  const copy = new Uint8Array(bytes);
  return new arrayTypes[dtype](copy.buffer, 0, count);
}

/** The elements as little-endian bytes, packed where they are below 8 bits; a view where it can be. */
export function encodeTensorData({ dtype, data }: Pick<HostTensor, 'dtype' | 'data'>): Uint8Array {
  return elementBytes[dtype] < 1
    ? pack(dtype, data as Uint8Array | Int8Array)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The first element lies in the lowest bits. */
function unpack(dtype: ElementType, bytes: Uint8Array, count: number): TensorData {
  const bits = 8 * elementBytes[dtype];
  const perByte = 8 / bits;
  const signed = arrayTypes[dtype] === Int8Array;
  const data = createTensorData(dtype, count) as Uint8Array;
  for (let i = 0; i < count; i++) {
    const byte = bytes[Math.floor(i / perByte)] as number;
    const raw = (byte >> (bits * (i % perByte))) & (2 ** bits - 1);
    data[i] = signed && raw >= 2 ** (bits - 1) ? raw - 2 ** bits : raw;
  }
  return data;
}

function pack(dtype: ElementType, data: Uint8Array | Int8Array): Uint8Array {
  const bits = 8 * elementBytes[dtype];
  const perByte = 8 / bits;
  const bytes = new Uint8Array(Math.ceil(data.length / perByte));
  data.forEach((value, i) => {
    const at = Math.floor(i / perByte);
    bytes[at] = (bytes[at] as number) | ((value & (2 ** bits - 1)) << (bits * (i % perByte)));
  });
  return bytes;
}

/** Product of the dimensions; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) count *= dim;
  return count;
}
