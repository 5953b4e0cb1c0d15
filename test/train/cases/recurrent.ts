/**
 * Recurrent layers. ONNX Runtime's CPU kernels know no layout 1. Bounds and factors that expansions hold
 * as constants are exact in float32.
 */
import type { AttributeValue } from '../../../src/ir/attributes.js';
import {
  type ConstantInput,
  type FloatInput,
  type GradientCase,
  type GradientCases,
  x,
} from './case.js';

const [STEPS, BATCH, SIZE, HIDDEN] = [3, 2, 3, 2];
const lengths = (...values: number[]): ConstantInput => ({
  dims: [values.length],
  values,
  dtype: 'int32',
});
/** Weights small enough for gates that are neither open nor shut. */
const weight = (...dims: number[]): FloatInput => ({ dims, range: [-0.8, 0.8] });

interface Options {
  readonly directions?: number;
  readonly lengths?: ConstantInput;
  /** Without biases and initial states. */
  readonly bare?: true;
  readonly peepholes?: true;
  readonly batchFirst?: true;
}

/** A case of a layer with so many gates. */
function layer(
  about: string,
  gates: number,
  attributes: Readonly<Record<string, AttributeValue>>,
  options: Options = {},
): GradientCase {
  const { directions = 1, bare, batchFirst } = options;
  const rows = gates * HIDDEN;
  const isLstm = gates === 4;
  const state = batchFirst ? x(BATCH, directions, HIDDEN) : x(directions, BATCH, HIDDEN);
  const optional = [
    bare ? undefined : weight(directions, 2 * rows),
    options.lengths,
    bare ? undefined : state,
    ...(isLstm ? [bare ? undefined : state] : []),
    ...(options.peepholes ? [weight(directions, 3 * HIDDEN)] : []),
  ];
  return {
    about,
    inputs: [
      batchFirst ? x(BATCH, STEPS, SIZE) : x(STEPS, BATCH, SIZE),
      weight(directions, rows, SIZE),
      weight(directions, rows, HIDDEN),
      ...optional.slice(0, optional.findLastIndex((input) => input !== undefined) + 1),
    ],
    attributes: { hidden_size: HIDDEN, ...attributes },
    outputs: isLstm ? 3 : 2,
    seeded: isLstm ? [0, 1, 2] : [0, 1],
    ...(batchFirst ? {} : { asIs: true }),
  };
}

/** What all three layers have. */
const common = (gates: number): readonly GradientCase[] => [
  layer('plain', gates, {}, { bare: true }),
  layer('biases and states', gates, {}),
  layer('reverse', gates, { direction: 'reverse' }),
  layer('both directions', gates, { direction: 'bidirectional' }, { directions: 2 }),
  layer('batch first', gates, { layout: 1 }, { batchFirst: true }),
  layer(
    'batch first, both directions',
    gates,
    { layout: 1, direction: 'bidirectional' },
    { batchFirst: true, directions: 2 },
  ),
  layer('sequences that end', gates, {}, { lengths: lengths(3, 1) }),
  layer('full sequences', gates, {}, { lengths: lengths(3, 3) }),
  layer(
    'sequences that end, both directions',
    gates,
    { direction: 'bidirectional' },
    { directions: 2, lengths: lengths(2, 3) },
  ),
  layer('clipped', gates, { clip: 0.75 }),
];

const reluLike = (activations: readonly string[], extra = {}) => ({ activations, ...extra });

export const recurrentCases: GradientCases = {
  GRU: [
    ...common(3),
    layer('reset behind the product', 3, { linear_before_reset: 1 }),
    layer(
      'reset behind the product, without biases',
      3,
      { linear_before_reset: 1 },
      { bare: true },
    ),
    layer(
      'activations with parameters',
      3,
      reluLike(['HardSigmoid', 'LeakyRelu'], {
        activation_alpha: [0.3, 0.1],
        activation_beta: [0.4],
      }),
    ),
  ],
  LSTM: [
    ...common(4),
    layer('peepholes', 4, {}, { peepholes: true }),
    layer(
      'peepholes, both directions',
      4,
      { direction: 'bidirectional' },
      { peepholes: true, directions: 2 },
    ),
    layer('input and forget gates coupled', 4, { input_forget: 1 }, { peepholes: true }),
    layer('other activations', 4, reluLike(['Sigmoid', 'Softsign', 'Softplus'])),
  ],
  RNN: [
    ...common(1),
    layer('Relu', 1, reluLike(['Relu'])),
    layer('Affine', 1, reluLike(['Affine'], { activation_alpha: [0.75], activation_beta: [0.25] })),
    layer('Elu', 1, reluLike(['Elu'], { activation_alpha: [0.6] })),
    layer(
      'ScaledTanh',
      1,
      reluLike(['ScaledTanh'], { activation_alpha: [1.25], activation_beta: [0.75] }),
    ),
    layer('ThresholdedRelu', 1, reluLike(['ThresholdedRelu'], { activation_alpha: [0.25] })),
    layer(
      'an activation for each direction',
      1,
      reluLike(['LeakyRelu', 'HardSigmoid'], {
        direction: 'bidirectional',
        activation_alpha: [0.2, 0.3],
        activation_beta: [0.4],
      }),
      { directions: 2 },
    ),
  ],
};
