/**
 * Floats of 8 and 4 bits: the values that each code stands for, listed from the definitions (OCP
 * 8-bit floating point; arXiv 2206.02915 for the kinds without negative zero; OCP microscaling formats
 * for 4 bits and for powers of two), and rounding to the nearest of them.
 */
import type { ElementType } from '../../src/util/tensor.js';

interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly bias: number;
  /** Codes (without sign) that are infinite or no numbers. */
  special(code: number): number | undefined;
  /** Code 0x80 is no number instead of −0, and nothing else is special. */
  readonly noNegativeZero?: true;
}

const formats: Readonly<Partial<Record<ElementType, Format>>> = {
  float8e4m3fn: format(4, 3, 7, (code) => (code === 0x7f ? Number.NaN : undefined)),
  float8e4m3fnuz: { ...format(4, 3, 8, () => undefined), noNegativeZero: true },
  float8e5m2: format(5, 2, 15, (code) => {
    if (code === 0x7c) return Number.POSITIVE_INFINITY;
    return code > 0x7c ? Number.NaN : undefined;
  }),
  float8e5m2fnuz: { ...format(5, 2, 16, () => undefined), noNegativeZero: true },
  float4e2m1: format(2, 1, 1, () => undefined),
};

function format(
  exponentBits: number,
  fractionBits: number,
  bias: number,
  special: Format['special'],
): Format {
  return { exponentBits, fractionBits, bias, special };
}

/** Whether the type is one of these. */
export function isSmallFloat(dtype: ElementType | undefined): dtype is ElementType {
  return dtype === 'float8e8m0' || (dtype !== undefined && formats[dtype] !== undefined);
}

/** Value of a code. */
export function decodeSmallFloat(dtype: ElementType, code: number): number {
  if (dtype === 'float8e8m0') return code === 0xff ? Number.NaN : 2 ** (code - 127);
  const f = formats[dtype];
  if (f === undefined) throw new Error(`no small float: ${dtype}`);
  const magnitudeBits = f.exponentBits + f.fractionBits;
  const sign = code >> magnitudeBits === 1 ? -1 : 1;
  const magnitude = code & (2 ** magnitudeBits - 1);
  if (f.noNegativeZero === true && sign === -1 && magnitude === 0) return Number.NaN;
  const special = f.special(magnitude);
  if (special !== undefined) return sign * special;
  const exponent = magnitude >> f.fractionBits;
  const fraction = (magnitude & (2 ** f.fractionBits - 1)) / 2 ** f.fractionBits;
  return exponent === 0
    ? sign * fraction * 2 ** (1 - f.bias)
    : sign * (1 + fraction) * 2 ** (exponent - f.bias);
}

/**
 * The nearest value of the type, ties to the even code. What is too large becomes the largest value
 * (`saturate`), else infinite or no number as the type has it.
 */
export function roundSmallFloat(dtype: ElementType, x: number, saturate: boolean): number {
  // Four bits hold no NaN: it becomes zero.
  if (Number.isNaN(x)) return dtype === 'float4e2m1' ? -0 : Number.NaN;
  if (dtype === 'float8e8m0') return roundPowerOfTwo(x, saturate);
  const f = formats[dtype] as Format;
  const size = Math.abs(x);
  const count = 2 ** (f.exponentBits + f.fractionBits);
  const codes = Array.from({ length: count }, (_, code) => code).filter((code) =>
    Number.isFinite(decodeSmallFloat(dtype, code)),
  );
  const largest = Math.max(...codes.map((code) => decodeSmallFloat(dtype, code)));
  const next = largest + (largest - decodeSmallFloat(dtype, (codes.at(-1) as number) - 1)) / 2;
  const sign = x < 0 ? -1 : 1;
  if (size > largest) {
    const fits = size < next || (size === next && (codes.at(-1) as number) % 2 === 0);
    if (saturate || fits || dtype === 'float4e2m1') return sign * largest;
    return dtype === 'float8e5m2' ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  let best = 0;
  for (const code of codes) {
    const [near, far] = [decodeSmallFloat(dtype, code), decodeSmallFloat(dtype, best)];
    const [a, b] = [Math.abs(near - size), Math.abs(far - size)];
    if (a < b || (a === b && code % 2 === 0)) best = code;
  }
  return sign * decodeSmallFloat(dtype, best);
}

/** Positive powers of two: up, as ONNX casts to float8e8m0 by default. */
function roundPowerOfTwo(x: number, saturate: boolean): number {
  const exponent = Math.ceil(Math.log2(Math.abs(x)));
  if (exponent > 127) return saturate ? 2 ** 127 : Number.NaN;
  return 2 ** Math.max(-127, exponent);
}
