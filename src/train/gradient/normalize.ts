/** Further normalisations. x̂ is the input less its mean (where one is taken), times a rate r. */
import { floatOf, intOf, intsOf } from '../../ir/attributes.js';
import type { normalizeSchemas } from '../../ir/schema/normalize.js';
import { elementCount } from '../../util/tensor.js';
import {
  countAlong,
  type Expansion,
  frontAxis,
  type GradientContext,
  type GradientRow,
  type GradientRule,
  range,
} from './rule.js';

/** What MeanVarianceNormalization adds to the deviation, by its definition. */
const MVN_EPSILON = 1e-9;

/** Mean over `axes`, which stay with size 1. */
function average(c: GradientContext, value: string, axes: readonly number[]): string {
  return c.div(c.reduceSum(value, axes, 1), c.scalar(countAlong(c.dims(value), axes), value));
}

/** 1/√(v + ε) */
function reciprocalRoot(c: GradientContext, v: string, epsilon: number): string {
  return c.op('Reciprocal', [c.op('Sqrt', [c.add(v, c.scalar(epsilon, v))])]);
}

/**
 * y = γ·x̂ + β with x̂ over the spatial axes: dγ = Σ dy·x̂, dβ = Σ dy. With m the mean over them,
 * dx = γr·(dy − m(dy) − x̂·m(dy·x̂)): three numbers per channel, and one pass over dy and x.
 */
const instanceNormalization: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const axes = range(dims.length).slice(2);
  const count = countAlong(dims, axes);
  const perChannel = (value: string) =>
    c.reshape(value, [1, dims[1] as number, ...axes.map(() => 1)]);
  const centred = c.sub(c.x(), average(c, c.x(), axes));
  const variance = average(c, c.mul(centred, centred), axes);
  const rate = reciprocalRoot(c, variance, floatOf(c.node, 'epsilon', 1e-5));
  const sum = c.reduceSum(c.dy, axes, 1);
  const product = c.reduceSum(c.mul(c.dy, centred), axes, 1);
  const gradient = (i: number): string => {
    if (i === 1) return c.reduceSum(c.mul(product, rate), [0, ...axes]);
    if (i === 2) return c.reduceSum(sum, [0, ...axes]);
    const gain = c.mul(perChannel(c.x(1)), rate);
    const slope = c.scale(c.mul(product, c.mul(rate, rate)), -1 / count);
    const shifted = c.sub(c.dy, c.scale(sum, 1 / count));
    return c.mul(gain, c.add(shifted, c.mul(centred, slope)));
  };
  return c.node.inputs.map((_, i) => (c.wants[i] ? gradient(i) : undefined));
};

/**
 * The groups as channels of an instance normalisation, then scale and bias, which are per channel
 * (before opset 21 per group).
 */
const groupNormalization: Expansion = {
  expand: (c) => {
    const dims = c.dims(c.x());
    const [batch, channels] = dims as [number, number];
    const groups = intOf(c.node, 'num_groups', 0);
    const x = c.reshape(c.x(), [batch, groups, elementCount(dims.slice(1)) / groups]);
    const ones = new Array<number>(groups).fill(1);
    const plain = [c.tensor([groups], ones), c.zeros([groups], c.x())];
    const normal = c.op('InstanceNormalization', [x, ...plain], {
      epsilon: floatOf(c.node, 'epsilon', 1e-5),
    });
    const spread = (value: string) => {
      const perGroup = c.dims(value)[0] !== channels;
      const full = perGroup
        ? c.expand(c.reshape(value, [groups, 1]), [groups, channels / groups])
        : value;
      return c.reshape(full, [channels, ...dims.slice(2).map(() => 1)]);
    };
    return [c.add(c.mul(c.reshape(normal, dims), spread(c.x(1))), spread(c.x(2)))];
  },
};

