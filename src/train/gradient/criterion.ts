/** Losses and updates that are operators. */
import { intOf, stringOf } from '../../ir/attributes.js';
import type { criterionSchemas } from '../../ir/schema/criterion.js';
import { elementCount } from '../../util/tensor.js';
import { type Expansion, type GradientRow, type NodeContext, range } from './rule.js';

/**
 * −w·log p at the label of each place, summed over the classes where the label is not: labels [N,…]
 * against classes 0 … C−1 give the places that count. A label outside the classes, as one that is
 * ignored mostly is, meets none. Mean is by the sum of the weights of what counts.
 */
function likelihoodLoss(c: NodeContext, logarithms: string): string {
  const b = c.builder;
  const dims = c.dims(logarithms);
  const [batch, classes] = dims as [number, number];
  const labels = c.reshape(c.x(1), [batch, 1, ...dims.slice(2)]);
  const { dtype } = b.typeOf(labels);
  const column = [1, classes, ...dims.slice(2).map(() => 1)];
  const meets = c.op('Equal', [labels, b.tensor(column, range(classes), dtype)]);
  const ignored = intOf(c.node, 'ignore_index', -1);
  const isClass = c.node.attributes.ignore_index !== undefined && ignored >= 0 && ignored < classes;
  const counted = isClass
    ? c.op('And', [meets, c.op('Not', [c.op('Equal', [labels, b.scalar(ignored, dtype)])])])
    : meets;
  const weights = c.hasInput(2) ? c.reshape(c.x(2), column) : undefined;
  const zero = c.scalar(0, logarithms);
  const weighted = weights === undefined ? logarithms : c.mul(logarithms, weights);
  const losses = c.neg(c.reduceSum(c.where(counted, weighted, zero), [1]));
  const reduction = stringOf(c.node, 'reduction', 'mean');
  if (reduction === 'none') return losses;
  const sum = c.reduceSum(losses, range(c.dims(losses).length));
  if (reduction === 'sum') return sum;
  if (weights === undefined && c.node.attributes.ignore_index === undefined) {
    return c.div(sum, c.scalar(elementCount(c.dims(losses)), sum));
  }
  const share = c.where(counted, weights ?? c.scalar(1, logarithms), zero);
  return c.div(sum, c.reduceSum(share, range(dims.length)));
}

const negativeLogLikelihood: Expansion = { expand: (c) => [likelihoodLoss(c, c.x())] };

/** The likelihood loss of the logarithms of softmax over axis 1, which are the second output. */
const softmaxCrossEntropy: Expansion = {
  expand: (c) => {
    const logarithms = c.op('LogSoftmax', [c.x()], { axis: 1 });
    return [likelihoodLoss(c, logarithms), logarithms];
  },
};

const update = { notDifferentiable: 'it is the step of an optimiser, made after gradients' };

export const criterionGradients: Readonly<Record<keyof typeof criterionSchemas, GradientRow>> = {
  Adagrad: update,
  Adam: update,
  Gradient: {
    notDifferentiable: 'it stands for the gradient of a graph that only its model knows',
  },
  Momentum: update,
  NegativeLogLikelihoodLoss: negativeLogLikelihood,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
};
