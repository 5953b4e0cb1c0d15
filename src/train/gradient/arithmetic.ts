/** Elementwise arithmetic with broadcasting; each formula is the derivative times the seed. */
import type { GradientContext, GradientRule } from './rule.js';

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

/**
 * d(aᵇ) = b·aᵇ⁻¹·da + aᵇ·ln a·db; as in PyTorch the first term is 0 where b is 0, and the second
 * where a is 0.
 */
export const pow: GradientRule = (c) => {
  const known = c.builder.constantOf(c.x(1));
  if (known?.length === 1 && c.wants[0]) return [constantPower(c, Number(known[0])), undefined];
  return c.each((i) => (i === 0 ? baseGradient(c) : exponentGradient(c)));
};

/** The exponent is one number. */
function constantPower(c: GradientContext, exponent: number): string | undefined {
  if (exponent === 0) return undefined;
  const slope = exponent === 2 ? c.x(0) : c.op('Pow', [c.x(0), c.scalar(exponent - 1, c.x(0))]);
  const value = exponent === 1 ? c.dy : c.mul(c.dy, c.scale(slope, exponent));
  return c.sumTo(value, c.dims(c.x(0)));
}

function baseGradient(c: GradientContext): string {
  const [one, zero] = [c.scalar(1, c.x(0)), c.scalar(0, c.x(0))];
  const exponent = c.op('CastLike', [c.x(1), c.x(0)]);
  const isZero = c.op('Equal', [exponent, zero]);
  const slope = c.op('Pow', [c.x(0), c.where(isZero, zero, c.sub(exponent, one))]);
  return c.mul(c.dy, c.mul(exponent, slope));
}

function exponentGradient(c: GradientContext): string {
  const isZero = c.op('Equal', [c.x(0), c.scalar(0, c.x(0))]);
  const logarithm = c.op('Log', [c.where(isZero, c.scalar(1, c.x(0)), c.x(0))]);
  return c.mul(c.dy, c.mul(c.y, logarithm));
}

/** d(Σ xᵢ) = Σ dxᵢ */
export const sum: GradientRule = add;

/** Max and Min: the seed in equal shares to the inputs that equal the result (as in PyTorch). */
export const extremum: GradientRule = (c) => {
  if (c.node.inputs.length === 1) return [c.dy];
  const hits = c.node.inputs.map((name) =>
    c.where(c.op('Equal', [name, c.y]), c.scalar(1), c.scalar(0)),
  );
  const share = c.div(c.dy, c.op('Sum', hits));
  return c.each((i) => c.mul(share, hits[i] as string));
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
