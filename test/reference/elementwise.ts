import { floatOf, intOf } from '../../src/ir/attributes.js';
import { elementTypeOf } from '../../src/ir/element-codes.js';
import type { Node } from '../../src/ir/graph.js';
import type { ElementType } from '../../src/util/tensor.js';
import { bitsOf, wrap } from './element-type.js';
import { type Kernel, type Kernels, need } from './kernel.js';
import { isSmallFloat, roundSmallFloat } from './small-float.js';
import { broadcast, broadcastDims, generate, getBroadcast, map, type Tensor } from './tensor.js';

/** A kernel that applies `f` to each element. */
export const unary =
  (f: (x: number, node: Node) => number): Kernel =>
  (node, inputs) => [map(need(inputs, 0), (x) => f(x, node))];

/** A kernel that applies `f` to each pair of elements, broadcast together. */
export const binary =
  (f: (a: number, b: number) => number): Kernel =>
  (_, inputs) => [broadcast([need(inputs, 0), need(inputs, 1)], f)];

/** A kernel that applies `f` to the elements at one place of all inputs, broadcast together. */
export const variadic =
  (f: (values: readonly number[]) => number): Kernel =>
  (_, inputs) => [broadcast(inputs as readonly Tensor[], (...values) => f(values))];

export const bit = (condition: boolean) => (condition ? 1 : 0);
const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

/** ln(1 + eˣ), for large x too. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** erf by its Taylor series near 0 and the continued fraction of erfc far from it. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 200; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * sum * (2 / Math.sqrt(Math.PI));
  }
  let fraction = 0;
  for (let n = 200; n > 0; n--) fraction = n / 2 / (a + fraction);
  const tail = Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction));
  return Math.sign(x) * (1 - tail);
}

/** Toward zero for integers; truth is what is not 0. Floats keep all their digits. */
export function cast(x: Tensor, dtype: ElementType | undefined, saturate = true): Tensor {
  if (isSmallFloat(dtype)) return map(x, (v) => roundSmallFloat(dtype, v, saturate));
  if (dtype === 'bool') return map(x, (v) => bit(v !== 0));
  if (bitsOf(dtype) === undefined) return { dims: x.dims, data: x.data };
  return map(x, (v) => wrap(BigInt(Math.trunc(v)), dtype));
}

/** Integer results keep what their type can hold: Add, Sub, Mul and Pow wrap around. */
const wrapping =
  (f: (a: number, b: number) => number): Kernel =>
  (_, inputs) => {
    const { dtype } = need(inputs, 0);
    const isInteger = bitsOf(dtype) !== undefined;
    const fold = (a: number, b: number) => {
      const value = f(a, b);
      return isInteger ? wrap(BigInt(Math.trunc(value)), dtype) : value;
    };
    return [broadcast([need(inputs, 0), need(inputs, 1)], fold)];
  };

export const elementwise: Kernels = {
  Abs: unary(Math.abs),
  Add: wrapping((a, b) => a + b),
  And: binary((a, b) => bit(a !== 0 && b !== 0)),
  Cast: (node, inputs) => [
    cast(need(inputs, 0), elementTypeOf(intOf(node, 'to', 1)), intOf(node, 'saturate', 1) === 1),
  ],
  Clip: (node, inputs) => {
    const low = inputs[1]?.data[0] ?? floatOf(node, 'min', Number.NEGATIVE_INFINITY);
    const high = inputs[2]?.data[0] ?? floatOf(node, 'max', Number.POSITIVE_INFINITY);
    return [map(need(inputs, 0), (x) => clamp(x, low, high))];
  },
  // Integers are divided toward zero.
  Div: wrapping((a, b) => a / b),
  Dropout: (node, inputs) => {
    const x = need(inputs, 0);
    const ratio = inputs[1]?.data[0] ?? floatOf(node, 'ratio', 0.5);
    if (inputs[2]?.data[0] === 1 && ratio !== 0) throw new Error('what Dropout drops is random');
    return [x, map(x, () => 1)];
  },
  Elu: unary((x, n) => (x > 0 ? x : floatOf(n, 'alpha', 1) * Math.expm1(x))),
  Equal: binary((a, b) => bit(a === b)),
  Erf: unary(erf),
  Exp: unary(Math.exp),
  Greater: binary((a, b) => bit(a > b)),
  GreaterOrEqual: binary((a, b) => bit(a >= b)),
  HardSigmoid: unary((x, n) => clamp(floatOf(n, 'alpha', 0.2) * x + floatOf(n, 'beta', 0.5), 0, 1)),
  HardSwish: unary((x) => x * clamp(x / 6 + 0.5, 0, 1)),
  Identity: unary((x) => x),
  LeakyRelu: unary((x, n) => (x > 0 ? x : floatOf(n, 'alpha', 0.01) * x)),
  Less: binary((a, b) => bit(a < b)),
  LessOrEqual: binary((a, b) => bit(a <= b)),
  Log: unary(Math.log),
  Max: variadic((values) => Math.max(...values)),
  Min: variadic((values) => Math.min(...values)),
  Mul: wrapping((a, b) => a * b),
  Neg: unary((x) => -x),
  Not: unary((x) => bit(x === 0)),
  Or: binary((a, b) => bit(a !== 0 || b !== 0)),
  Pow: wrapping((a, b) => a ** b),
  Reciprocal: unary((x) => 1 / x),
  Relu: unary((x) => Math.max(x, 0)),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Sign: unary(Math.sign),
  Softplus: unary(softplus),
  Sqrt: unary(Math.sqrt),
  Sub: wrapping((a, b) => a - b),
  Sum: variadic((values) => values.reduce((a, b) => a + b, 0)),
  Tanh: unary(Math.tanh),
  Where: (_, inputs) => {
    const [condition, a, b] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const dims = broadcastDims([condition.dims, a.dims, b.dims]);
    return [
      generate(dims, (index) => getBroadcast(getBroadcast(condition, index) !== 0 ? a : b, index)),
    ];
  },
};
