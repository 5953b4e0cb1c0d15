/** Checks of a training loop's request against the model that will run it. */
import { UsageError } from '../errors.js';
import { arrayTypes, elementCount } from '../util/tensor.js';
import { checkAugmentation } from './augment-request.js';
import type {
  ElementType,
  LoopRequest,
  SessionValue,
  StreamInput,
  TensorData,
} from './binding-types.js';
import { checkFits, checkTensor } from './tensor.js';

/**
 * Throws `UsageError` unless every input of the model is fed exactly once, every named output
 * exists, all types and dims fit, and every row number lies inside every source.
 */
export function checkLoopRequest(
  request: LoopRequest,
  inputs: readonly SessionValue[],
  outputs: readonly SessionValue[],
): void {
  if (!Number.isSafeInteger(request.batch) || request.batch < 1) {
    throw new UsageError(`batch: expected a whole number from 1, received ${request.batch}`);
  }
  if (request.order.length % request.batch !== 0) {
    throw new UsageError(
      `order: expected a multiple of the batch size ${request.batch}, received ${request.order.length} row numbers`,
    );
  }
  const steps = request.order.length / request.batch;
  const open = new Map(inputs.map((input) => [input.name, input]));
  const takeInput = (name: string): SessionValue => {
    const input = open.get(name);
    if (input === undefined) {
      throw new UsageError(
        `input "${name}": expected an input of the model that is fed once; open: ${list(open.keys())}`,
      );
    }
    open.delete(name);
    return input;
  };
  for (const stream of request.stream) {
    const dims = [request.batch, ...stream.rowDims];
    checkFits(takeInput(stream.name), stream.dtype, dims, `input "${stream.name}"`);
    checkStream(stream, request.order);
  }
  if (request.augment !== undefined) {
    for (const { name, dtype, dims } of checkAugmentation(request.augment, request)) {
      checkFits(takeInput(name), dtype, dims, `input "${name}"`);
    }
  }
  for (const { name, next, value } of request.state) {
    checkTensor(value, `state "${name}"`);
    checkFits(takeInput(name), value.dtype, value.dims, `state "${name}"`);
    checkFits(findOutput(outputs, next), value.dtype, value.dims, `output "${next}"`);
  }
  for (const { name, values } of request.perStep) {
    checkFits(takeInput(name), 'float32', [], `input "${name}"`);
    if (!(values instanceof Float32Array) || values.length < steps) {
      throw new UsageError(
        `input "${name}": expected a Float32Array with one value for each of ${steps} steps, received ${values.length}`,
      );
    }
  }
  for (const name of request.record) {
    checkFits(findOutput(outputs, name), 'float32', [], `output "${name}"`);
  }
  if (open.size > 0) {
    throw new UsageError(`expected every input to be fed, none given for ${list(open.keys())}`);
  }
}

function findOutput(outputs: readonly SessionValue[], name: string): SessionValue {
  const output = outputs.find((candidate) => candidate.name === name);
  if (output !== undefined) return output;
  const names = list(outputs.map((candidate) => candidate.name));
  throw new UsageError(`output "${name}": expected an output of the model: ${names}`);
}

/** Arrays that a stream converts, besides the one that carries the input's element type. */
const narrower: Partial<Record<ElementType, readonly (new (length: number) => TensorData)[]>> = {
  float32: [Uint8Array],
  int64: [Uint8Array, Uint16Array, Int32Array],
  int32: [Uint8Array, Uint16Array],
};

function checkStream(stream: StreamInput, order: Uint32Array): void {
  const where = `input "${stream.name}"`;
  const { source } = stream;
  const allowed = [arrayTypes[stream.dtype], ...(narrower[stream.dtype] ?? [])];
  if (!allowed.some((type) => source instanceof type)) {
    const received = (source as object | undefined)?.constructor.name ?? typeof source;
    throw new UsageError(
      `${where}: expected ${allowed.map((type) => type.name).join(' or ')} as source of ${stream.dtype}, received ${received}`,
    );
  }
  const rowLength = elementCount(stream.rowDims);
  const rows = source.length / rowLength;
  let highest = -1;
  for (const row of order) if (row > highest) highest = row;
  if (!Number.isInteger(rows) || highest >= rows) {
    throw new UsageError(
      `${where}: expected whole rows of ${rowLength} elements up to row ${highest}, received ${source.length} elements`,
    );
  }
  checkChannels(stream, where);
}

function checkChannels({ scale, shift, dtype, rowDims }: StreamInput, where: string): void {
  if (scale === undefined && shift === undefined) return;
  const channels = rowDims[0] ?? 1;
  const lengths = [scale?.length, shift?.length];
  const fits =
    dtype === 'float32' &&
    lengths[0] === lengths[1] &&
    (lengths[0] === 1 || lengths[0] === channels);
  if (!fits) {
    throw new UsageError(
      `${where}: expected scale and shift of 1 or ${channels} entries each for a float32 input, received ${lengths.join(' and ')}`,
    );
  }
}

function list(names: Iterable<string>): string {
  return [...names].map((name) => `"${name}"`).join(', ') || 'none';
}
