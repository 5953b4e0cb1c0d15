/** Activations beyond the common ones. Where the derivative jumps, the value is PyTorch's. */
import { floatOf, stringOf } from '../../ir/attributes.js';
import type { GradientContext, GradientRule } from './rule.js';

const isPositive = (c: GradientContext) => c.greater(c.x(), c.scalar(0));

/** y = α(e^(x/α) − 1) for x ≤ 0: dx where x > 0, else (y/α + 1)·dx */
export const celu: GradientRule = (c) => {
  const curve = c.add(c.scale(c.y, 1 / floatOf(c.node, 'alpha', 1)), c.scalar(1));
  return [c.where(isPositive(c), c.dy, c.mul(c.dy, curve))];
};

/** y = γα(eˣ − 1) for x ≤ 0: γ·dx where x > 0, else (y + γα)·dx */
export const selu: GradientRule = (c) => {
  const alpha = floatOf(c.node, 'alpha', SELU_ALPHA);
  const gamma = floatOf(c.node, 'gamma', SELU_GAMMA);
  const curve = c.mul(c.dy, c.add(c.y, c.scalar(gamma * alpha)));
  return [c.where(isPositive(c), c.scale(c.dy, gamma), curve)];
};

/** Defaults of Selu in the operator's specification. */
const SELU_ALPHA = 1.6732631921768188;
const SELU_GAMMA = 1.0507010221481323;

/** dx where x > 0, else slope·dx; the slope gathers x·dy where x ≤ 0. */
export const prelu: GradientRule = (c) => {
  const positive = isPositive(c);
  return c.each((i) => {
    if (i === 0) return c.where(positive, c.dy, c.mul(c.dy, c.x(1)));
    return c.where(positive, c.scalar(0), c.mul(c.dy, c.x()));
  });
};

/** dx where x > α */
export const thresholdedRelu: GradientRule = (c) => [
  c.mask(c.greater(c.x(), c.scalar(floatOf(c.node, 'alpha', 1)))),
];

/** dx where |x| > λ */
export const shrink: GradientRule = (c) => [
  c.mask(c.greater(c.op('Abs', [c.x()]), c.scalar(floatOf(c.node, 'lambd', 0.5)))),
];

/** y = x / (1 + |x|): dx / (1 + |x|)² */
export const softsign: GradientRule = (c) => {
  const divisor = c.add(c.op('Abs', [c.x()]), c.scalar(1));
  return [c.div(c.dy, c.mul(divisor, divisor))];
};

/** y = x·σ(αx) with s = σ(αx): s·(1 + αx·(1 − s))·dx */
export const swish: GradientRule = (c) => {
  const scaled = c.scale(c.x(), floatOf(c.node, 'alpha', 1));
  const gate = c.op('Sigmoid', [scaled]);
  const rest = c.mul(scaled, c.sub(c.scalar(1), gate));
  return [c.mul(c.dy, c.mul(gate, c.add(rest, c.scalar(1))))];
};

/** y = x·t with t = tanh(ln(1 + eˣ)): (t + x·σ(x)·(1 − t²))·dx */
export const mish: GradientRule = (c) => {
  const t = c.op('Tanh', [c.op('Softplus', [c.x()])]);
  const slope = c.mul(c.mul(c.x(), c.op('Sigmoid', [c.x()])), oneMinusSquare(c, t));
  return [c.mul(c.dy, c.add(t, slope))];
};

/**
 * y = x·Φ(x): (Φ(x) + x·φ(x))·dx, with Φ(x) = ½(1 + erf(x/√2)). In the approximation
 * Φ(x) = ½(1 + t) with t = tanh u, u = √(2/π)·(x + 0.044715·x³): its derivative is ½(1 − t²)·u′.
 */
export const gelu: GradientRule = (c) => {
  const square = c.mul(c.x(), c.x());
  const half = (value: string) => c.scale(c.add(value, c.scalar(1)), 0.5);
  let share: string;
  let density: string;
  if (stringOf(c.node, 'approximate', 'none') === 'tanh') {
    const slope = Math.sqrt(2 / Math.PI);
    const cubic = (factor: number) => c.add(c.scale(square, factor * slope), c.scalar(slope));
    const t = c.op('Tanh', [c.mul(c.x(), cubic(CUBIC))]);
    share = half(t);
    density = c.mul(c.scale(oneMinusSquare(c, t), 0.5), cubic(3 * CUBIC));
  } else {
    share = half(c.op('Erf', [c.scale(c.x(), Math.SQRT1_2)]));
    density = c.scale(c.op('Exp', [c.scale(square, -0.5)]), 1 / Math.sqrt(2 * Math.PI));
  }
  return [c.mul(c.dy, c.add(share, c.mul(c.x(), density)))];
};

/** Factor of the cubic term in the approximation of Gelu. */
const CUBIC = 0.044715;

/** 1 − t² */
function oneMinusSquare(c: GradientContext, t: string): string {
  return c.sub(c.scalar(1), c.mul(t, t));
}
