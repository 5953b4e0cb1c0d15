/**
 * A training that can go on later, in an ONNX file without nodes: state vectors and losses as its
 * initializers, the rest as JSON in its metadata. A training that goes on from it does what it would
 * have done without the stop: the order of rows, learning rates and random changes of images are
 * functions of the seed and the number of the update.
 */
import { createHash } from 'node:crypto';
import { UsageError } from '../errors.js';
import { DEFAULT_OPSET, freezeGraph, type Initializer } from '../ir/graph.js';
import { decodeModel } from '../ir/onnx/decode.js';
import { encodeModel } from '../ir/onnx/encode.js';
import type { HostTensor } from '../util/tensor.js';
import type { Evaluation } from './early-stopping.js';

/** What a training is made of, as hashes by name: each must be the same when it goes on. */
export type Fingerprint = Readonly<Record<string, string>>;

/** Where a training stands. */
export interface Position {
  /** Updates done. */
  readonly step: number;
  /** Time in the updates themselves. */
  readonly seconds: number;
  readonly state: readonly HostTensor[];
  /** Mean loss of each update's rows. */
  readonly losses: Float32Array;
  readonly evaluations: readonly Evaluation[];
  /** The state of the best evaluation so far, where it is kept. */
  readonly best?: readonly HostTensor[];
}

const SCHEMA = 'archwright.checkpoint/1';
const META_KEY = 'archwright.checkpoint';

/** SHA-256 over strings and arrays. */
export function hashOf(...parts: readonly (string | ArrayBufferView)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(
      typeof part === 'string'
        ? part
        : new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
    );
  }
  return hash.digest('hex');
}

/** The position as bytes of a file. */
export function encodeCheckpoint(position: Position, fingerprint: Fingerprint): Uint8Array {
  const { state, best, losses, ...rest } = position;
  const meta = { schema: SCHEMA, fingerprint, ...rest };
  const tensors = (kind: string, values: readonly HostTensor[]): Initializer[] =>
    values.map((value, i) => ({ ...value, name: `${kind}.${i}`, role: 'constant' }));
  return encodeModel(
    freezeGraph({
      name: 'checkpoint',
      opsets: { '': DEFAULT_OPSET },
      inputs: [],
      outputs: [],
      nodes: [],
      initializers: [
        ...tensors('state', state),
        ...tensors('best', best ?? []),
        ...tensors('losses', [{ dtype: 'float32', dims: [losses.length], data: losses }]),
      ],
      metadata: { [META_KEY]: JSON.stringify(meta) },
    }),
  );
}

/**
 * Reads a checkpoint of the training with this fingerprint. Throws `UsageError` for other bytes, and
 * for a checkpoint of another training, with what differs.
 */
export function decodeCheckpoint(bytes: Uint8Array, fingerprint: Fingerprint): Position {
  const graph = decodeModel(bytes, 'the checkpoint');
  const text = graph.metadata[META_KEY];
  const meta = text === undefined ? undefined : JSON.parse(text);
  if (meta?.schema !== SCHEMA) {
    throw new UsageError(`checkpoint: expected a file of ${SCHEMA}, received another ONNX file`);
  }
  const other = Object.keys(fingerprint).filter(
    (key) => meta.fingerprint[key] !== fingerprint[key],
  );
  if (other.length > 0) {
    throw new UsageError(
      `checkpoint: expected one of this training, received one with another ${other.join(', ')}`,
    );
  }
  const tensors = (kind: string): HostTensor[] =>
    graph.initializers
      .filter(({ name }) => name.startsWith(`${kind}.`))
      .map(({ dtype, dims, data }) => ({ dtype, dims, data: data as Float32Array }));
  const [losses] = tensors('losses');
  const best = tensors('best');
  return {
    step: meta.step,
    seconds: meta.seconds,
    evaluations: meta.evaluations,
    state: tensors('state'),
    losses: losses?.data as Float32Array,
    ...(best.length > 0 && { best }),
  };
}
