/** What a case of the gradient check is: one node and what goes in. */
import type { AttributeValue } from '../../../src/ir/attributes.js';
import type { OpName } from '../../../src/ir/op-schema.js';

/** A float input: dims, with values spread evenly over a range in random order. */
export interface FloatInput {
  readonly dims: readonly number[];
  readonly range?: readonly [number, number];
  /** These very values instead, where they matter. */
  readonly data?: readonly number[];
  /** Not differentiated, though it is a float. */
  readonly fixed?: true;
}

/** A constant input. */
export interface ConstantInput {
  readonly dims: readonly number[];
  readonly values: readonly number[];
  readonly dtype?: 'int64' | 'int32' | 'bool' | 'float32';
}

export interface GradientCase {
  readonly about: string;
  /** `undefined` is an input left out. */
  readonly inputs: readonly (FloatInput | ConstantInput | undefined)[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly outputs?: number;
  /** Values `w0`, `w1` … around the node, which its bodies read. */
  readonly captured?: readonly FloatInput[];
  /** Also runs the node itself in ONNX Runtime, though it is trained as another graph. */
  readonly asIs?: boolean;
  /** Operator set, where the operator is newer than the one that is written. */
  readonly opset?: number;
  /** Outputs that carry a gradient (default: the first). */
  readonly seeded?: readonly number[];
}

export type GradientCases = Readonly<Partial<Record<OpName, readonly GradientCase[]>>>;

export const x = (...dims: number[]): FloatInput => ({ dims });
export const positive = (...dims: number[]): FloatInput => ({ dims, range: [0.3, 3] });
export const fixed = (...dims: number[]): FloatInput => ({ dims, range: [0.3, 3], fixed: true });
export const wide = (...dims: number[]): FloatInput => ({ dims, range: [-4.1, 4.1] });
export const ints = (...values: number[]): ConstantInput => ({ dims: [values.length], values });
export const floats = (...values: number[]): ConstantInput => ({
  dims: [values.length],
  values,
  dtype: 'float32',
});
