import { describe, expect, it } from 'vitest';
import { createAttributes } from '../../src/ir/attributes.js';
import { Rng } from '../../src/util/random.js';
import { elementCount, type HostTensor } from '../../src/util/tensor.js';
import { native } from '../reference/native.js';
import { fromHost } from '../reference/stored.js';
import { type Attributes, float, int, ints, runNode } from './run-node.js';

/**
 * The kernels of `kernels/cpu` through their custom operators, against ONNX Runtime's own Conv (for
 * gradients by the adjoint identity ⟨dY, conv(X, W′)⟩ = ⟨dW, W′⟩) and plain arithmetic in float64.
 */

const random = (rng: Rng, dims: readonly number[]): HostTensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from({ length: elementCount(dims) }, () => rng.normal()),
});
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};
const norm = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a));
const numbers = (t: HostTensor): Float32Array => t.data as Float32Array;

interface ConvCase {
  readonly x: readonly [number, number, number, number];
  readonly out: number;
  readonly kernel: readonly [number, number];
  readonly strides?: readonly [number, number];
  readonly dilations?: readonly [number, number];
  readonly pads?: readonly [number, number, number, number];
  readonly group?: number;
}

const cases: Record<string, ConvCase> = {
  '3×3 same': { x: [5, 3, 9, 8], out: 7, kernel: [3, 3], pads: [1, 1, 1, 1] },
  'pointwise, small planes': { x: [7, 5, 7, 7], out: 6, kernel: [1, 1] },
  'pointwise, large planes': { x: [3, 5, 20, 20], out: 6, kernel: [1, 1] },
  'pointwise, strided': { x: [3, 4, 9, 9], out: 5, kernel: [1, 1], strides: [2, 2] },
  'depthwise 5×5': { x: [4, 6, 8, 8], out: 6, kernel: [5, 5], pads: [2, 2, 2, 2], group: 6 },
  'depthwise strided': {
    x: [4, 6, 9, 9],
    out: 6,
    kernel: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    group: 6,
  },
  'grouped, several outputs per group': {
    x: [3, 4, 7, 7],
    out: 8,
    kernel: [3, 3],
    pads: [1, 1, 1, 1],
    group: 2,
  },
  'uneven everything': {
    x: [2, 4, 11, 10],
    out: 6,
    kernel: [2, 3],
    strides: [3, 2],
    dilations: [2, 1],
    pads: [0, 2, 1, 1],
    group: 2,
  },
  'stride leaves a rest': { x: [2, 2, 8, 8], out: 3, kernel: [3, 3], strides: [3, 3] },
  'vectors of channels': { x: [3, 32, 9, 8], out: 19, kernel: [3, 3], pads: [1, 1, 1, 1] },
  'vectors of channels, not full': {
    x: [2, 28, 11, 10],
    out: 24,
    kernel: [2, 3],
    strides: [3, 2],
    dilations: [2, 1],
    pads: [0, 2, 1, 1],
    group: 2,
  },
  'vectors of channels, more rows than the first cache holds': {
    x: [2, 16, 40, 40],
    out: 9,
    kernel: [5, 5],
    pads: [3, 1, 2, 2],
  },
  'vectors of channels, pointwise and strided': {
    x: [3, 48, 7, 7],
    out: 13,
    kernel: [1, 1],
    strides: [2, 2],
  },
  'one image, one channel': { x: [1, 1, 1, 1], out: 2, kernel: [1, 1] },
};

