/** Streams of every element type and rank, from every array that may carry them. */
import { expect, it } from 'vitest';
import type { HostTensor, TensorData } from '../../src/runtime/binding-types.js';
import { Session } from '../../src/runtime/session.js';
import { arrayTypes } from '../../src/util/tensor.js';
import { buildModel, type Code, cpu } from './model.js';

const batch = 3;
const order = Uint32Array.of(4, 0, 2, 1, 3, 3);

/** next = Identity(x), so that the state after the loop is the last batch. */
const echo = (dtype: Code, dims: readonly number[]) =>
  buildModel({
    inputs: ['seen', 'x'].map((name) => ({ name, dtype, dims: [batch, ...dims] })),
    outputs: [{ name: 'next', dtype, dims: [batch, ...dims] }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['next'] }],
  });

async function lastBatch(dtype: Code, rowDims: readonly number[], source: TensorData) {
  const session = await Session.create(echo(dtype, rowDims), cpu);
  const length = rowDims.reduce((a, b) => a * b, 1);
  const value: HostTensor = {
    dtype,
    dims: [batch, ...rowDims],
    data: new arrayTypes[dtype](batch * length),
  };
  const { state } = await session.runLoop({
    batch,
    order,
    stream: [{ name: 'x', rowDims, dtype, source }],
    state: [{ name: 'seen', next: 'next', value }],
    perStep: [],
    record: [],
  });
  session.release();
  return state[0] as HostTensor;
}

const rows = [1, 3, 3];
const numbers = (length: number) => Array.from({ length }, (_, i) => (i * 37) % 251);
const chosen = (length: number) => {
  const all = numbers(5 * length);
  return rows.flatMap((row) => all.slice(row * length, (row + 1) * length));
};

const carried: [Code, new (values: number[]) => TensorData][] = [
  ['float32', Float32Array],
  ['float32', Uint8Array],
  ['float64', Float64Array],
  ['int32', Int32Array],
  ['int32', Uint16Array],
  ['int32', Uint8Array],
  ['int64', Int32Array],
  ['int64', Uint16Array],
  ['int64', Uint8Array],
  ['uint8', Uint8Array],
  ['int16', Int16Array],
  ['uint32', Uint32Array],
];
it.each(carried)('%s from %o', async (dtype, ArrayType) => {
  for (const rowDims of [[], [4], [2, 1, 3]]) {
    const length = rowDims.reduce((a, b) => a * b, 1);
    const { data, dims } = await lastBatch(dtype, rowDims, new ArrayType(numbers(5 * length)));
    expect(dims).toEqual([batch, ...rowDims]);
    expect(Array.from<number | bigint>(data).map(Number)).toEqual(chosen(length));
  }
});

it('int64 tokens beyond 2^53 and below zero, as they are', async () => {
  const source = BigInt64Array.of(1n, 2n, -3n, -4n, 5n, 6n, 2n ** 62n, -(2n ** 62n), 9n, 10n);
  const { data } = await lastBatch('int64', [2], source);
  expect([...(data as BigInt64Array)]).toEqual([
    -3n,
    -4n,
    2n ** 62n,
    -(2n ** 62n),
    2n ** 62n,
    -(2n ** 62n),
  ]);
});

it('16-bit floats as their bits', async () => {
  const { data } = await lastBatch('float16', [1], Uint16Array.of(1, 0x3c00, 3, 0xfc01, 5));
  expect([...(data as Uint16Array)]).toEqual([0x3c00, 0xfc01, 0xfc01]);
});

it('bools: every byte but 0 is true', async () => {
  const { data } = await lastBatch('bool', [2], Uint8Array.of(0, 0, 0, 7, 1, 1, 255, 0, 0, 0));
  expect([...(data as Uint8Array)]).toEqual([0, 1, 1, 0, 1, 0]);
});

it('refuses what does not fit, with the arrays that do', async () => {
  await expect(lastBatch('float32', [2], new Int32Array(10))).rejects.toThrow(
    'input "x": expected Float32Array or Uint8Array as source of float32, received Int32Array',
  );
  await expect(lastBatch('int32', [2], new BigInt64Array(10))).rejects.toThrow(
    'input "x": expected Int32Array or Uint8Array or Uint16Array as source of int32, received BigInt64Array',
  );
  await expect(lastBatch('int64', [2], new Int32Array(9))).rejects.toThrow(
    'input "x": expected whole rows of 2 elements up to row 4, received 9 elements',
  );
});
