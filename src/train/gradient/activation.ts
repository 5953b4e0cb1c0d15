/** Activations. Where the derivative jumps, the value is PyTorch's. */
import { floatOf, intOf } from '../../ir/attributes.js';
import { nativeClipGradient } from './native.js';
import { frontAxis, type GradientContext, type GradientRule } from './rule.js';

/** dx where y > 0 */
export const relu: GradientRule = (c) => [
  c.native
    ? nativeClipGradient(c, 0, Number.POSITIVE_INFINITY)
    : c.mask(c.greater(c.y, c.scalar(0))),
];

/** dx where x > 0, else α·dx */
export const leakyRelu: GradientRule = (c) => {
  const slope = c.scale(c.dy, floatOf(c.node, 'alpha', 0.01));
  return [c.where(c.greater(c.x(), c.scalar(0)), c.dy, slope)];
};

/**
 * dx strictly inside the bounds, 0 on and outside them (as ReLU6 has it in PyTorch). A bound gathers
 * dy where it was taken; where they cross, the upper one is.
 */
export const clip: GradientRule = (c) =>
  c.each((i) => {
    if (i === 0) return insideBounds(c);
    return c.mask(i === 1 ? isBelow(c) : isAbove(c));
  });

function insideBounds(c: GradientContext): string {
  const [least, most] = [constantBound(c, 'min', 1), constantBound(c, 'max', 2)];
  if (c.native && least !== undefined && most !== undefined) {
    return nativeClipGradient(c, least, most);
  }
  const low = bound(c, 'min', 1);
  const high = bound(c, 'max', 2);
  const above = low === undefined ? undefined : c.greater(c.y, low);
  const below = high === undefined ? undefined : c.op('Less', [c.y, high]);
  if (above !== undefined && below !== undefined) return c.mask(c.op('And', [above, below]));
  const inside = above ?? below;
  return inside === undefined ? c.dy : c.mask(inside);
}

/** Where the lower bound is taken. */
function isBelow(c: GradientContext): string {
  const below = c.op('Less', [c.x(), c.x(1)]);
  return c.hasInput(2) ? c.op('And', [below, c.op('Not', [isAbove(c)])]) : below;
}

/** Where the upper bound is taken. */
function isAbove(c: GradientContext): string {
  const raised = c.hasInput(1) ? c.op('Max', [c.x(), c.x(1)]) : c.x();
  return c.greater(raised, c.x(2));
}

function bound(c: GradientContext, attribute: string, input: number): string | undefined {
  if (c.hasInput(input)) return c.x(input);
  const value = c.node.attributes[attribute];
  return value?.kind === 'float' ? c.scalar(value.value) : undefined;
}

/** The bound as a number; infinite where there is none, undefined where it is computed. */
function constantBound(c: GradientContext, name: 'min' | 'max', input: 1 | 2): number | undefined {
  if (c.hasInput(input)) {
    const data = c.builder.constantOf(c.x(input));
    return data === undefined ? undefined : Number(data[0]);
  }
  const none = name === 'min' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return floatOf(c.node, name, none);
}

/** y·(1−y)·dx */
export const sigmoid: GradientRule = (c) => [c.mul(c.dy, c.sub(c.y, c.mul(c.y, c.y)))];

/** (1−y²)·dx */
export const tanh: GradientRule = (c) => [c.sub(c.dy, c.mul(c.dy, c.mul(c.y, c.y)))];

/** α·dx where 0 < y < 1 */
export const hardSigmoid: GradientRule = (c) => {
  const inside = c.op('And', [c.greater(c.y, c.scalar(0)), c.op('Less', [c.y, c.scalar(1)])]);
  return [c.mask(inside, c.scale(c.dy, floatOf(c.node, 'alpha', 0.2)))];
};

/** y = x·h, h = clip(x/6 + ½, 0, 1): dy/dx = x/3 + ½ where |x| < 3, else h */
export const hardSwish: GradientRule = (c) => {
  if (c.native) {
    return [c.op('ActivationGrad', [c.dy, c.x()], { low: -3, high: 3, slope: 0, ramp: 1 })];
  }
  const gate = c.op('HardSigmoid', [c.x()], { alpha: 1 / 6, beta: 0.5 });
  const inside = c.op('Less', [c.op('Abs', [c.x()]), c.scalar(3)]);
  const slope = c.add(c.scale(c.x(), 1 / 3), c.scalar(0.5));
  return [c.mul(c.dy, c.where(inside, slope, gate))];
};

/** dx where x > 0, else (y+α)·dx */
export const elu: GradientRule = (c) => {
  const curve = c.mul(c.dy, c.add(c.y, c.scalar(floatOf(c.node, 'alpha', 1))));
  return [c.where(c.greater(c.x(), c.scalar(0)), c.dy, curve)];
};

/** d ln(1+eˣ) = σ(x)·dx */
export const softplus: GradientRule = (c) => [c.mul(c.dy, c.op('Sigmoid', [c.x()]))];

/** y·(dy − Σ dy·y) */
export const softmax: GradientRule = (c) => {
  const weighted = c.mul(c.dy, c.y);
  return [c.sub(weighted, c.mul(c.y, sumAlong(c, weighted)))];
};

/** dy − eʸ·Σ dy */
export const logSoftmax: GradientRule = (c) => [
  c.sub(c.dy, c.mul(c.op('Exp', [c.y]), sumAlong(c, c.dy))),
];

function sumAlong(c: GradientContext, value: string): string {
  return c.reduceSum(value, [frontAxis(intOf(c.node, 'axis', -1), c.dims(value).length)], 1);
}