describe.each(Object.entries(cases))('convolution kernels: %s', (name, c) => {
  const group = c.group ?? 1;
  const w = [c.out, c.x[1] / group, ...c.kernel] as const;
  const strides = c.strides ?? [1, 1];
  const dilations = c.dilations ?? [1, 1];
  const pads = c.pads ?? [0, 0, 0, 0];
  const size = (axis: 0 | 1): number => {
    const reach = (c.kernel[axis] - 1) * dilations[axis] + 1;
    const padded = c.x[2 + axis]! + pads[axis] + pads[2 + axis]!;
    return Math.floor((padded - reach) / strides[axis]) + 1;
  };
  const y = [c.x[0], c.out, size(0), size(1)];
  const attributes = {
    pads: ints(...pads),
    strides: ints(...strides),
    dilations: ints(...dilations),
    group: int(group),
  };

  it('agree with ONNX Runtime on one and two threads', async () => {
    const rng = new Rng(name);
    const x = random(rng, c.x);
    const weight = random(rng, w);
    const bias = random(rng, [c.out]);
    const dy = random(rng, y);
    const forward = [x, weight, bias];
    const [expected] = await runNode('', 'Conv', forward, [y], attributes);
    const [linear] = await runNode('', 'Conv', [x, weight], [y], attributes);
    for (const threads of [1, 2]) {
      const run = (op: string, inputs: HostTensor[], dims: readonly number[], more: Attributes) =>
        runNode('archwright', op, inputs, [dims], { ...attributes, ...more }, threads);
      const [actual] = await run('TrainingConv', forward, y, {});
      const error = actual!.map((v, i) => v - expected![i]!);
      expect(norm(error)).toBeLessThan(1e-5 * norm(expected!));

      const [dw] = await run('ConvWeightGrad', [dy, x], w, { kernel_shape: ints(...c.kernel) });
      const scale = norm(numbers(dy)) * norm(linear!);
      const product = dot(numbers(dy), linear!);
      expect(Math.abs(dot(dw!, numbers(weight)) - product)).toBeLessThan(1e-5 * scale);
      const spatial = { spatial_shape: ints(c.x[2], c.x[3]) };
      const [dx] = await run('ConvInputGrad', [dy, weight], c.x, spatial);
      expect(Math.abs(dot(dx!, numbers(x)) - product)).toBeLessThan(1e-5 * scale);
      // One direction is one equation: unit directions pin single elements.
      for (let probe = 0; probe < 6; probe++) {
        const at = rng.integer(elementCount(w));
        const unit = { ...weight, data: new Float32Array(elementCount(w)) };
        unit.data[at] = 1;
        const [row] = await runNode('', 'Conv', [x, unit], [y], attributes);
        expect(Math.abs(dw![at]! - dot(numbers(dy), row!))).toBeLessThan(1e-4 * norm(row!) + 1e-5);
        const pixel = rng.integer(elementCount(c.x));
        const spot = { ...x, data: new Float32Array(elementCount(c.x)) };
        spot.data[pixel] = 1;
        const [column] = await runNode('', 'Conv', [spot, weight], [y], attributes);
        const want = dot(numbers(dy), column!);
        expect(Math.abs(dx![pixel]! - want)).toBeLessThan(1e-4 * norm(column!) + 1e-5);
      }
    }
  });
});

describe.each([
  ['images', [6, 5, 7, 7]],
  ['features', [33, 9]],
  ['one value per channel and image', [4, 3, 1, 1]],
])('batch normalisation kernels over %s', (name, dims) => {
  const channels = dims[1] as number;
  const plane = elementCount(dims.slice(2));
  const count = (dims[0] as number) * plane;
  const channelOf = (i: number): number => Math.floor(i / plane) % channels;

  it('agree with float64 arithmetic', async () => {
    const rng = new Rng(name);
    const shifted = random(rng, dims);
    // A mean much larger than the spread must cost no digits.
    const x = { ...shifted, data: numbers(shifted).map((v, i) => v + 50 * channelOf(i)) };
    const scale = random(rng, [channels]);
    const bias = random(rng, [channels]);
    const c = [channels];
    const [y, mean, variance, invStd] = await runNode(
      'archwright',
      'TrainingBatchNorm',
      [x, scale, bias],
      [dims, c, c, c],
      { epsilon: float(1e-5) },
    );
    const dy = random(rng, dims);
    const [dx, dScale, dBias] = await runNode(
      'archwright',
      'BatchNormGrad',
      [dy, x, scale, tensor(mean!, c), tensor(invStd!, c)],
      [dims, c, c],
      {},
    );
    for (let channel = 0; channel < channels; channel++) {
      const at = [...numbers(x).keys()].filter((i) => channelOf(i) === channel);
      const m = at.reduce((sum, i) => sum + numbers(x)[i]!, 0) / count;
      const v = at.reduce((sum, i) => sum + (numbers(x)[i]! - m) ** 2, 0) / count;
      const r = 1 / Math.sqrt(v + 1e-5);
      const s = numbers(scale)[channel]!;
      const hat = (i: number): number => (numbers(x)[i]! - m) * r;
      const sumDy = at.reduce((sum, i) => sum + numbers(dy)[i]!, 0);
      const sumHat = at.reduce((sum, i) => sum + numbers(dy)[i]! * hat(i), 0);
      expect(Math.abs(mean![channel]! - m)).toBeLessThan(1e-5 * (1 + Math.abs(m)));
      expect(variance![channel]).toBeCloseTo(v, 4);
      expect(dBias![channel]).toBeCloseTo(sumDy, 3);
      expect(dScale![channel]).toBeCloseTo(sumHat, 3);
      for (const i of at) {
        expect(Math.abs(y![i]! - (s * hat(i) + numbers(bias)[channel]!))).toBeLessThan(1e-4);
        const want = s * r * (numbers(dy)[i]! - sumDy / count - (hat(i) * sumHat) / count);
        expect(Math.abs(dx![i]! - want)).toBeLessThan(2e-4 * (1 + Math.abs(s * r)));
      }
    }
  });
});

