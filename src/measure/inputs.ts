/**
 * Random inputs for timing. Several sets in rotation, so that no run can be answered from the last
 * one. Floats are standard normal, as normalised images are. Integers of 32 and 64 bits are 0 or 1:
 * such inputs are mostly indices, and those two are in range of nearly every table. A scalar integer
 * is 1, being mostly a length or a step. 8- and 16-bit integers take their full range.
 */
import { UsageError } from '../errors.js';
import type { Feeds, SessionValue } from '../runtime/runtime.js';
import { encodeBfloat16, encodeFloat16 } from '../util/half.js';
import type { Rng } from '../util/random.js';
import {
  createTensorData,
  type ElementType,
  elementCount,
  type HostTensor,
} from '../util/tensor.js';

/** Dimensions of inputs by name, where the model leaves some open. */
export type InputDims = Readonly<Record<string, readonly number[]>>;

/** `count` independent sets of values for `inputs`. Dimensions left open are 1 unless in `dims`. */
export function createInputSets(
  inputs: readonly SessionValue[],
  dims: InputDims,
  count: number,
  rng: Rng,
): Record<string, HostTensor>[] {
  return Array.from({ length: count }, (_, set) =>
    Object.fromEntries(
      inputs.map(({ name, dtype, dims: declared }) => [
        name,
        createInput(
          dtype,
          declared.map((dim, axis) => (dim < 0 ? (dims[name]?.[axis] ?? 1) : dim)),
          rng.fork(set).fork(name),
        ),
      ]),
    ),
  );
}

function createInput(dtype: ElementType, dims: readonly number[], rng: Rng): HostTensor {
  const data = createTensorData(dtype, elementCount(dims));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < data.length; i++) data[i] = BigInt(drawIndex(dims, rng));
  } else {
    const draw = drawers[dtype];
    if (draw === undefined) {
      throw new UsageError(
        `expected inputs of ${Object.keys(drawers).join(', ')}; received ${dtype}, which cannot be drawn`,
      );
    }
    for (let i = 0; i < data.length; i++) data[i] = draw(dims, rng);
  }
  return { dtype, dims, data };
}

type Draw = (dims: readonly number[], rng: Rng) => number;

const drawIndex: Draw = (dims, rng) => (dims.length === 0 ? 1 : rng.integer(2));
const drawNormal: Draw = (_, rng) => rng.normal();

const drawers: Partial<Readonly<Record<ElementType, Draw>>> = {
  float32: drawNormal,
  float64: drawNormal,
  float16: (_, rng) => encodeFloat16(rng.normal()),
  bfloat16: (_, rng) => encodeBfloat16(rng.normal()),
  int8: (_, rng) => rng.integer(256) - 128,
  uint8: (_, rng) => rng.integer(256),
  int16: (_, rng) => rng.integer(65536) - 32768,
  uint16: (_, rng) => rng.integer(65536),
  int32: drawIndex,
  uint32: drawIndex,
  int64: drawIndex,
  uint64: drawIndex,
  bool: (_, rng) => rng.integer(2),
};

/** Bytes of one set of inputs. */
export function feedBytes(feeds: Feeds): number {
  return Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength, 0);
}
