/**
 * The one place that loads `onnx-proto` (a CommonJS package), and its 64-bit integers as JavaScript
 * numbers. The package speaks ONNX 1.10.2; fields that came later are skipped by protobuf's rules.
 */
import onnxProto, { type onnx } from 'onnx-proto';
import { InternalError } from '../../errors.js';
import { elementTypeOf } from '../element-codes.js';
import { clampInt64 } from './header.js';

/** Message classes of the ONNX protobuf. */
export const proto = onnxProto.onnx;

export type AttributeProto = onnx.IAttributeProto;
export type GraphProto = onnx.IGraphProto;
export type ModelProto = onnx.IModelProto;
export type NodeProto = onnx.INodeProto;
export type TensorProto = onnx.ITensorProto;
export type ValueInfoProto = onnx.IValueInfoProto;

/** A 64-bit integer as protobufjs reads and writes it. */
export type Int64 = number | { readonly low: number; readonly high: number };

/** Names for messages: the types that ONNX has and we do not. */
const foreignTypes: Readonly<Record<number, string>> = {
  0: 'undefined',
  8: 'string',
  14: 'complex64',
  15: 'complex128',
};

/** A `TensorProto.DataType` for a message. */
export function describeDataType(dataType: number): string {
  return elementTypeOf(dataType) ?? foreignTypes[dataType] ?? `number ${dataType}`;
}

/** The nearest double: the largest int64, the "to the end" of Slice, becomes 2^63. */
export function numberOf(value: Int64 | null | undefined): number {
  return typeof value === 'number' ? value : Number(bigintOf(value));
}

/** The exact value of a signed 64-bit integer. */
export function bigintOf(value: Int64 | null | undefined): bigint {
  if (value === null || value === undefined) return 0n;
  if (typeof value === 'number') return BigInt(value);
  return (BigInt(value.high | 0) << 32n) | BigInt(value.low >>> 0);
}

/** A 64-bit integer for protobufjs, clamped to the range of int64: 2^63 becomes the largest. */
export function int64Of(value: number, where: string): Int64 {
  if (Number.isSafeInteger(value)) return int64OfBigint(BigInt(value));
  if (!Number.isInteger(value)) {
    throw new InternalError(`${where}: expected an integer, received ${value}`);
  }
  return int64OfBigint(clampInt64(value));
}

function int64OfBigint(value: bigint): Int64 {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
  };
}
