/** Gradients: what makes tensors: ranges, random draws, windows. */
import type { generateSchemas } from '../../ir/schema/generate.js';
import type { GradientRow, NotDifferentiable } from './rule.js';

const source: NotDifferentiable = { notDifferentiable: 'it makes a constant' };
/** For what is like its input in shape alone. */
export const shapeAlone: NotDifferentiable = {
  notDifferentiable: 'its result depends on the shape of its input alone',
  independent: true,
};
const draw: NotDifferentiable = {
  notDifferentiable:
    'a draw jumps from one value to another; draw noise and compute with it instead',
};

export const generateGradients: Readonly<Record<keyof typeof generateSchemas, GradientRow>> = {
  Bernoulli: draw,
  BlackmanWindow: source,
  EyeLike: shapeAlone,
  HammingWindow: source,
  HannWindow: source,
  MelWeightMatrix: source,
  Multinomial: draw,
  RandomNormal: source,
  RandomNormalLike: shapeAlone,
  RandomUniform: source,
  RandomUniformLike: shapeAlone,
  Range: { notDifferentiable: 'its inputs say how many elements there are' },
};