const tensor = (values: Float64Array, dims: readonly number[]): HostTensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from(values),
});

describe('pooling and activation kernels', () => {
  it('add each gradient where the maximum stood', async () => {
    const rng = new Rng('pool');
    const dy = random(rng, [2, 3, 2, 2]);
    const indices = BigInt64Array.from({ length: 24 }, (_, i) =>
      BigInt(Math.floor(i / 4) * 16 + rng.integer(16)),
    );
    const [dx] = await runNode(
      'archwright',
      'MaxPoolGrad',
      [dy, { dtype: 'int64', dims: [2, 3, 2, 2], data: indices }],
      [[2, 3, 4, 4]],
      { spatial_shape: ints(4, 4) },
    );
    const want = new Float64Array(96);
    indices.forEach((at, i) => {
      want[Number(at)]! += numbers(dy)[i]!;
    });
    dx!.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i]!, 5);
    });
  });

  it.each([
    ['Relu', { low: 0, high: Infinity, slope: 1, ramp: 0 }, (x: number) => (x > 0 ? 1 : 0)],
    ['Clip', { low: 0, high: 6, slope: 1, ramp: 0 }, (x: number) => (x > 0 && x < 6 ? 1 : 0)],
    [
      'HardSwish',
      { low: -3, high: 3, slope: 0, ramp: 1 },
      (x: number) => (x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5),
    ],
  ])('scale by the slope of %s', async (_, a, slope) => {
    const rng = new Rng('activation');
    const dy = random(rng, [3, 37]);
    const x = { ...dy, data: Float32Array.from({ length: 111 }, () => 5 * rng.normal()) };
    const [dx] = await runNode('archwright', 'ActivationGrad', [dy, x], [[3, 37]], {
      low: float(a.low),
      high: float(a.high),
      slope: float(a.slope),
      ramp: int(a.ramp),
    });
    dx!.forEach((v, i) => {
      expect(v).toBeCloseTo(numbers(dy)[i]! * slope(x.data[i]!), 5);
    });
  });
});

describe('draws of tensors', () => {
  const node = (normal: number, offset: number, scale: number) => ({
    normal: int(normal),
    offset: float(offset),
    scale: float(scale),
    seed: int(77),
  });
  const inputs = (dims: readonly number[], run: number): HostTensor[] => [
    { dtype: 'float32', dims, data: new Float32Array(elementCount(dims)) },
    { dtype: 'float32', dims: [], data: Float32Array.of(run) },
  ];

  it.each([0, 1])(
    'are those of the formula, with any number of threads (normal %i)',
    async (normal) => {
      for (const [threads, run] of [
        [1, 0],
        [2, 12_345],
        [2, 2 ** 23],
      ] as const) {
        const dims = [3, 37];
        const [y] = await runNode(
          'archwright',
          'TensorDraws',
          inputs(dims, run),
          [dims],
          node(normal, -1, 2.5),
          threads,
        );
        const attributes = createAttributes('TensorDraws', {
          normal,
          offset: -1,
          scale: 2.5,
          seed: 77,
        });
        const source = {
          name: 'n',
          op: 'TensorDraws',
          domain: 'archwright',
          inputs: [],
          outputs: [],
          attributes,
        };
        const [expected] = native.TensorDraws?.(source, inputs(dims, run).map(fromHost), 17) ?? [];
        y!.forEach((value, i) => {
          expect(value).toBeCloseTo(expected?.data[i] as number, 5);
        });
      }
    },
  );

  it('have the moments of their distribution', async () => {
    const dims = [40_000];
    const [uniform] = await runNode(
      'archwright',
      'TensorDraws',
      inputs(dims, 3),
      [dims],
      node(0, 0, 1),
    );
    const [normal] = await runNode(
      'archwright',
      'TensorDraws',
      inputs(dims, 3),
      [dims],
      node(1, 0, 1),
    );
    const moment = (y: Float64Array, power: number) =>
      y.reduce((sum, v) => sum + v ** power, 0) / y.length;
    // Within five standard errors.
    expect(Math.abs(moment(uniform!, 1) - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / 40_000));
    expect(Math.abs(moment(uniform!, 2) - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / 40_000));
    expect(Math.min(...uniform!)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform!)).toBeLessThan(1);
    expect(Math.abs(moment(normal!, 1))).toBeLessThan(5 * Math.sqrt(1 / 40_000));
    expect(Math.abs(moment(normal!, 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / 40_000));
    expect(Math.abs(moment(normal!, 4) - 3)).toBeLessThan(5 * Math.sqrt(96 / 40_000));
  });
});
