/**
 * Facts of the ONNX specification about operator sets: which release brought one, and which operators
 * it took away. Source: ONNX Versioning document, operator change log.
 */

/** ONNX releases by the operator set that they brought. */
const releases: Readonly<Record<number, string>> = {
  7: '1.2',
  8: '1.3',
  9: '1.4',
  10: '1.5',
  11: '1.6',
  12: '1.7',
  13: '1.8',
  14: '1.9',
  15: '1.10',
  16: '1.11',
  17: '1.12',
  18: '1.13',
  19: '1.14',
  20: '1.15',
  21: '1.16',
  22: '1.17',
};

/** Release of ONNX that brought an operator set of its own domain; undefined where not known. */
export function releaseOf(opset: number): string | undefined {
  return releases[opset];
}

/** What an operator set must have for things that people want of a model. */
export const opsetGates = [
  { opset: 13, brings: 'int8 with a scale per channel (export --int8 translates to it)' },
  { opset: 17, brings: 'LayerNormalization as one operator' },
] as const;

/** Operators of ONNX's own set that were deprecated, or withdrawn as experimental (10), and what instead. */
export const deprecated: Readonly<
  Record<string, { readonly since: number; readonly instead: string }>
> = {
  Affine: { since: 10, instead: 'Mul and Add' },
  Crop: { since: 10, instead: 'Slice' },
  DynamicSlice: { since: 10, instead: 'Slice' },
  GRUUnit: { since: 10, instead: 'GRU' },
  GivenTensorFill: { since: 10, instead: 'Constant' },
  ImageScaler: { since: 10, instead: 'Mul and Add' },
  ParametricSoftplus: { since: 10, instead: 'Softplus and Mul' },
  Scale: { since: 10, instead: 'Mul' },
  ScaledTanh: { since: 10, instead: 'Tanh and Mul' },
  Scatter: { since: 11, instead: 'ScatterElements' },
  Upsample: { since: 10, instead: 'Resize' },
};
