/** Gradients: further reductions and running sums. */
import { intOf } from '../../ir/attributes.js';
import type { aggregateSchemas } from '../../ir/schema/aggregate.js';
import { piecewiseConstant } from './math.js';
import { reducedAxes, spread } from './reduction.js';
import {
  frontAxis,
  type GradientContext,
  type GradientRow,
  type GradientRule,
  keptDims,
  type NodeContext,
  type NotDifferentiable,
} from './rule.js';

const integer: NotDifferentiable = { notDifferentiable: 'its result is an index or a size' };

/** dy over all that was reduced. */
const spreadSeed = (c: GradientContext) => spread(c, reducedAxes(c), 1);

/** y with the dims of x, reduced axes of size 1. */
const keptResult = (c: GradientContext) => c.reshape(c.y, keptDims(c.dims(c.x()), reducedAxes(c)));

/** d Σ|x| = sign(x)·dx */
const reduceL1: GradientRule = (c) => [c.mul(spreadSeed(c), c.op('Sign', [c.x()]))];

/** d √Σx² = x/y·dx; 0 where y is 0, as PyTorch has it. */
const reduceL2: GradientRule = (c) => {
  const y = keptResult(c);
  const isZero = c.op('Equal', [y, c.scalar(0)]);
  const rate = c.where(isZero, c.scalar(0), c.div(c.x(), c.where(isZero, c.scalar(1), y)));
  return [c.mul(spreadSeed(c), rate)];
};

/** d ln Σx = dx/Σx = e^(−y)·dx */
const reduceLogSum: GradientRule = (c) => [
  c.mul(spreadSeed(c), c.op('Exp', [c.neg(keptResult(c))])),
];

/** d ln Σeˣ = e^(x−y)·dx */
const reduceLogSumExp: GradientRule = (c) => [
  c.mul(spreadSeed(c), c.op('Exp', [c.sub(c.x(), keptResult(c))])),
];

/** d Σx² = 2x·dx */
const reduceSumSquare: GradientRule = (c) => [c.mul(spreadSeed(c), c.scale(c.x(), 2))];

/**
 * Each element gets the product of the others: that of all elements that are not 0, divided by its
 * own where it is none of them, if none of the others is 0.
 */
const reduceProd: GradientRule = (c) => {
  const axes = reducedAxes(c);
  if (axes.length === 0) return [c.dy];
  const isZero = c.op('Equal', [c.x(), c.scalar(0)]);
  const factors = c.where(isZero, c.scalar(1), c.x());
  const zeros = c.where(isZero, c.scalar(1), c.scalar(0));
  const others = c.sub(c.reduceSum(zeros, axes, 1), zeros);
  const product = c.div(c.reduce('ReduceProd', factors, axes), factors);
  const rate = c.where(c.greater(others, c.scalar(0.5)), c.scalar(0), product);
  return [c.mul(spreadSeed(c), rate)];
};

/** The seed summed the other way round. */
const cumSum: GradientRule = (c) => {
  const reverse = intOf(c.node, 'reverse', 0) === 1 ? 0 : 1;
  return [
    c.op('CumSum', [c.dy, c.x(1)], { exclusive: intOf(c.node, 'exclusive', 0), reverse }),
    undefined,
  ];
};

/**
 * A product with itself moved by 1, 2, 4, … places, ones coming in: after k rounds each element is
 * the product of 2ᵏ neighbours. Exclusive products begin with a move by one.
 */
function cumProd(c: NodeContext): readonly string[] {
  const rank = c.dims(c.x()).length;
  const [listed] = c.ints('axis', 1) ?? [];
  const axis = frontAxis(listed as number, rank);
  const length = c.dims(c.x())[axis] as number;
  const reverse = intOf(c.node, 'reverse', 0) === 1;
  const moved = (value: string, by: number) => {
    const dims = c.dims(value).map((size, i) => (i === axis ? Math.min(by, length) : size));
    const ones = c.expand(c.scalar(1), dims);
    if (by >= length) return ones;
    const [from, to] = reverse ? [by, length] : [0, length - by];
    const rest = c.slice(value, [axis], [from], [to]);
    return c.op('Concat', reverse ? [rest, ones] : [ones, rest], { axis });
  };
  let y = intOf(c.node, 'exclusive', 0) === 1 ? moved(c.x(), 1) : c.x();
  for (let by = 1; by < length; by *= 2) y = c.mul(y, moved(y, by));
  return [y];
}

export const aggregateGradients: Readonly<Record<keyof typeof aggregateSchemas, GradientRow>> = {
  ArgMin: integer,
  CumProd: { expand: cumProd },
  CumSum: cumSum,
  Hardmax: piecewiseConstant,
  ReduceL1: reduceL1,
  ReduceL2: reduceL2,
  ReduceLogSum: reduceLogSum,
  ReduceLogSumExp: reduceLogSumExp,
  ReduceProd: reduceProd,
  ReduceSumSquare: reduceSumSquare,
  Size: integer,
};
