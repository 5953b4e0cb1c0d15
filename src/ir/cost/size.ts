/** Sizes of values as far as they follow from a graph. */
import { tensorBytes } from '../../util/tensor.js';
import type { TypeScope } from '../infer.js';
import { isFixed } from '../shape/dims.js';

/** Fixed dims of a value; undefined when they are not known. */
export function fixedDims(scope: TypeScope, name: string): readonly number[] | undefined {
  const shape = scope.typeOf(name)?.shape;
  return shape?.every(isFixed) ? (shape as readonly number[]) : undefined;
}

/** Bytes of a value; 0 when its size is not known. */
export function bytesOf(scope: TypeScope, name: string): number {
  const type = scope.typeOf(name);
  const dims = fixedDims(scope, name);
  return type === undefined || dims === undefined ? 0 : tensorBytes(type.dtype, dims);
}
