import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { activationScale, quantizeWeight } from '../../../src/ir/pass/quantize-numbers.js';
import { interpret } from '../../reference/interpreter.js';
import { tensor } from '../../reference/tensor.js';
import { run } from './small-nets.js';

const float = (max: number) => fc.float({ min: -max, max, noNaN: true });

describe('activationScale', () => {
  it('holds 0 exactly, nothing beyond the range, and the range to within a step', () => {
    fc.assert(
      fc.property(float(1e4), float(1e4), (a, b) => {
        const range = { min: Math.min(a, b), max: Math.max(a, b) };
        const { scale, zeroPoint } = activationScale(range);
        expect(Math.fround(scale)).toBe(scale);
        expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true);
        const [low, high] = [scale * -zeroPoint, scale * (255 - zeroPoint)];
        if (scale === 1 || scale === 2 ** -60) return;
        expect(high - low).toBeLessThanOrEqual(Math.max(0, range.max) - Math.min(0, range.min));
        expect(low).toBeLessThanOrEqual(Math.min(0, range.min) + scale);
        expect(high).toBeGreaterThanOrEqual(Math.max(0, range.max) - scale);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('never reaches beyond 6 behind a Relu6, so that ONNX Runtime drops the Clip', () => {
    const { scale, zeroPoint } = activationScale({ min: 0, max: 6 });
    expect(zeroPoint).toBe(0);
    expect(Math.fround(scale * 255)).toBeLessThanOrEqual(6);
    expect(scale * 255).toBeGreaterThan(6 - 1e-5);
  });

  it('rounds like QuantizeLinear: ONNX Runtime and the reference agree, ties included', async () => {
    const { scale, zeroPoint } = activationScale({ min: -1, max: 3 });
    const steps = Array.from({ length: 700 }, (_, i) => (i / 2 - 50) * scale);
    const b = new GraphBuilder('round');
    const x = b.input('x', 'float32', [steps.length]);
    const zero = b.constant({ dtype: 'uint8', dims: [], data: Uint8Array.of(zeroPoint) });
    const q = b.op('QuantizeLinear', [x, b.scalar(scale), zero]);
    b.output(b.op('DequantizeLinear', [q, b.scalar(scale), zero]), 'y');
    const graph = b.build();
    const data = Float32Array.from(steps);
    const { y } = await run(graph, { x: new ort.Tensor('float32', data, [data.length]) });
    const expected = interpret(graph, { x: tensor([data.length], data) }).get('y');
    expect(Array.from(y?.data as Float32Array)).toEqual(
      Array.from(expected?.data ?? [], (value) => Math.fround(value)),
    );
  });
});

describe('quantizeWeight', () => {
  const weights = fc.array(float(10), { minLength: 24, maxLength: 24 });

  it('is within half a step of every weight and bias, along either axis', () => {
    fc.assert(
      fc.property(weights, fc.constantFrom(0, 1), fc.constantFrom(63, 127), (data, axis, limit) => {
        const dims = [4, 6];
        const channels = dims[axis] as number;
        const bias = data.slice(0, channels);
        const result = quantizeWeight({ dims, data, axis }, bias, 0.02, limit);
        data.forEach((value, i) => {
          const scale = result.scales[axis === 0 ? Math.floor(i / 6) : i % 6] as number;
          const q = result.data[i] as number;
          expect(Math.abs(q)).toBeLessThanOrEqual(limit);
          expect(Math.abs(q * scale - value)).toBeLessThanOrEqual(scale * 0.5000001);
        });
        bias.forEach((value, c) => {
          const scale = result.biasScales[c] as number;
          expect(Math.abs((result.bias?.[c] as number) * scale - value)).toBeLessThanOrEqual(scale);
        });
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  it('gives each channel the scale of its own largest weight', () => {
    const { scales, data, bias } = quantizeWeight(
      { dims: [2, 2], data: [1, -2, 100, 50], axis: 0 },
      undefined,
      1,
      127,
    );
    expect(Array.from(scales)).toEqual([Math.fround(2 / 127), Math.fround(100 / 127)]);
    expect([Array.from(data), bias]).toEqual([[64, -127, 127, 64], undefined]);
  });

  it('keeps a bias exact where the weights are zero or tiny beside it', () => {
    const result = quantizeWeight({ dims: [2, 1], data: [0, 1e-9], axis: 0 }, [0.3, 50], 0.02, 127);
    [0.3, 50].forEach((value, c) => {
      const back = (result.bias?.[c] as number) * (result.biasScales[c] as number);
      expect(back).toBeCloseTo(value, 6);
      expect(Math.abs(result.bias?.[c] as number)).toBeLessThanOrEqual(2 ** 30 + 2 ** 7);
    });
  });
});
