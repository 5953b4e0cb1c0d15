/** Batch and layer normalisation. x̂ = (x − μ)·r with r = 1/√(σ² + ε); y = γ·x̂ + β. */
import { floatOf, intOf } from '../../ir/attributes.js';
import { nativeLayerNormGradient } from './native.js';
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
  const scale = memo(() => scaleGradient(c, c.dy, sum(), c.x(3), rate));
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
 * The running statistics are p·old + (1−p)·batch; their seeds s₁, s₂ (absent in training) go to the
 * old ones by p and add (1−p)/m·(s₁ + 2·s₂·(x − μ)) to dx.
 */
function trainingForm(c: GradientContext): Gradients {
  const axes = channelAxes(c);
  const m = countAlong(c.dims(c.x()), axes);
  const momentum = floatOf(c.node, 'momentum', 0.9);
  const mean = batchStatistic(c, 1, momentum);
  const rate = reciprocalRoot(c, batchStatistic(c, 2, momentum));
  const dy = c.seeds[0] ?? c.zeros(c.dims(c.x()), c.x());
  const sum = c.reduceSum(dy, axes);
  const scale = scaleGradient(c, dy, sum, mean, rate);
  const ofOld = (output: 1 | 2) => {
    const seed = c.seeds[output];
    return seed === undefined || !c.wants[output + 2] ? undefined : c.scale(seed, momentum);
  };
  return [
    c.wants[0] ? inputGradient() : undefined,
    c.wants[1] ? scale : undefined,
    c.wants[2] ? sum : undefined,
    ofOld(1),
    ofOld(2),
  ];

  function inputGradient(): string {
    const a = c.mul(c.x(1), rate);
    const [ofMean, ofVariance] = [c.seeds[1], c.seeds[2]];
    let b = c.scale(c.mul(c.mul(a, rate), scale), -1 / m);
    if (ofVariance !== undefined) b = c.add(b, c.scale(ofVariance, (2 * (1 - momentum)) / m));
    let shift = c.sub(c.scale(c.mul(a, sum), -1 / m), c.mul(b, mean));
    if (ofMean !== undefined) shift = c.add(shift, c.scale(ofMean, (1 - momentum) / m));
    return c.add(c.mul(dy, perChannel(c, a)), affine(c, c.x(), b, shift));
  }
}

/** b·x + c per channel in one pass: batch normalisation with mean 0 and variance 1. */
function affine(c: GradientContext, x: string, b: string, shift: string): string {
  const dims = c.dims(b);
  const inputs = [x, b, shift, c.zeros(dims, x), c.expand(c.scalar(1, x), dims)];
  return c.op('BatchNormalization', inputs, { epsilon: 0 });
}

/** dγ = Σ dy·x̂ = r·(Σ dy·x − μ·Σ dy) */
function scaleGradient(
  c: GradientContext,
  dy: string,
  sum: string,
  mean: string,
  rate: string,
): string {
  const product = c.reduceSum(c.mul(dy, c.x()), channelAxes(c));
  return c.mul(rate, c.sub(product, c.mul(mean, sum)));
}

/**
 * Mean (1) or variance (2) of the batch. The output is momentum·old + (1 − momentum)·batch, which the
 * training form gives with momentum 0; where the old hides it, it is computed again.
 */
function batchStatistic(c: GradientContext, output: 1 | 2, momentum: number): string {
  const running = c.output(output);
  if (running !== undefined && momentum === 0) return running;
  const axes = channelAxes(c);
  const average = (value: string, keep: number) =>
    c.scale(c.reduceSum(value, axes, keep), 1 / countAlong(c.dims(value), axes));
  if (output === 1) return average(c.x(), 0);
  const centred = c.sub(c.x(), average(c.x(), 1));
  return average(c.mul(centred, centred), 0);
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
 * Over the axes from `axis` on, n elements: dγ = Σ dy·x̂, dβ = Σ dy over the axes before it; with
 * g = γ·dy, dx = r·(g − mean(g) − x̂·mean(g·x̂)). Mean and r are the node's outputs 1 and 2 where it
 * has them; their own seeds add s₁/n − s₂·r²·x̂/n.
 */
export const layerNormalization: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const { dtype } = c.builder.typeOf(c.x());
  const axis = frontAxis(intOf(c.node, 'axis', -1), dims.length);
  const axes = range(dims.length).slice(axis);
  const share = 1 / countAlong(dims, axes);
  const average = (value: string) => c.scale(c.reduceSum(value, axes, 1), share);
  const kept = (i: number) => {
    const output = c.output(i);
    return output !== undefined && c.builder.typeOf(output).dtype === dtype ? output : undefined;
  };
  const [mean, inverse] = [kept(1), kept(2)];
  if (
    c.seeds.every((seed, i) => (seed !== undefined) === (i === 0)) &&
    c.native &&
    mean !== undefined &&
    inverse !== undefined
  ) {
    return nativeLayerNormGradient(c, mean, inverse).slice(0, c.node.inputs.length);
  }
  const centred = c.sub(c.x(), mean ?? average(c.x()));
  const rate = inverse ?? reciprocalRoot(c, average(c.mul(centred, centred)));
  const normal = c.mul(centred, rate);
  const [dy, ofMean, ofRate] = [c.seeds[0], c.seeds[1], c.seeds[2]];
  if ((ofMean ?? ofRate) !== undefined && mean === undefined) {
    throw c.refuse(`its statistics are of another element type than its input, ${dtype}`);
  }
  return c.each((i) => {
    if (i > 0) return dy === undefined || i === 2 ? dy : c.mul(dy, normal);
    const terms: string[] = [];
    if (dy !== undefined) {
      const g = c.mul(dy, c.x(1));
      const inner = c.add(average(g), c.mul(normal, average(c.mul(g, normal))));
      terms.push(c.mul(rate, c.sub(g, inner)));
    }
    if (ofMean !== undefined) terms.push(c.expand(c.scale(ofMean, share), dims));
    if (ofRate !== undefined) {
      terms.push(c.mul(c.scale(normal, -share), c.mul(ofRate, c.mul(rate, rate))));
    }
    return terms.reduce((total, term) => c.add(total, term));
  });
};

function memo<T>(compute: () => T): () => T {
  let value: { readonly of: T } | undefined;
  return () => {
    value ??= { of: compute() };
    return value.of;
  };
}
