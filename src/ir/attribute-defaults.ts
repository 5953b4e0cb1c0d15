/**
 * Values that an attribute has when it is left out, by operator (ONNX operator specifications).
 * Those that depend on the operator set or on the rank are not here.
 */
import type { Attribute } from './graph.js';
import { isKnownOp, type OpName } from './op-schema.js';

type Defaults = Readonly<Record<string, number | string>>;

const window = { auto_pad: 'NOTSET', dilations: 1, pads: 0, strides: 1 };
const reduce = { keepdims: 1, noop_with_empty_axes: 0 };

const recurrent = { direction: 'forward', layout: 0 };
const scan = {
  scan_input_axes: 0,
  scan_input_directions: 0,
  scan_output_axes: 0,
  scan_output_directions: 0,
};

/** For a list, the number that every entry has. */
const defaults: Partial<Readonly<Record<OpName, Defaults>>> = {
  ArgMax: { axis: 0, keepdims: 1, select_last_index: 0 },
  ArgMin: { axis: 0, keepdims: 1, select_last_index: 0 },
  Attention: { is_causal: 0, qk_matmul_output_mode: 0, softcap: 0 },
  AveragePool: { ...window, ceil_mode: 0, count_include_pad: 0 },
  BatchNormalization: { epsilon: 1e-5, momentum: 0.9, training_mode: 0 },
  CastLike: { round_mode: 'up', saturate: 1 },
  Celu: { alpha: 1 },
  CausalConvWithState: { activation: 'none' },
  Conv: { ...window, group: 1 },
  ConvTranspose: { ...window, group: 1, output_padding: 0 },
  CumProd: { exclusive: 0, reverse: 0 },
  CumSum: { exclusive: 0, reverse: 0 },
  DFT: { inverse: 0, onesided: 0 },
  DequantizeLinear: { axis: 1, block_size: 0, output_dtype: 0 },
  Elu: { alpha: 1 },
  EyeLike: { k: 0 },
  Flatten: { axis: 1 },
  Gather: { axis: 0 },
  GRU: { ...recurrent, linear_before_reset: 0 },
  Gelu: { approximate: 'none' },
  Gemm: { alpha: 1, beta: 1, transA: 0, transB: 0 },
  GroupNormalization: { epsilon: 1e-5, stash_type: 1 },
  HardSigmoid: { alpha: 0.2, beta: 0.5 },
  IsInf: { detect_negative: 1, detect_positive: 1 },
  InstanceNormalization: { epsilon: 1e-5 },
  LRN: { alpha: 1e-4, beta: 0.75, bias: 1 },
  LayerNormalization: { axis: -1, epsilon: 1e-5, stash_type: 1 },
  LeakyRelu: { alpha: 0.01 },
  LinearAttention: { scale: 0, update_rule: 'gated_delta' },
  LpNormalization: { axis: -1, p: 2 },
  MaxPool: { ...window, ceil_mode: 0, storage_order: 0 },
  LSTM: { ...recurrent, input_forget: 0 },
  Mod: { fmod: 0 },
  NegativeLogLikelihoodLoss: { reduction: 'mean' },
  OneHot: { axis: -1 },
  Pad: { mode: 'constant' },
  QuantizeLinear: { axis: 1, block_size: 0, output_dtype: 0, precision: 0, saturate: 1 },
  RMSNormalization: { axis: -1, epsilon: 1e-5, stash_type: 1 },
  ReduceL1: reduce,
  ReduceL2: reduce,
  ReduceLogSum: reduce,
  ReduceLogSumExp: reduce,
  RNN: recurrent,
  ReduceMax: reduce,
  ReduceMean: reduce,
  ReduceMin: reduce,
  ReduceProd: reduce,
  ReduceSum: reduce,
  ReduceSumSquare: reduce,
  Reshape: { allowzero: 0 },
  RotaryEmbedding: { interleaved: 0, num_heads: 0, rotary_embedding_dim: 0 },
  STFT: { onesided: 1 },
  ScatterElements: { axis: 0, reduction: 'none' },
  Scan: scan,
  Selu: { alpha: 1.6732631921768188, gamma: 1.0507010221481323 },
  Shape: { start: 0 },
  Shrink: { bias: 0, lambd: 0.5 },
  SoftmaxCrossEntropyLoss: { reduction: 'mean' },
  Split: { axis: 0 },
  Swish: { alpha: 1 },
  ThresholdedRelu: { alpha: 1 },
};

/** Whether leaving the attribute out would mean the same. */
export function isDefault(op: string, domain: string, name: string, attribute: Attribute): boolean {
  const expected = isKnownOp(op, domain) ? defaults[op]?.[name] : undefined;
  if (expected === undefined) return false;
  if (attribute.kind === 'ints') return attribute.value.every((value) => value === expected);
  if (attribute.kind === 'float')
    return Math.fround(attribute.value) === Math.fround(Number(expected));
  return attribute.value === expected;
}
