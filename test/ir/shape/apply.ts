/** Applies one shape rule to inputs written by hand. */
import { type AttributeValue, createAttributes } from '../../../src/ir/attributes.js';
import type { Dim, Shape } from '../../../src/ir/graph.js';
import type { OpName } from '../../../src/ir/op-schema.js';
import { shapeRules } from '../../../src/ir/shape/rules.js';
import type { Contents, Inferred } from '../../../src/ir/shape/shape.js';
import type { ElementType, TensorData } from '../../../src/util/tensor.js';

export interface Input {
  readonly dtype?: ElementType;
  readonly shape?: Shape;
  readonly contents?: Contents;
  readonly constant?: TensorData;
}

/** A float32 tensor. */
export const f = (...shape: Dim[]): Input => ({ shape });
/** A known int64 list. */
export const ints = (...contents: Dim[]): Input => ({
  dtype: 'int64',
  shape: [contents.length],
  contents,
});
/** A constant float32 list. */
export const floats = (...values: number[]): Input => ({
  shape: [values.length],
  constant: Float32Array.from(values),
});
/** A known int64 scalar. */
export const int = (value: Dim): Input => ({ dtype: 'int64', shape: [], contents: [value] });
/** An int64 list of which only the length is known. */
export const someInts = (length: number): Input => ({ dtype: 'int64', shape: [length] });
/** An optional input left out. */
export const absent: Input = { contents: [] };

export interface Setting {
  readonly opset?: number;
  readonly outputs?: number;
}

/** The node is named `n`. */
export function apply(
  op: OpName,
  inputs: readonly Input[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  { opset = 17, outputs = 1 }: Setting = {},
): Inferred {
  return shapeRules[op]({
    node: {
      name: 'n',
      op,
      domain: '',
      inputs: inputs.map((input, i) => (input === absent ? '' : `in${i}`)),
      outputs: Array.from({ length: outputs }, (_, i) => `out${i}`),
      attributes: createAttributes(op, attributes),
    },
    opset,
    inputs: inputs.map((input) => {
      if (input === absent) return undefined;
      const dtype = input.dtype ?? 'float32';
      return input.shape === undefined ? { dtype } : { dtype, shape: input.shape };
    }),
    contents: inputs.map((input) => (input === absent ? undefined : input.contents)),
    constants: inputs.map((input) => input.constant),
    inferBody: () => {
      throw new Error('nested graphs are inferred in a TypeScope');
    },
  });
}

/** Shape of the first output. */
export function shapeOf(...call: Parameters<typeof apply>): Shape | undefined {
  return apply(...call).types[0]?.shape;
}
