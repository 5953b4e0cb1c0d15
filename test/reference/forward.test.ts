/**
 * Operators without gradient, and element types that have none: the reference and the inferred type
 * beside what ONNX Runtime computes.
 */
import { describe, expect, it } from 'vitest';
import type { AttributeValue } from '../../src/ir/attributes.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import type { OpName } from '../../src/ir/op-schema.js';
import { Session } from '../../src/runtime/session.js';
import { createTensorData, type ElementType, type HostTensor } from '../../src/util/tensor.js';
import { interpret } from './interpreter.js';
import { fromHost } from './stored.js';

interface Case {
  readonly op: OpName;
  readonly about: string;
  readonly inputs: readonly HostTensor[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly opset?: number;
}

function values(dtype: ElementType, dims: readonly number[], list: readonly number[]): HostTensor {
  const data = createTensorData(dtype, list.length);
  list.forEach((v, i) => {
    data[i] = data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(v) : v;
  });
  return { dtype, dims, data };
}
const floats = (...list: number[]) => values('float32', [list.length], list);
const int64 = (...list: number[]) => values('int64', [list.length], list);
const scalar = (dtype: ElementType, value: number) => values(dtype, [], [value]);
const infinity = Number.POSITIVE_INFINITY;

const bytes = [values('uint8', [3], [1, 200, 7]), values('uint8', [3], [1, 3, 2])];
const words = [values('int32', [2, 2], [5, -7, 1 << 30, -1]), values('int32', [2], [3, -2])];
const ties = values('float32', [2, 4], [1, 3, 3, 0, 2, 2, -1, -1]);
const signed = [int64(7, -7, 7, -7), int64(3, 3, -3, -3)];
const mel = [
  scalar('int64', 8),
  scalar('int64', 16),
  scalar('int64', 8192),
  scalar('float32', 0),
  scalar('float32', 4096),
];

const cases: readonly Case[] = [
  { op: 'BitShift', about: 'left', inputs: bytes, attributes: { direction: 'LEFT' } },
  { op: 'BitShift', about: 'right', inputs: bytes, attributes: { direction: 'RIGHT' } },
  { op: 'BitwiseAnd', about: 'stretched', inputs: words, opset: 18 },
  { op: 'BitwiseOr', about: 'stretched', inputs: words, opset: 18 },
  { op: 'BitwiseXor', about: 'stretched', inputs: words, opset: 18 },
  { op: 'BitwiseNot', about: 'signed', inputs: words.slice(0, 1), opset: 18 },
  { op: 'BitwiseNot', about: 'unsigned', inputs: bytes.slice(0, 1), opset: 18 },
  {
    op: 'BitCast',
    about: 'float as integer',
    inputs: [floats(1, -2.5, 0, -0)],
    attributes: { to: 6 },
    opset: 26,
  },
  { op: 'Mod', about: 'sign of the divisor', inputs: signed },
  { op: 'Mod', about: 'as in C', inputs: signed, attributes: { fmod: 1 } },
  {
    op: 'Mod',
    about: 'floats',
    inputs: [floats(5.5, -5.5), floats(2, 2)],
    attributes: { fmod: 1 },
  },
  { op: 'Div', about: 'integers, toward zero', inputs: signed },
  {
    op: 'Add',
    about: 'integers that wrap',
    inputs: [words[0] as HostTensor, scalar('int32', 2 ** 31 - 1)],
  },
  { op: 'Pow', about: 'integers by floats', inputs: [int64(2, 3, -4), floats(3, 2, 2)] },
  { op: 'Round', about: 'halves to even', inputs: [floats(-2.5, -1.5, -0.5, 0.5, 1.5, 2.4, 2.6)] },
  { op: 'IsInf', about: 'both', inputs: [floats(1, infinity, -infinity, Number.NaN)] },
  {
    op: 'IsInf',
    about: 'negative alone',
    inputs: [floats(1, infinity, -infinity)],
    attributes: { detect_positive: 0 },
  },
  { op: 'IsNaN', about: 'floats', inputs: [floats(1, infinity, Number.NaN)] },
  {
    op: 'Xor',
    about: 'all four',
    inputs: [values('bool', [4], [0, 0, 1, 1]), values('bool', [4], [0, 1, 0, 1])],
  },
  { op: 'CastLike', about: 'toward zero', inputs: [floats(1.9, -1.9), scalar('int32', 0)] },
  { op: 'Cast', about: 'to bool', inputs: [floats(0, 0.5, -2)], attributes: { to: 9 } },
  ...(['ArgMax', 'ArgMin'] as const).flatMap((op): Case[] => [
    { op, about: 'first', inputs: [ties], attributes: { axis: 1 } },
    {
      op,
      about: 'last',
      inputs: [ties],
      attributes: { axis: -1, select_last_index: 1, keepdims: 0 },
    },
  ]),
  { op: 'Hardmax', about: 'ties', inputs: [ties] },
  {
    op: 'Hardmax',
    about: 'flattened',
    inputs: [values('float32', [2, 2, 2], [1, 4, 2, 3, 5, 5, 1, 9])],
    opset: 11,
  },
  {
    op: 'Softmax',
    about: 'flattened',
    inputs: [values('float32', [2, 2, 2], [1, 4, 2, 3, 5, 5, 1, 9])],
    opset: 11,
  },
  { op: 'LogSoftmax', about: 'large', inputs: [floats(1000, 1001, 0)] },
  { op: 'Size', about: 'matrix', inputs: [ties] },
  {
    op: 'CumSum',
    about: 'integers',
    inputs: [int64(1, 2, 3), scalar('int64', 0)],
    attributes: { exclusive: 1 },
  },
  {
    op: 'ReduceL2',
    about: 'of nothing',
    inputs: [values('float32', [2, 0], [])],
    attributes: { axes: [1] },
  },
  {
    op: 'ReduceLogSum',
    about: 'of nothing',
    inputs: [values('float32', [2, 0], [])],
    attributes: { axes: [1] },
  },
  {
    op: 'ReduceLogSumExp',
    about: 'of nothing',
    inputs: [values('float32', [2, 0], [])],
    attributes: { axes: [1] },
  },
  { op: 'ReduceLogSumExp', about: 'large', inputs: [floats(1000, 1001, 999)] },
  {
    op: 'ReduceProd',
    about: 'of nothing',
    inputs: [values('float32', [2, 0], [])],
    attributes: { axes: [1] },
  },
  { op: 'ReduceProd', about: 'integers', inputs: [int64(2, 3, 4)] },
  {
    op: 'ReduceMin',
    about: 'of nothing',
    inputs: [values('float32', [2, 0], [])],
    attributes: { axes: [1] },
  },
  {
    op: 'Range',
    about: 'up',
    inputs: [scalar('int64', 2), scalar('int64', 9), scalar('int64', 3)],
  },
  {
    op: 'Range',
    about: 'down',
    inputs: [scalar('int32', 5), scalar('int32', 0), scalar('int32', -2)],
  },
  {
    op: 'Range',
    about: 'nothing',
    inputs: [scalar('int64', 3), scalar('int64', 0), scalar('int64', 1)],
  },
  {
    op: 'Range',
    about: 'floats',
    inputs: [scalar('float32', 0), scalar('float32', 1), scalar('float32', 0.3)],
  },
  {
    op: 'EyeLike',
    about: 'above',
    inputs: [values('int32', [3, 4], new Array(12).fill(7))],
    attributes: { k: 1 },
  },
  {
    op: 'EyeLike',
    about: 'below',
    inputs: [values('int32', [3, 4], new Array(12).fill(7))],
    attributes: { k: -2, dtype: 1 },
  },
  ...(['HannWindow', 'HammingWindow', 'BlackmanWindow'] as const).flatMap((op): Case[] => [
    { op, about: 'periodic', inputs: [scalar('int64', 9)] },
    {
      op,
      about: 'symmetric',
      inputs: [scalar('int32', 10)],
      attributes: { periodic: 0, output_datatype: 11 },
    },
  ]),
  { op: 'MelWeightMatrix', about: 'eight bins', inputs: mel },
];

describe('the reference agrees with ONNX Runtime', () => {
  it.each(cases)('$op: $about', async ({ op, inputs, attributes = {}, opset }) => {
    const build = (constant: boolean) => {
      const b = new GraphBuilder('one', opset === undefined ? {} : { opset });
      const names = inputs.map((input, i) =>
        constant
          ? b.initializer({ ...input, name: `x${i}`, role: 'constant' })
          : b.input(`x${i}`, input.dtype, input.dims),
      );
      b.output(b.op(op, names, attributes), 'y');
      return b.build();
    };
    const graph = build(false);
    const session = await Session.create(encodeModel(graph), {
      threads: 1,
      optimization: 'all',
      provider: 'cpu',
    });
    const { y } = await session.run(Object.fromEntries(inputs.map((input, i) => [`x${i}`, input])));
    session.release();
    const actual = fromHost(y as HostTensor);
    const fed = Object.fromEntries(inputs.map((input, i) => [`x${i}`, fromHost(input)]));
    const expected = interpret(graph, fed).get('y');
    expect(expected?.dims).toEqual(actual.dims);
    expected?.data.forEach((value, i) => {
      const other = actual.data[i] as number;
      if (Number.isFinite(value))
        expect(Math.abs(other - value)).toBeLessThanOrEqual(2e-5 * Math.max(1, Math.abs(value)));
      else expect(other).toBe(value);
    });
    const [inferred] = build(true).outputs;
    expect(inferred?.dtype).toBe(y?.dtype);
    const known = inferred?.shape?.map((dim, i) => (dim === '?' ? actual.dims[i] : dim));
    expect(known).toEqual(actual.dims);
  });
});
