/** Operators: element by element: trigonometry, rounding, bits, further activations. */
import type { OpSchema } from './schema.js';

const unary: OpSchema = { inputs: [1, 1], outputs: [1, 1], attributes: {} };
const binary: OpSchema = { inputs: [2, 2], outputs: [1, 1], attributes: {} };

export const mathSchemas = {
  Acos: unary,
  Acosh: unary,
  Asin: unary,
  Asinh: unary,
  Atan: unary,
  Atanh: unary,
  BitCast: { ...unary, attributes: { to: 'int' } },
  BitShift: { ...binary, attributes: { direction: 'string' } },
  BitwiseAnd: binary,
  BitwiseNot: unary,
  BitwiseOr: binary,
  BitwiseXor: binary,
  CastLike: { ...binary, attributes: { round_mode: 'string', saturate: 'int' } },
  Ceil: unary,
  Celu: { ...unary, attributes: { alpha: 'float' } },
  Cos: unary,
  Cosh: unary,
  Floor: unary,
  Gelu: { ...unary, attributes: { approximate: 'string' } },
  IsInf: { ...unary, attributes: { detect_negative: 'int', detect_positive: 'int' } },
  IsNaN: unary,
  Mean: { inputs: [1, Number.POSITIVE_INFINITY], outputs: [1, 1], attributes: {} },
  Mish: unary,
  Mod: { ...binary, attributes: { fmod: 'int' } },
  PRelu: binary,
  Round: unary,
  Selu: { ...unary, attributes: { alpha: 'float', gamma: 'float' } },
  Shrink: { ...unary, attributes: { bias: 'float', lambd: 'float' } },
  Sin: unary,
  Sinh: unary,
  Softsign: unary,
  Swish: { ...unary, attributes: { alpha: 'float' } },
  Tan: unary,
  ThresholdedRelu: { ...unary, attributes: { alpha: 'float' } },
  Xor: binary,
} as const satisfies Record<string, OpSchema>;
