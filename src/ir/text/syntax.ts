/**
 * Words of the ONNX textual syntax (ONNX project, docs/Syntax.md): element types and identifiers.
 */
import type { ElementType } from '../../util/tensor.js';

/** Name of each element type in the text. */
export const typeNames: Readonly<Record<ElementType, string>> = {
  float32: 'float',
  float64: 'double',
  float16: 'float16',
  bfloat16: 'bfloat16',
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  uint8: 'uint8',
  uint16: 'uint16',
  uint32: 'uint32',
  uint64: 'uint64',
  bool: 'bool',
  float8e4m3fn: 'float8e4m3fn',
  float8e4m3fnuz: 'float8e4m3fnuz',
  float8e5m2: 'float8e5m2',
  float8e5m2fnuz: 'float8e5m2fnuz',
  float8e8m0: 'float8e8m0',
  float4e2m1: 'float4e2m1',
  int4: 'int4',
  uint4: 'uint4',
  int2: 'int2',
  uint2: 'uint2',
};

/** Words that begin a type, ours or not; a nested graph cannot be named so. */
const typeWords: ReadonlySet<string> = new Set([
  ...Object.values(typeNames),
  ...['string', 'complex64', 'complex128', 'seq', 'map', 'optional', 'sparse_tensor', 'opaque'],
]);

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether a name can stand without quotes. */
export function isIdentifier(name: string): boolean {
  return identifier.test(name);
}

/** Whether this word begins a type. */
export function isTypeWord(word: string): boolean {
  return typeWords.has(word);
}

/** Whether this word is a float literal (std::stof reads these in any case). */
export function isFloatWord(word: string): boolean {
  return ['nan', 'inf', 'infinity'].includes(word.toLowerCase());
}

/** The element type of a type name. */
export function elementTypeNamed(name: string): ElementType | undefined {
  return elementTypes.get(name);
}

const elementTypes = new Map(
  Object.entries(typeNames).map(([type, name]) => [name, type as ElementType]),
);
