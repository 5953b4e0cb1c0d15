/** Costs of the operators of `kernels/cpu`. */
import type { nativeOpSchemas } from '../native-op-schema.js';
import { type CostRule, type Dims, moving, sizeOf } from './rule.js';

const product = (macs: CostRule['macs']): CostRule => ({ macs, reads: 'all', output: 'new' });

/** Products of a matrix of scores [N,H,L,S] with S from K and one depth each. */
const scores = (q: Dims, k: Dims, depths: number) =>
  (sizeOf(q) / (q?.[3] ?? 1)) * (k?.[1] ?? 0) * depths;

export const nativeCosts: Readonly<Record<keyof typeof nativeOpSchemas, CostRule>> = {
  ActivationGrad: moving,
  AdamwUpdate: moving,
  /** Scores again, and four products with them or their gradients. */
  AttentionGrad: product(({ inputs: [, q, k, v] }) =>
    scores(q, k, 3 * (q?.[3] ?? 0) + 2 * (v?.[3] ?? 0)),
  ),
  BatchNormGrad: moving,
  ConvInputGrad: product(({ inputs: [dy, w] }) => sizeOf(dy) * sizeOf(w?.slice(1))),
  ConvWeightGrad: product(({ inputs: [dy], outputs: [dw] }) => sizeOf(dy) * sizeOf(dw?.slice(1))),
  GeluGrad: moving,
  LayerNormGrad: moving,
  MaxPoolGrad: moving,
  SgdUpdate: moving,
  SiluGrad: moving,
  SumOfSquares: moving,
  TensorDraws: { ...moving, reads: 'none' },
  TrainingAttention: product(({ inputs: [q, k, v] }) =>
    scores(q, k, (q?.[3] ?? 0) + (v?.[3] ?? 0)),
  ),
  TrainingBatchNorm: moving,
  TrainingConv: product(({ inputs: [, w], outputs: [y] }) => sizeOf(y) * sizeOf(w?.slice(1))),
  TrainingCrossEntropy: moving,
  TrainingGelu: moving,
  TrainingSilu: moving,
};
