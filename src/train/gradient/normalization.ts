/** Batch and layer normalisation. x̂ = (x − μ)·r with r = 1/√(σ² + ε); y = γ·x̂ + β. */
import { floatOf, intOf } from '../../ir/attributes.js';
import {
  countAlong,
  frontAxis,
  type GradientContext,
  type GradientRule,
  type Gradients,
  range,
} from './rule.js';

/** Both forms, by `training_mode`. */
export const batchNormalization: GradientRule = (c) =>
  intOf(c.node, 'training_mode', 0) === 1 ? trainingForm(c) : inferenceForm(c);

/** μ and σ² are inputs: dx = γr·dy, dγ = Σ dy·x̂, dβ = Σ dy, dμ = −γr·Σ dy, dσ² = −½γr²·dγ. */
function inferenceForm(c: GradientContext): Gradients {
  const rate = reciprocalRoot(c, c.x(4));
  const gain = c.mul(c.x(1), rate);
  const sum = memo(() => c.reduceSum(c.dy, channelAxes(c)));
  const scale = memo(() => scaleGradient(c, sum(), c.x(3), rate));
  const gradients = [
    () => c.mul(c.dy, perChannel(c, gain)),
    scale,
    sum,
    () => c.neg(c.mul(gain, sum())),
    () => c.scale(c.mul(c.mul(gain, rate), scale()), -0.5),
  ];
  return gradients.map((gradient, i) => (c.wants[i] ? gradient() : undefined));
}

/**
 * μ and σ² are the batch's own, m elements per channel:
 * dx = γr·(dy − dβ/m − x̂·dγ/m) = A·dy + B·x + C with A = γr, B = −A·r·dγ/m, C = −A·dβ/m − B·μ.
 * The running statistics carry no gradient.
 */
function trainingForm(c: GradientContext): Gradients {
  const axes = channelAxes(c);
  const m = countAlong(c.dims(c.x()), axes);
  const mean = batchStatistic(c, 1);
  const rate = reciprocalRoot(c, batchStatistic(c, 2));
  const sum = c.reduceSum(c.dy, axes);
  const scale = scaleGradient(c, sum, mean, rate);
  let dx: string | undefined;
  if (c.wants[0]) {
    const a = c.mul(c.x(1), rate);
    const b = c.scale(c.mul(c.mul(a, rate), scale), -1 / m);
    const shift = c.sub(c.scale(c.mul(a, sum), -1 / m), c.mul(b, mean));
    dx = c.add(c.mul(c.dy, perChannel(c, a)), affine(c, c.x(), b, shift));
  }
  return [dx, c.wants[1] ? scale : undefined, c.wants[2] ? sum : undefined, undefined, undefined];
}

/** b·x + c per channel in one pass: batch normalisation with mean 0 and variance 1. */
function affine(c: GradientContext, x: string, b: string, shift: string): string {
  const dims = c.dims(b);
  const inputs = [x, b, shift, c.zeros(dims, x), c.expand(c.scalar(1, x), dims)];
  return c.op('BatchNormalization', inputs, { epsilon: 0 });
}

/** dγ = Σ dy·x̂ = r·(Σ dy·x − μ·Σ dy) */
function scaleGradient(c: GradientContext, sum: string, mean: string, rate: string): string {
  const product = c.reduceSum(c.mul(c.dy, c.x()), channelAxes(c));
  return c.mul(rate, c.sub(product, c.mul(mean, sum)));
}

/** Output 1 or 2 is momentum·old + (1 − momentum)·batch; the training form sets momentum 0. */
function batchStatistic(c: GradientContext, output: 1 | 2): string {
  const running = c.output(output);
  if (running === undefined) throw c.refuse('its training form has three outputs');
  const momentum = floatOf(c.node, 'momentum', 0.9);
  if (momentum === 0) return running;
  if (momentum === 1) throw c.refuse('momentum 1 hides the statistics of the batch');
  const old = c.scale(c.x(output + 2), momentum);
  return c.scale(c.sub(running, old), 1 / (1 - momentum));
}

function reciprocalRoot(c: GradientContext, variance: string): string {
  const epsilon = c.scalar(floatOf(c.node, 'epsilon', 1e-5), variance);
  return c.op('Reciprocal', [c.op('Sqrt', [c.add(variance, epsilon)])]);
}

function channelAxes(c: GradientContext): number[] {
  return range(c.dims(c.x()).length).filter((axis) => axis !== 1);
}

function perChannel(c: GradientContext, value: string): string {
  const { length } = c.dims(c.x());
  return c.reshape(value, [c.dims(value)[0] as number, ...new Array<number>(length - 2).fill(1)]);
}

/**
 * Over the axes from `axis` on: dγ = Σ dy·x̂, dβ = Σ dy over the axes before it; with g = γ·dy,
 * dx = r·(g − mean(g) − x̂·mean(g·x̂)). Mean and r are the node's outputs 1 and 2 where it has them.
 */
export const layerNormalization: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const axis = frontAxis(intOf(c.node, 'axis', -1), dims.length);
  const axes = range(dims.length).slice(axis);
  const share = 1 / countAlong(dims, axes);
  const average = (value: string) => c.scale(c.reduceSum(value, axes, 1), share);
  const centred = c.sub(c.x(), c.output(1) ?? average(c.x()));
  const rate = c.output(2) ?? reciprocalRoot(c, average(c.mul(centred, centred)));
  const normal = c.mul(centred, rate);
  return c.each((i) => {
    if (i === 1) return c.mul(c.dy, normal);
    if (i === 2) return c.dy;
    const g = c.mul(c.dy, c.x(1));
    const inner = c.add(average(g), c.mul(normal, average(c.mul(g, normal))));
    return c.mul(rate, c.sub(g, inner));
  });
};

function memo<T>(compute: () => T): () => T {
  let value: { readonly of: T } | undefined;
  return () => {
    value ??= { of: compute() };
    return value.of;
  };
}
