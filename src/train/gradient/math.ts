/** Gradients: element by element: trigonometry, rounding, bits, further activations. */
import type { mathSchemas } from '../../ir/schema/math.js';
import * as activation from './further-activation.js';
import { cast } from './layout.js';
import type { GradientContext, GradientRow, GradientRule, NotDifferentiable } from './rule.js';

const integer: NotDifferentiable = { notDifferentiable: 'it works on the bits of integers' };
const logical: NotDifferentiable = { notDifferentiable: 'its result is true or false' };

/** dy times a derivative that the rule computes from x or y. */
const times =
  (derivative: (c: GradientContext) => string): GradientRule =>
  (c) => [c.mul(c.dy, derivative(c))];

/** dy divided by what the rule computes from x or y. */
const over =
  (divisor: (c: GradientContext) => string): GradientRule =>
  (c) => [c.div(c.dy, divisor(c))];

/** a² + shift */
const squarePlus = (c: GradientContext, a: string, shift: number) =>
  c.add(c.mul(a, a), c.scalar(shift));

/** (1 − x)(1 + x): 1 − x² without loss of digits near 1. */
const oneMinusSquare = (c: GradientContext) =>
  c.mul(c.sub(c.scalar(1), c.x()), c.add(c.scalar(1), c.x()));

const sqrt = (c: GradientContext, value: string) => c.op('Sqrt', [value]);

/**
 * Constant between its jumps: the gradient is 0, as in PyTorch, and what stands beside it (x − ⌊x⌋)
 * has the right one.
 */
export const piecewiseConstant: GradientRule = () => [undefined];

/** y = a − n·b with a whole number n that is constant between its jumps: da − n·db */
const mod: GradientRule = (c) =>
  c.each((i) => {
    if (i === 0) return c.dy;
    const whole = c.op('Round', [c.div(c.sub(c.x(0), c.y), c.x(1))]);
    return c.neg(c.mul(c.dy, whole));
  });

/** dy / n to each of n inputs. */
const mean: GradientRule = (c) => {
  const share = c.scale(c.dy, 1 / c.node.inputs.length);
  return c.each(() => share);
};

export const mathGradients: Readonly<Record<keyof typeof mathSchemas, GradientRow>> = {
  Acos: over((c) => c.neg(sqrt(c, oneMinusSquare(c)))),
  Acosh: over((c) => sqrt(c, c.neg(oneMinusSquare(c)))),
  Asin: over((c) => sqrt(c, oneMinusSquare(c))),
  Asinh: over((c) => sqrt(c, squarePlus(c, c.x(), 1))),
  Atan: over((c) => squarePlus(c, c.x(), 1)),
  Atanh: over(oneMinusSquare),
  BitCast: { notDifferentiable: 'it reads the bits of a number as those of another' },
  BitShift: integer,
  BitwiseAnd: integer,
  BitwiseNot: integer,
  BitwiseOr: integer,
  BitwiseXor: integer,
  CastLike: cast,
  Ceil: piecewiseConstant,
  Celu: activation.celu,
  Cos: times((c) => c.neg(c.op('Sin', [c.x()]))),
  Cosh: times((c) => c.op('Sinh', [c.x()])),
  Floor: piecewiseConstant,
  Gelu: activation.gelu,
  IsInf: logical,
  IsNaN: logical,
  Mean: mean,
  Mish: activation.mish,
  Mod: mod,
  PRelu: activation.prelu,
  Round: piecewiseConstant,
  Selu: activation.selu,
  Shrink: activation.shrink,
  Sin: times((c) => c.op('Cos', [c.x()])),
  Sinh: times((c) => c.op('Cosh', [c.x()])),
  Softsign: activation.softsign,
  Swish: activation.swish,
  Tan: times((c) => squarePlus(c, c.y, 1)),
  ThresholdedRelu: activation.thresholdedRelu,
  Xor: logical,
};
