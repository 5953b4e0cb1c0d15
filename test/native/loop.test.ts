import { describe, expect, it } from 'vitest';
import type { HostTensor, LoopRequest, StreamInput } from '../../src/runtime/binding-types.js';
import { Session } from '../../src/runtime/session.js';
import { Rng } from '../../src/util/random.js';
import { cpu, float32, stepModel } from './model.js';

const rowCount = 20;
const batch = 4;
const steps = 25;
const rng = new Rng('loop');
const pixels = Uint8Array.from({ length: rowCount * 4 }, () => rng.integer(256));
const labels = Uint8Array.from({ length: rowCount }, () => rng.integer(10));
const order = Uint32Array.from({ length: steps * batch }, () => rng.integer(rowCount));
const rates = Float32Array.from({ length: steps }, (_, i) => 0.5 / (i + 1));
const scale = Float32Array.of(1 / 255, 2 / 255);
const shift = Float32Array.of(-0.5, 0.25);
const start = [0.5, -1, 2, 0.125];

const x: StreamInput = {
  name: 'x',
  rowDims: [2, 2],
  dtype: 'float32',
  source: pixels,
  scale,
  shift,
};
const label: StreamInput = { name: 'label', rowDims: [], dtype: 'int64', source: labels };
const one: HostTensor = { dtype: 'int64', dims: [], data: BigInt64Array.of(1n) };
const request: LoopRequest = {
  batch,
  order,
  stream: [x, label],
  state: [
    { name: 'w', next: 'w_next', value: float32([2, 2], start) },
    { name: 'count', next: 'count_next', value: one },
  ],
  perStep: [{ name: 'lr', values: rates }],
  record: ['loss'],
};

/** The same loop in plain arithmetic; channel c of a row is its c-th pair of pixels. */
function expected(count: number, pixel: (row: number, i: number) => number, lr = rates) {
  const w = [...start];
  const losses: number[] = [];
  for (let t = 0; t < count; t++) {
    const rows = [...order.subarray(t * batch, (t + 1) * batch)];
    const mean = (f: (row: number) => number) => rows.reduce((s, r) => s + f(r), 0) / batch;
    const gradient = w.map((_, i) => mean((row) => pixel(row, i)));
    const dot = w.reduce((sum, value, i) => sum + value * (gradient[i] as number), 0);
    losses.push(dot + mean((row) => labels[row] as number));
    for (let i = 0; i < 4; i++)
      w[i] = (w[i] as number) - (lr[t] as number) * (gradient[i] as number);
  }
  return { w, losses };
}
const scaled = (row: number, i: number) =>
  (pixels[row * 4 + i] as number) * (scale[i >> 1] as number) + (shift[i >> 1] as number);

function expectClose(actual: ArrayLike<number | bigint>, wanted: readonly number[]): void {
  expect(actual).toHaveLength(wanted.length);
  wanted.forEach((value, i) => {
    expect(Number(actual[i])).toBeCloseTo(value, 4);
  });
}

