/**
 * Activations of recurrent layers (ONNX operators RNN, GRU, LSTM): lists of names, and of alphas and
 * betas for those that have them, in order.
 */
import { floatsOf, stringsOf } from '../../ir/attributes.js';
import type { NodeContext } from './rule.js';

/** Appends an activation of a value. */
export type Activation = (value: string) => string;

type Apply = (c: NodeContext, value: string, alpha: number, beta: number) => string;

interface Row {
  readonly apply: Apply;
  /** Defaults of the parameters that it has. */
  readonly alpha?: number;
  readonly beta?: number;
}

const plain = (op: 'Relu' | 'Sigmoid' | 'Softplus' | 'Tanh'): Row => ({
  apply: (c, value) => c.op(op, [value]),
});

/** By name in lower case: runtimes read the names in any. */
const rows: Readonly<Record<string, Row>> = {
  // αx + β
  affine: {
    apply: (c, value, alpha, beta) => c.add(c.scale(value, alpha), c.scalar(beta, value)),
    alpha: 1,
    beta: 0,
  },
  elu: { apply: (c, value, alpha) => c.op('Elu', [value], { alpha }), alpha: 1 },
  hardsigmoid: {
    apply: (c, value, alpha, beta) => c.op('HardSigmoid', [value], { alpha, beta }),
    alpha: 0.2,
    beta: 0.5,
  },
  leakyrelu: { apply: (c, value, alpha) => c.op('LeakyRelu', [value], { alpha }), alpha: 0.01 },
  relu: plain('Relu'),
  // α·tanh(βx)
  scaledtanh: {
    apply: (c, value, alpha, beta) => c.scale(c.op('Tanh', [c.scale(value, beta)]), alpha),
    alpha: 1,
    beta: 1,
  },
  sigmoid: plain('Sigmoid'),
  softplus: plain('Softplus'),
  // x ÷ (1 + |x|)
  softsign: {
    apply: (c, value) => c.div(value, c.add(c.op('Abs', [value]), c.scalar(1, value))),
  },
  tanh: plain('Tanh'),
  // x where x > α, else 0
  thresholdedrelu: {
    apply: (c, value, alpha) =>
      c.where(c.greater(value, c.scalar(alpha, value)), value, c.scalar(0, value)),
    alpha: 1,
  },
};

/** The activations of a layer by direction, each over what clipping leaves; `names` are the default. */
export function activationsOf(
  c: NodeContext,
  names: readonly string[],
  directions: number,
): readonly (readonly Activation[])[] {
  const clip = c.node.attributes.clip;
  const bound = clip?.kind === 'float' && clip.value > 0 ? clip.value : undefined;
  const listed = stringsOf(c.node, 'activations');
  const alphas = [...(floatsOf(c.node, 'activation_alpha') ?? [])];
  const betas = [...(floatsOf(c.node, 'activation_beta') ?? [])];
  return Array.from({ length: directions }, (_, d) =>
    names.map((standard, i): Activation => {
      const name = listed?.[d * names.length + i] ?? standard;
      const row = rows[name.toLowerCase()];
      if (row === undefined) throw c.refuse(`activation ${name} is not known`);
      const alpha = row.alpha === undefined ? 0 : (alphas.shift() ?? row.alpha);
      const beta = row.beta === undefined ? 0 : (betas.shift() ?? row.beta);
      return (value) => {
        // What the third one of an LSTM takes is its memory, which ONNX Runtime does not clip.
        const clipped =
          bound === undefined || i === 2
            ? value
            : c.op('Clip', [value, c.scalar(-bound, value), c.scalar(bound, value)]);
        return row.apply(c, clipped, alpha, beta);
      };
    }),
  );
}
