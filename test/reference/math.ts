/** Reference: element by element: trigonometry, rounding, bits, further activations. */
import { floatOf, intOf, stringOf } from '../../src/ir/attributes.js';
import { elementTypeOf } from '../../src/ir/element-codes.js';
import {
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
} from '../../src/util/half.js';
import type { ElementType } from '../../src/util/tensor.js';
import { wrap } from './element-type.js';
import { binary, bit, cast, erf, softplus, unary, variadic } from './elementwise.js';
import { type Kernel, type Kernels, need } from './kernel.js';
import { broadcast, map } from './tensor.js';

/** Integer arithmetic on all the bits, in the type of the first input. */
const bitwise =
  (f: (a: bigint, b: bigint) => bigint): Kernel =>
  (_, inputs) => {
    const [a, b] = [need(inputs, 0), need(inputs, 1)];
    return [broadcast([a, b], (p, q) => wrap(f(BigInt(p), BigInt(q)), a.dtype))];
  };

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** To the nearest whole number, halves to the even one. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

function gelu(x: number, approximate: string): number {
  if (approximate === 'none') return 0.5 * x * (1 + erf(x / Math.SQRT2));
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** How numbers of a type are written to memory and read back, little-endian. */
const accessors: Partial<
  Record<ElementType, readonly [(v: DataView, x: number) => void, (v: DataView) => number | bigint]>
> = {
  bool: [(v, x) => v.setUint8(0, x), (v) => v.getUint8(0)],
  uint8: [(v, x) => v.setUint8(0, x), (v) => v.getUint8(0)],
  int8: [(v, x) => v.setInt8(0, x), (v) => v.getInt8(0)],
  uint16: [(v, x) => v.setUint16(0, x, true), (v) => v.getUint16(0, true)],
  int16: [(v, x) => v.setInt16(0, x, true), (v) => v.getInt16(0, true)],
  uint32: [(v, x) => v.setUint32(0, x, true), (v) => v.getUint32(0, true)],
  int32: [(v, x) => v.setInt32(0, x, true), (v) => v.getInt32(0, true)],
  uint64: [(v, x) => v.setBigUint64(0, BigInt(x), true), (v) => v.getBigUint64(0, true)],
  int64: [(v, x) => v.setBigInt64(0, BigInt(x), true), (v) => v.getBigInt64(0, true)],
  float32: [(v, x) => v.setFloat32(0, x, true), (v) => v.getFloat32(0, true)],
  float64: [(v, x) => v.setFloat64(0, x, true), (v) => v.getFloat64(0, true)],
  float16: [
    (v, x) => v.setUint16(0, encodeFloat16(x), true),
    (v) => decodeFloat16(v.getUint16(0, true)),
  ],
  bfloat16: [
    (v, x) => v.setUint16(0, encodeBfloat16(x), true),
    (v) => decodeBfloat16(v.getUint16(0, true)),
  ],
};

export const math: Kernels = {
  Acos: unary(Math.acos),
  Acosh: unary(Math.acosh),
  Asin: unary(Math.asin),
  Asinh: unary(Math.asinh),
  Atan: unary(Math.atan),
  Atanh: unary(Math.atanh),
  BitCast: (node, inputs) => {
    const x = need(inputs, 0);
    const to = elementTypeOf(intOf(node, 'to', 0));
    const [write] = accessors[x.dtype ?? 'float32'] ?? [];
    const [, read] = (to && accessors[to]) ?? [];
    if (write === undefined || read === undefined) throw new Error(`${x.dtype} as ${to}`);
    const view = new DataView(new ArrayBuffer(8));
    return [
      map(x, (v) => {
        write(view, v);
        return Number(read(view));
      }),
    ];
  },
  BitShift: (node, inputs, opset) => {
    const left = stringOf(node, 'direction', '') === 'LEFT';
    return bitwise((a, b) => (left ? a << b : a >> b))(node, inputs, opset);
  },
  BitwiseAnd: bitwise((a, b) => a & b),
  BitwiseNot: (_, inputs) => {
    const x = need(inputs, 0);
    return [map(x, (v) => wrap(~BigInt(v), x.dtype))];
  },
  BitwiseOr: bitwise((a, b) => a | b),
  BitwiseXor: bitwise((a, b) => a ^ b),
  CastLike: (node, inputs) => [
    cast(need(inputs, 0), need(inputs, 1).dtype, intOf(node, 'saturate', 1) === 1),
  ],
  Ceil: unary(Math.ceil),
  Celu: unary((x, n) => {
    const alpha = floatOf(n, 'alpha', 1);
    return Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
  }),
  Cos: unary(Math.cos),
  Cosh: unary(Math.cosh),
  Floor: unary(Math.floor),
  Gelu: unary((x, n) => gelu(x, stringOf(n, 'approximate', 'none'))),
  IsInf: unary((x, n) => {
    const positive = intOf(n, 'detect_positive', 1) === 1 && x === Number.POSITIVE_INFINITY;
    const negative = intOf(n, 'detect_negative', 1) === 1 && x === Number.NEGATIVE_INFINITY;
    return bit(positive || negative);
  }),
  IsNaN: unary((x) => bit(Number.isNaN(x))),
  Mean: variadic((values) => values.reduce((a, b) => a + b, 0) / values.length),
  Mish: unary((x) => x * Math.tanh(softplus(x))),
  Mod: (node, inputs, opset) => {
    const truncated = intOf(node, 'fmod', 0) === 1;
    return binary((a, b) => (truncated ? a % b : a - b * Math.floor(a / b)))(node, inputs, opset);
  },
  PRelu: binary((x, slope) => (x < 0 ? slope * x : x)),
  Round: unary(roundHalfEven),
  Selu: unary((x, n) => {
    const alpha = floatOf(n, 'alpha', 1.6732631921768188);
    return floatOf(n, 'gamma', 1.0507010221481323) * (x > 0 ? x : alpha * Math.expm1(x));
  }),
  Shrink: unary((x, n) => {
    const [bias, lambda] = [floatOf(n, 'bias', 0), floatOf(n, 'lambd', 0.5)];
    if (x < -lambda) return x + bias;
    return x > lambda ? x - bias : 0;
  }),
  Sin: unary(Math.sin),
  Sinh: unary(Math.sinh),
  Softsign: unary((x) => x / (1 + Math.abs(x))),
  Swish: unary((x, n) => x * sigmoid(floatOf(n, 'alpha', 1) * x)),
  Tan: unary(Math.tan),
  ThresholdedRelu: unary((x, n) => (x > floatOf(n, 'alpha', 1) ? x : 0)),
  Xor: binary((a, b) => bit((a !== 0) !== (b !== 0))),
};