/** y = γ·x̂ with x̂ = x/√(m(x²) + ε): dγ = Σ dy·x̂, dx = r·(g − x̂·m(g·x̂)) with g = γ·dy. */
const rmsNormalization: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const axes = range(dims.length).slice(frontAxis(intOf(c.node, 'axis', -1), dims.length));
  const square = average(c, c.mul(c.x(), c.x()), axes);
  const rate = reciprocalRoot(c, square, floatOf(c.node, 'epsilon', 1e-5));
  const normal = c.mul(c.x(), rate);
  return c.each((i) => {
    if (i === 1) return c.mul(c.dy, normal);
    const g = c.mul(c.dy, c.x(1));
    return c.mul(rate, c.sub(g, c.mul(normal, average(c, c.mul(g, normal), axes))));
  });
};

/** y = x/n: dx = (dy − t·Σ dy·y)/n with t = dn/dx (y for p = 2, the sign for p = 1); 0 where n is. */
const lpNormalization: GradientRule = (c) => {
  const axes = [frontAxis(intOf(c.node, 'axis', -1), c.dims(c.x()).length)];
  const first = intOf(c.node, 'p', 2) === 1;
  const norm = first
    ? c.reduceSum(c.op('Abs', [c.x()]), axes, 1)
    : c.op('Sqrt', [c.reduceSum(c.mul(c.x(), c.x()), axes, 1)]);
  const slope = first ? c.op('Sign', [c.x()]) : c.y;
  const along = c.reduceSum(c.mul(c.dy, c.y), axes, 1);
  const isZero = c.op('Equal', [norm, c.scalar(0)]);
  const inverse = c.where(isZero, c.scalar(0), c.op('Reciprocal', [norm]));
  return [c.mul(inverse, c.sub(c.dy, c.mul(slope, along)))];
};

/** x·s^−β with s = bias + α·m, m the mean of x² over `size` channels (zeros beyond the ends). */
const lrn: Expansion = {
  expand: (c) => {
    const dims = c.dims(c.x());
    const [batch, channels] = dims as [number, number];
    const size = intOf(c.node, 'size', 1);
    const before = Math.floor((size - 1) / 2);
    const planes = [batch, 1, channels, elementCount(dims.slice(2))];
    const mean = c.op('AveragePool', [c.reshape(c.mul(c.x(), c.x()), planes)], {
      kernel_shape: [size, 1],
      pads: [before, 0, size - 1 - before, 0],
      count_include_pad: 1,
    });
    const bias = c.scalar(floatOf(c.node, 'bias', 1));
    const s = c.add(c.scale(c.reshape(mean, dims), floatOf(c.node, 'alpha', 1e-4)), bias);
    return [c.mul(c.x(), c.op('Pow', [s, c.scalar(-floatOf(c.node, 'beta', 0.75))]))];
  },
};

/** y = x̂ with r = 1/(σ + ε): dx = r·(dy − m(dy) − y·m(dy·y)·(σ + ε)/σ). */
const meanVarianceNormalization: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const axes = (intsOf(c.node, 'axes') ?? [0, 2, 3]).map((axis) => frontAxis(axis, dims.length));
  const centred = c.sub(c.x(), average(c, c.x(), axes));
  const deviation = c.op('Sqrt', [average(c, c.mul(centred, centred), axes)]);
  const rate = c.op('Reciprocal', [c.add(deviation, c.scalar(MVN_EPSILON))]);
  const direct = c.mul(rate, c.sub(c.dy, average(c, c.dy, axes)));
  const isConstant = c.op('Equal', [deviation, c.scalar(0)]);
  const along = c.div(average(c, c.mul(c.dy, c.y), axes), deviation);
  const bent = c.mul(c.y, c.where(isConstant, c.scalar(0), along));
  return [c.sub(direct, bent)];
};
export const normalizeGradients: Readonly<Record<keyof typeof normalizeSchemas, GradientRow>> = {
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  LRN: lrn,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  RMSNormalization: rmsNormalization,
};
