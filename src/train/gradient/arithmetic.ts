/** Elementwise arithmetic with broadcasting; each formula is the derivative times the seed. */
import type { GradientRule } from './rule.js';

/** d(a+b) = da + db */
export const add: GradientRule = (c) => c.each(() => c.dy);

/** d(a−b) = da − db */
export const sub: GradientRule = (c) => c.each((i) => (i === 0 ? c.dy : c.neg(c.dy)));

/** d(a·b) = b·da + a·db */
export const mul: GradientRule = (c) => c.each((i) => c.mul(c.dy, c.x(1 - i)));

/** d(a/b) = da/b − (y/b)·db */
export const div: GradientRule = (c) =>
  c.each((i) => {
    const quotient = c.div(c.dy, c.x(1));
    return i === 0 ? quotient : c.neg(c.mul(quotient, c.y));
  });

/** d(aᵇ) = b·aᵇ⁻¹·da + aᵇ·ln a·db; the second term is 0 where a is 0, as in PyTorch. */
export const pow: GradientRule = (c) =>
  c.each((i) => {
    if (i === 0) {
      const exponent = c.sub(c.x(1), c.scalar(1, c.x(1)));
      return c.mul(c.dy, c.mul(c.x(1), c.op('Pow', [c.x(0), exponent])));
    }
    const zero = c.op('Equal', [c.x(0), c.scalar(0, c.x(0))]);
    const logarithm = c.op('Log', [c.where(zero, c.scalar(1, c.x(0)), c.x(0))]);
    return c.mul(c.dy, c.mul(c.y, logarithm));
  });

/** d(Σ xᵢ) = Σ dxᵢ */
export const sum: GradientRule = add;

/**
 * Max and Min of several tensors: the seed goes to the first input that equals the result.
 */
export const extremum: GradientRule = (c) => {
  let taken: string | undefined;
  return c.node.inputs.map((name, i) => {
    const equal = c.op('Equal', [name, c.y]);
    const first = taken === undefined ? equal : c.op('And', [equal, c.op('Not', [taken])]);
    taken = taken === undefined ? equal : c.op('Or', [taken, equal]);
    return c.wants[i] ? c.sumTo(c.mask(first), c.dims(name)) : undefined;
  });
};

/** d|x| = sign(x)·dx */
export const abs: GradientRule = (c) => [c.mul(c.dy, c.op('Sign', [c.x()]))];

/** d(−x) = −dx */
export const neg: GradientRule = (c) => [c.neg(c.dy)];

/** d(1/x) = −y²·dx */
export const reciprocal: GradientRule = (c) => [c.neg(c.mul(c.dy, c.mul(c.y, c.y)))];

/** d√x = dx / 2y */
export const sqrt: GradientRule = (c) => [c.div(c.dy, c.scale(c.y, 2))];

/** deˣ = y·dx */
export const exp: GradientRule = (c) => [c.mul(c.dy, c.y)];

/** d ln x = dx/x */
export const log: GradientRule = (c) => [c.div(c.dy, c.x())];

/** d erf(x) = 2/√π · exp(−x²)·dx */
export const erf: GradientRule = (c) => {
  const bell = c.op('Exp', [c.neg(c.mul(c.x(), c.x()))]);
  return [c.mul(c.dy, c.scale(bell, 2 / Math.sqrt(Math.PI)))];
};
