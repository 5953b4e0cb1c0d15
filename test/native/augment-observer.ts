/** A model that shows what it was fed, and requests that feed it changed images. */
import type {
  Augmentation,
  HostTensor,
  LoopRequest,
  StreamInput,
} from '../../src/runtime/binding-types.js';
import type { Session } from '../../src/runtime/session.js';
import { Rng } from '../../src/util/random.js';
import { buildModel, float32 } from './model.js';

export const shape = { channels: 3, height: 5, width: 9 };
export const rowDims = [shape.channels, shape.height, shape.width];
export const length = rowDims.reduce((a, b) => a * b);
const rowCount = 30;
export const batch = 7;
const rng = new Rng('augment');
export const pixels = Uint8Array.from({ length: rowCount * length }, () => rng.integer(256));
const labels = Uint8Array.from({ length: rowCount }, (_, i) => i);
const scale = Float32Array.of(0.25, 0.5, 2);
const shift = Float32Array.of(-1, 3, 0.125);
export const normal = (value: number, c: number) =>
  value * (scale[c] as number) + (shift[c] as number);

/** The batch and what else a step was fed, as its state afterwards; `trail` has traces of all steps. */
export const observer = buildModel({
  inputs: [
    ...['seen', 'trail', 'x'].map((name) => ({
      name,
      dtype: 'float32' as const,
      dims: [batch, ...rowDims],
    })),
    ...['ownSeen', 'otherSeen', 'own', 'other'].map((name) => ({
      name,
      dtype: 'int64' as const,
      dims: [batch],
    })),
    { name: 'share', dtype: 'float32', dims: [] },
  ],
  outputs: [
    ...['seenNext', 'trailNext'].map((name) => ({
      name,
      dtype: 'float32' as const,
      dims: [batch, ...rowDims],
    })),
    ...['ownNext', 'otherNext'].map((name) => ({ name, dtype: 'int64' as const, dims: [batch] })),
    { name: 'shareSeen', dtype: 'float32', dims: [] },
  ],
  weights: { half: { dims: [], values: [0.5] } },
  nodes: [
    { op: 'Identity', inputs: ['x'], outputs: ['seenNext'] },
    { op: 'Mul', inputs: ['trail', 'half'], outputs: ['fading'] },
    { op: 'Add', inputs: ['fading', 'x'], outputs: ['trailNext'] },
    { op: 'Identity', inputs: ['own'], outputs: ['ownNext'] },
    { op: 'Identity', inputs: ['other'], outputs: ['otherNext'] },
    { op: 'Identity', inputs: ['share'], outputs: ['shareSeen'] },
  ],
});

export const images: StreamInput = {
  name: 'x',
  rowDims,
  dtype: 'float32',
  source: pixels,
  scale,
  shift,
};
const own: StreamInput = { name: 'own', rowDims: [], dtype: 'int64', source: labels };
export const mixup = { alpha: 0.7, share: 'share', partners: [{ stream: 'own', input: 'other' }] };
export const zeros = float32([batch, ...rowDims], new Float32Array(batch * length));
export const none: HostTensor = { dtype: 'int64', dims: [batch], data: new BigInt64Array(batch) };

export function requestOf(order: Uint32Array, augment: Augmentation, x = images): LoopRequest {
  const open = augment.mixup === undefined;
  return {
    batch,
    order,
    // Without mixup nothing feeds its inputs, so they are fed as streams and scalars of their own.
    stream: [x, own, ...(open ? [{ ...own, name: 'other' }] : [])],
    augment,
    state: [
      { name: 'seen', next: 'seenNext', value: zeros },
      { name: 'trail', next: 'trailNext', value: zeros },
      { name: 'ownSeen', next: 'ownNext', value: none },
      { name: 'otherSeen', next: 'otherNext', value: none },
    ],
    perStep: open ? [{ name: 'share', values: new Float32Array(order.length / batch) }] : [],
    record: ['shareSeen'],
  };
}
export const drawOrder = (steps: number) =>
  Uint32Array.from({ length: steps * batch }, () => rng.integer(rowCount));
export const stateOf = async (session: Session, request: LoopRequest) => {
  const { state, recorded } = await session.runLoop(request);
  const [seen, trail, ownRows, otherRows] = state.map(({ data }) => data);
  return { seen, trail, own: ownRows, other: otherRows, share: recorded[0] as Float32Array };
};
