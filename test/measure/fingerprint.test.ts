import { describe, expect, it } from 'vitest';
import { isSameOutput } from '../../src/measure/fingerprint.js';
import {
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
} from '../../src/util/half.js';
import type { HostTensor } from '../../src/util/tensor.js';

const floats = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  dims: [values.length],
  data: Float32Array.from(values),
});

describe('isSameOutput', () => {
  it('allows rounding relative to the largest value', () => {
    expect(isSameOutput({ a: floats(100, 1e-3) }, { a: floats(100.001, 2e-3) })).toBe(true);
    expect(isSameOutput({ a: floats(1, 1e-3) }, { a: floats(1, 2e-3) })).toBe(false);
  });

  it('takes NaN and infinities as they are', () => {
    const special = floats(Number.NaN, Number.POSITIVE_INFINITY, 1);
    expect(isSameOutput({ a: special }, { a: special })).toBe(true);
    expect(isSameOutput({ a: special }, { a: floats(0, Number.POSITIVE_INFINITY, 1) })).toBe(false);
    expect(
      isSameOutput({ a: special }, { a: floats(Number.NaN, Number.NEGATIVE_INFINITY, 1) }),
    ).toBe(false);
  });

  it('compares shapes, types and counts', () => {
    expect(isSameOutput({ a: floats(1) }, { a: floats(1), b: floats(1) })).toBe(false);
    expect(isSameOutput({ a: floats(1) }, { a: { ...floats(1), dims: [1, 1] } })).toBe(false);
    expect(isSameOutput({ a: floats(1) }, { a: { ...floats(1), dtype: 'float64' } })).toBe(false);
  });

  it('wants integers equal, quantised ones to one step', () => {
    const of = (dtype: 'int64' | 'int8', value: number): HostTensor => ({
      dtype,
      dims: [1],
      data: dtype === 'int64' ? BigInt64Array.of(BigInt(value)) : Int8Array.of(value),
    });
    expect(isSameOutput({ a: of('int64', 3) }, { a: of('int64', 4) })).toBe(false);
    expect(isSameOutput({ a: of('int8', 3) }, { a: of('int8', 4) })).toBe(true);
    expect(isSameOutput({ a: of('int8', 3) }, { a: of('int8', 5) })).toBe(false);
  });
});

describe('16-bit floats', () => {
  it.each([
    [0, 0],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65520, 0x7c00],
    [2 ** -24, 1],
    [2 ** -14, 0x0400],
    [1 / 3, 0x3555],
    // A tie between 2048 and 2050 goes to the even fraction.
    [2049, 0x6800],
  ])('encodes %d as binary16', (value, bits) => {
    expect(encodeFloat16(value)).toBe(bits);
  });

  it('round-trips every finite bit pattern', () => {
    const patterns = Array.from({ length: 0x10000 }, (_, bits) => bits);
    const half = patterns.filter((bits) => (bits & 0x7c00) !== 0x7c00);
    expect(half.map((bits) => encodeFloat16(decodeFloat16(bits)))).toEqual(half);
    const brain = patterns.filter((bits) => (bits & 0x7f80) !== 0x7f80);
    expect(brain.map((bits) => encodeBfloat16(decodeBfloat16(bits)))).toEqual(brain);
  });

  it('rounds bfloat16 to the nearest', () => {
    expect(encodeBfloat16(1)).toBe(0x3f80);
    expect(decodeBfloat16(encodeBfloat16(Math.PI))).toBe(3.140625);
  });
});
