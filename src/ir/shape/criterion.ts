/** Shape rules: losses and updates that are operators. */
import { stringOf } from '../attributes.js';
import type { Dim } from '../graph.js';
import type { criterionSchemas } from '../schema/criterion.js';
import { formatShape, unifyDims, unifyShapes } from './dims.js';
import { fail, type InferContext, type Inferred, type ShapeRule, typeFrom } from './shape.js';

/** Scores [N,C,…] and labels [N,…]: a scalar, or one loss per label; beside it, the scores' type. */
function loss({ node, inputs }: InferContext): Inferred['types'] {
  const [scores, labels, weights] = inputs.map((input) => input?.shape);
  const reduction = stringOf(node, 'reduction', 'mean');
  if (!['none', 'mean', 'sum'].includes(reduction)) {
    fail(node, `reduction expected none, mean or sum, received ${reduction}`);
  }
  if (scores !== undefined && scores.length < 2) {
    fail(node, `expected scores [N,C,…], received ${formatShape(scores)}`);
  }
  const places = scores && [scores[0] as Dim, ...scores.slice(2)];
  const shape = places && labels ? unifyShapes(places, labels) : (places ?? labels);
  if (places !== undefined && labels !== undefined && shape === undefined) {
    fail(node, `expected labels ${formatShape(places)}, received ${formatShape(labels)}`);
  }
  if (weights !== undefined) {
    const classes = scores?.[1] ?? '?';
    if (weights.length !== 1 || unifyDims(classes, weights[0] as Dim) === undefined) {
      fail(node, `expected weights [${classes}], received ${formatShape(weights)}`);
    }
  }
  const dtype = inputs[0]?.dtype;
  return [typeFrom(dtype, reduction === 'none' ? shape : []), typeFrom(dtype, scores)];
}

const negativeLogLikelihood: ShapeRule = (context) => ({ types: loss(context).slice(0, 1) });

/** Beside the loss, the logarithms of the probabilities. */
const softmaxCrossEntropy: ShapeRule = (context) => ({ types: loss(context) });

/**
 * An optimiser's step: after R and T come all tensors X, all their gradients G and `states` lists of
 * state; out come X and the states.
 */
const update =
  (states: number): ShapeRule =>
  ({ node, inputs }) => {
    const tensors = (inputs.length - 2) / (2 + states);
    if (!Number.isInteger(tensors) || node.outputs.length !== tensors * (1 + states)) {
      fail(
        node,
        `expected 2 + ${2 + states}·n inputs and ${1 + states}·n outputs, ` +
          `received ${inputs.length} and ${node.outputs.length}`,
      );
    }
    return { types: [...inputs.slice(2, 2 + tensors), ...inputs.slice(2 + 2 * tensors)] };
  };

/** Gradient: dy/dx has the type of x; the inputs named by `xs` stand first. */
const gradient: ShapeRule = ({ node, inputs }) => ({
  types: node.outputs.map((_, i) => inputs[i]),
});

export const criterionShapes: Readonly<Record<keyof typeof criterionSchemas, ShapeRule>> = {
  Adagrad: update(1),
  Adam: update(2),
  Gradient: gradient,
  Momentum: update(1),
  NegativeLogLikelihoodLoss: negativeLogLikelihood,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
};
