/** Checks of host tensors: element types, arrays and dims that fit each other and the model. */
import { UsageError } from '../errors.js';
import { arrayTypes, type ElementType, elementCount, type HostTensor } from '../util/tensor.js';
import type { SessionValue } from './binding-types.js';

/** Throws `UsageError` unless `tensor` is whole in itself; `where` names it in the message. */
export function checkTensor(tensor: HostTensor, where: string): void {
  const type = arrayTypes[tensor.dtype];
  if (type === undefined) {
    throw new UsageError(`${where}: expected an element type of ONNX, received "${tensor.dtype}"`);
  }
  if (!(tensor.data instanceof type)) {
    const received = (tensor.data as object | undefined)?.constructor.name ?? typeof tensor.data;
    throw new UsageError(
      `${where}: expected ${type.name} for ${tensor.dtype}, received ${received}`,
    );
  }
  if (!tensor.dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new UsageError(
      `${where}: expected dims of whole numbers from 0, received ${shapeText(tensor.dims)}`,
    );
  }
  const count = elementCount(tensor.dims);
  if (count !== tensor.data.length) {
    throw new UsageError(
      `${where}: expected ${count} elements for dims ${shapeText(tensor.dims)}, received ${tensor.data.length}`,
    );
  }
}

/** Throws `UsageError` unless a tensor of this type and dims may stand for `value` of the model. */
export function checkFits(
  value: SessionValue,
  dtype: ElementType,
  dims: readonly number[],
  where: string,
): void {
  if (dtype !== value.dtype) {
    throw new UsageError(`${where}: expected ${value.dtype}, received ${dtype}`);
  }
  const fits =
    dims.length === value.dims.length &&
    value.dims.every((dim, i) => dim === -1 || dim === dims[i]);
  if (!fits) {
    throw new UsageError(
      `${where}: expected dims ${shapeText(value.dims)}, received ${shapeText(dims)}`,
    );
  }
}

/** Dims for a person; an open dimension is `?`. */
export function shapeText(dims: readonly number[]): string {
  return `[${dims.map((dim) => (dim === -1 ? '?' : dim)).join(', ')}]`;
}
