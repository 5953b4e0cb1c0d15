import onnxProto from 'onnx-proto';
import type { ElementType, HostTensor, SessionOptions } from '../../src/runtime/binding-types.js';

const { onnx } = onnxProto;

/** Codes of `TensorProto.DataType` that sessions carry. */
export const codes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const satisfies Partial<Record<ElementType, number>>;

/** An element type that sessions carry. */
export type Code = keyof typeof codes;

interface Port {
  readonly name: string;
  readonly dtype: Code;
  /** A string is a symbolic dimension. */
  readonly dims: readonly (number | string)[];
}

interface Op {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly ints?: Readonly<Record<string, number>>;
  readonly lists?: Readonly<Record<string, readonly number[]>>;
}

export interface ModelSpec {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly Op[];
  readonly weights?: Readonly<
    Record<string, { dims: readonly number[]; values: readonly number[] }>
  >;
}

/** Bytes of an ONNX file, written with the protobuf alone: independent of `src/ir`. */
export function buildModel(spec: ModelSpec): Uint8Array {
  const port = ({ name, dtype, dims }: Port) => ({
    name,
    type: {
      tensorType: {
        elemType: codes[dtype],
        shape: {
          dim: dims.map((dim) => (typeof dim === 'string' ? { dimParam: dim } : { dimValue: dim })),
        },
      },
    },
  });
  const message = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'test',
      input: spec.inputs.map(port),
      output: spec.outputs.map(port),
      initializer: Object.entries(spec.weights ?? {}).map(([name, { dims, values }]) => ({
        name,
        dims: [...dims],
        dataType: codes.float32,
        floatData: [...values],
      })),
      node: spec.nodes.map(({ op, inputs, outputs, ints = {}, lists = {} }) => ({
        opType: op,
        input: [...inputs],
        output: [...outputs],
        attribute: [
          ...Object.entries(ints).map(([name, i]) => ({ name, type: 2, i })),
          ...Object.entries(lists).map(([name, values]) => ({ name, type: 7, ints: [...values] })),
        ],
      })),
    },
  });
  return new Uint8Array(onnx.ModelProto.encode(message).finish());
}

/** y = x·W + b with W of 2 × 3 and a symbolic batch. */
export const affineModel = (): Uint8Array =>
  buildModel({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 2] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: ['N', 3] }],
    weights: {
      W: { dims: [2, 3], values: [1, 2, 3, 4, 5, 6] },
      b: { dims: [3], values: [0.5, -0.5, 0.25] },
    },
    nodes: [
      { op: 'MatMul', inputs: ['x', 'W'], outputs: ['xW'] },
      { op: 'Add', inputs: ['xW', 'b'], outputs: ['y'] },
    ],
  });

/** `depth` square products of `size`, so that a run takes as long as a test wants. */
export const heavyModel = (size: number, depth: number): Uint8Array =>
  buildModel({
    inputs: [{ name: 'x', dtype: 'float32', dims: [size, size] }],
    outputs: [{ name: `h${depth}`, dtype: 'float32', dims: [size, size] }],
    nodes: [
      { op: 'Identity', inputs: ['x'], outputs: ['h0'] },
      ...Array.from({ length: depth }, (_, i) => ({
        op: 'MatMul',
        inputs: [`h${i}`, 'x'],
        outputs: [`h${i + 1}`],
      })),
    ],
  });

/**
 * w' = w − lr·mean(x), count' = count + 1, loss = Σ w·mean(x) + mean(label); x is `[B, 2, 2]` flattened
 * over its last two dims.
 */
export const stepModel = (): Uint8Array =>
  buildModel({
    inputs: [
      { name: 'w', dtype: 'float32', dims: [2, 2] },
      { name: 'count', dtype: 'int64', dims: [] },
      { name: 'x', dtype: 'float32', dims: ['B', 2, 2] },
      { name: 'label', dtype: 'int64', dims: ['B'] },
      { name: 'lr', dtype: 'float32', dims: [] },
    ],
    outputs: [
      { name: 'w_next', dtype: 'float32', dims: [2, 2] },
      { name: 'count_next', dtype: 'int64', dims: [] },
      { name: 'loss', dtype: 'float32', dims: [] },
      { name: 'gradient', dtype: 'float32', dims: [2, 2] },
    ],
    nodes: [
      {
        op: 'ReduceMean',
        inputs: ['x'],
        outputs: ['gradient'],
        ints: { keepdims: 0 },
        lists: { axes: [0] },
      },
      { op: 'Mul', inputs: ['gradient', 'lr'], outputs: ['delta'] },
      { op: 'Sub', inputs: ['w', 'delta'], outputs: ['w_next'] },
      { op: 'Div', inputs: ['count', 'count'], outputs: ['one'] },
      { op: 'Add', inputs: ['count', 'one'], outputs: ['count_next'] },
      { op: 'Mul', inputs: ['w', 'gradient'], outputs: ['product'] },
      { op: 'ReduceSum', inputs: ['product'], outputs: ['dot'], ints: { keepdims: 0 } },
      { op: 'Cast', inputs: ['label'], outputs: ['labelFloat'], ints: { to: 1 } },
      { op: 'ReduceMean', inputs: ['labelFloat'], outputs: ['mean'], ints: { keepdims: 0 } },
      { op: 'Add', inputs: ['dot', 'mean'], outputs: ['loss'] },
    ],
  });

export const cpu: SessionOptions = { threads: 1, optimization: 'all', provider: 'cpu' };

export const float32 = (dims: readonly number[], values: ArrayLike<number>): HostTensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from(values),
});
