/** Types, tensors and values of the ONNX textual syntax. */
import {
  createTensorData,
  type ElementType,
  elementCount,
  type HostTensor,
} from '../../util/tensor.js';
import type { Dim, TensorType, ValueInfo } from '../graph.js';
import type { Scanner } from './scanner.js';
import { elementTypeNamed, isTypeWord, typeNames } from './syntax.js';

/** `float[N, 3]`; `float` is a scalar and `float[]` has unknown rank. */
export function parseType(scanner: Scanner): TensorType {
  const from = scanner.position;
  const dtype = elementTypeNamed(scanner.word('a type'));
  if (dtype === undefined) {
    return scanner.fail(`a type of ${Object.values(typeNames).join(', ')}`, from);
  }
  if (!scanner.take('[')) return { dtype, shape: [] };
  if (scanner.take(']')) return { dtype };
  const shape: Dim[] = [];
  do shape.push(parseDim(scanner));
  while (scanner.take(','));
  scanner.expect(']', "',' or ']'");
  return { dtype, shape };
}

/** `float[N, 3] name`. */
export function parseValue(scanner: Scanner): ValueInfo {
  const type = parseType(scanner);
  return { name: scanner.name('a name'), ...type };
}

/** The `{…}` of a tensor whose type was read; `from` is where that stood. */
export function parseData(scanner: Scanner, type: TensorType, from: number): HostTensor {
  const dims = fixedDims(scanner, type, from);
  const { dtype } = type;
  if (scanner.next === '[') return scanner.fail('data; external data is not supported yet');
  const start = scanner.position;
  scanner.expect('{');
  const values: (number | bigint)[] = [];
  if (!scanner.take('}')) {
    do values.push(parseElement(scanner, dtype));
    while (scanner.take(','));
    scanner.expect('}', "',' or '}'");
  }
  const count = elementCount(dims);
  if (values.length !== count) scanner.fail(`${count} elements`, start, `${values.length}`);
  const data = createTensorData(dtype, count);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    data.set(values as bigint[]);
  } else {
    data.set(values as number[]);
  }
  return { dtype, dims, data };
}

/** The dimensions of a tensor, which must be numbers. */
export function fixedDims(scanner: Scanner, { shape }: TensorType, from: number): number[] {
  const refuse = (received: string) =>
    scanner.fail('a type with dimensions that are numbers', from, received);
  if (shape === undefined) return refuse('an unknown rank');
  return shape.map((dim) => (typeof dim === 'number' ? dim : refuse(`dimension ${dim}`)));
}

/** A float literal. */
export function parseFloatText(text: string): number {
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  if (/nan$/i.test(text)) return Number.NaN;
  return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Whether a type comes next. */
export function nextIsType(scanner: Scanner): boolean {
  return isTypeWord(scanner.nextWord);
}

function parseDim(scanner: Scanner): Dim {
  if (scanner.take('?')) return '?';
  const symbol = scanner.optionalName();
  if (symbol !== undefined) return symbol;
  const from = scanner.position;
  const size = scanner.int("a dimension (a number, a name or '?')");
  return size < 0n ? scanner.fail('a dimension of 0 or more', from) : Number(size);
}

const ranges: Partial<Record<ElementType, readonly [bigint, bigint]>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  bool: [0n, 1n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  float16: [0n, 65535n],
  bfloat16: [0n, 65535n],
  float8e4m3fn: [0n, 255n],
  float8e4m3fnuz: [0n, 255n],
  float8e5m2: [0n, 255n],
  float8e5m2fnuz: [0n, 255n],
  float8e8m0: [0n, 255n],
  float4e2m1: [0n, 15n],
  int4: [-8n, 7n],
  uint4: [0n, 15n],
  int2: [-2n, 1n],
  uint2: [0n, 3n],
  int32: [-(1n << 31n), (1n << 31n) - 1n],
  uint32: [0n, (1n << 32n) - 1n],
  int64: [-(1n << 63n), (1n << 63n) - 1n],
  uint64: [0n, (1n << 64n) - 1n],
};

/** One element; floats of 16 bits and less are given by their bits. */
function parseElement(scanner: Scanner, dtype: ElementType): number | bigint {
  const from = scanner.position;
  const range = ranges[dtype];
  if (range === undefined) {
    const { kind, text } = scanner.literal('a number');
    return kind === 'string' ? scanner.fail('a number', from) : parseFloatText(text);
  }
  const [low, high] = range;
  const value = scanner.int('an integer');
  if (value < low || value > high) scanner.fail(`${dtype} from ${low} to ${high}`, from);
  return dtype === 'int64' || dtype === 'uint64' ? value : Number(value);
}