describe('the training loop', () => {
  it('does what plain arithmetic does, for odd and even step counts', async () => {
    const session = await Session.create(stepModel(), cpu);
    for (const count of [steps, steps - 1, 1, 0]) {
      const part = { ...request, order: order.subarray(0, count * batch) };
      const result = await session.runLoop(part);
      const { w, losses } = expected(count, scaled);
      expect(result.steps).toBe(count);
      expect(result.stopped).toBe('finished');
      expect(result.stepNs).toHaveLength(count);
      expect(result.stepNs.reduce((a, b) => a + b, 0)).toBeCloseTo(result.wallNs, -1);
      expectClose(result.recorded[0] as Float32Array, losses);
      expectClose((result.state[0] as HostTensor).data, w);
      expect(result.state[1]).toEqual({
        dtype: 'int64',
        dims: [],
        data: BigInt64Array.of(BigInt(count + 1)),
      });
    }
  });

  it('keeps state in place in the memory that it was given', async () => {
    const session = await Session.create(stepModel(), cpu);
    const count = request.state[1] as LoopRequest['state'][number];
    const value: HostTensor = { dtype: 'int64', dims: [], data: BigInt64Array.of(5n) };
    const state = [request.state[0] as typeof count, { ...count, value, inPlace: true }];
    const result = await session.runLoop({ ...request, state });
    expect(result.state[1]).toBe(value);
    expect(value.data).toEqual(BigInt64Array.of(BigInt(5 + steps)));
    const whole = await session.runLoop(request);
    expect(result.state[0]).toEqual(whole.state[0]);
    expect(one.data).toEqual(BigInt64Array.of(1n));
  });

  it('continues from its own result', async () => {
    const session = await Session.create(stepModel(), cpu);
    const whole = await session.runLoop(request);
    const half = 12;
    const first = await session.runLoop({ ...request, order: order.subarray(0, half * batch) });
    const second = await session.runLoop({
      ...request,
      order: order.subarray(half * batch),
      perStep: [{ name: 'lr', values: rates.subarray(half) }],
      state: request.state.map((state, i) => ({ ...state, value: first.state[i] as HostTensor })),
    });
    expect((second.state[0] as HostTensor).data).toEqual((whole.state[0] as HostTensor).data);
  });

  it('streams float32 and int32 rows, from shared memory, with one scale for all', async () => {
    const session = await Session.create(stepModel(), cpu);
    const source = new Float32Array(new SharedArrayBuffer(pixels.length * 4));
    source.set(pixels);
    const wide = { ...label, source: Int32Array.from(labels) };
    const plain = await session.runLoop({
      ...request,
      stream: [{ name: 'x', rowDims: [2, 2], dtype: 'float32', source }, wide],
    });
    const raw = expected(steps, (row, i) => pixels[row * 4 + i] as number);
    expectClose(
      plain.recorded[0]?.map((v) => v / 1000) as Float32Array,
      raw.losses.map((v) => v / 1000),
    );
    const single = { ...x, source, scale: Float32Array.of(0.01), shift: Float32Array.of(1) };
    const result = await session.runLoop({ ...request, stream: [single, wide] });
    const wanted = expected(steps, (row, i) => (pixels[row * 4 + i] as number) * 0.01 + 1);
    expectClose(result.recorded[0] as Float32Array, wanted.losses);
  });

  it('stops after the step whose loss passes the limit or is not finite', async () => {
    const session = await Session.create(stepModel(), cpu);
    const ascent = rates.map((rate) => -10 * rate);
    const { losses } = expected(steps, scaled, ascent);
    const limit = Math.max(...losses.slice(0, 3));
    const index = losses.findIndex((loss) => loss > limit);
    expect(index).toBeGreaterThan(2);
    const result = await session.runLoop({
      ...request,
      perStep: [{ name: 'lr', values: ascent }],
      limit,
    });
    expect(result).toMatchObject({ steps: index + 1, stopped: 'limit' });
    const broken = rates.slice();
    broken[3] = Number.NaN; // poisons the weights of step 4
    const nan = await session.runLoop({
      ...request,
      perStep: [{ name: 'lr', values: broken }],
      limit: 1e9,
    });
    expect(nan).toMatchObject({ steps: 5, stopped: 'limit' });
    expect(nan.recorded[0]?.[4]).toBeNaN();
  });

  const bad: [string, Partial<LoopRequest>, string][] = [
    ['unknown input', { stream: [x, label, { ...x, name: 'q' }] }, 'input "q": expected an input'],
    [
      'an input fed twice',
      { stream: [x, label, x] },
      'input "x": expected an input of the model that is fed once',
    ],
    ['an input not fed', { perStep: [] }, 'none given for "lr"'],
    ['row too high', { order: Uint32Array.of(0, 1, 2, rowCount) }, `up to row ${rowCount}`],
    ['ragged order', { order: new Uint32Array(6) }, 'expected a multiple of the batch size 4'],
    ['wrong row dims', { stream: [{ ...x, rowDims: [4] }, label] }, 'expected dims [?, 2, 2]'],
    [
      'scale of wrong length',
      { stream: [{ ...x, scale: new Float32Array(3) }, label] },
      'expected scale and shift of 1 or 2',
    ],
    [
      'too few values',
      { perStep: [{ name: 'lr', values: new Float32Array(3) }] },
      'for each of 25 steps',
    ],
    [
      'record of a tensor',
      { record: ['gradient'] },
      'output "gradient": expected dims [2, 2], received []',
    ],
    ['unknown output', { record: ['q'] }, 'output "q": expected an output of the model'],
    [
      'wrong source',
      { stream: [x, { ...label, source: new Float32Array(20) }] },
      'expected BigInt64Array or Uint8Array or Uint16Array or Int32Array as source of int64, received Float32Array',
    ],
  ];
  it.each(bad)('refuses: %s', async (_, change, message) => {
    const session = await Session.create(stepModel(), cpu);
    await expect(session.runLoop({ ...request, ...change })).rejects.toThrow(message);
  });
});
