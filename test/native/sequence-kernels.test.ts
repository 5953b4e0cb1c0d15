import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/util/random.js';
import { elementCount, type HostTensor } from '../../src/util/tensor.js';
import { nativeSequence } from '../reference/native-sequence.js';
import { nativeUpdate } from '../reference/native-update.js';
import { tensor } from '../reference/tensor.js';
import { type Attributes, float, int, runNode } from './run-node.js';

/** Kernels for sequences, losses and updates through their custom operators, against their twins in float64. */

interface Case {
  readonly op: string;
  readonly dims: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
  readonly attributes?: Attributes;
  /** Made out of the drawn inputs, behind them. */
  readonly further?: (inputs: readonly HostTensor[]) => readonly HostTensor[];
}

const attributes = { scale: float(0.25) };
const heads = (n: number, rows: number, h: number, depth: number) => [n, rows, h, depth];

/** Forward results that a backward kernel reads. */
const attended = ([, q, k, v]: readonly HostTensor[]): readonly HostTensor[] =>
  reference('TrainingAttention', [q, k, v] as HostTensor[], attributes).map((t) => ({
    dtype: 'float32',
    dims: t.dims,
    data: Float32Array.from(t.data),
  }));
const statistics = ([, x, scale]: readonly HostTensor[]): readonly HostTensor[] => {
  const columns = scale?.dims[0] as number;
  const data = x?.data as Float32Array;
  const rows = data.length / columns;
  const mean = new Float32Array(rows);
  const rate = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * columns, (r + 1) * columns);
    const m = row.reduce((sum, v) => sum + v, 0) / columns;
    mean[r] = m;
    rate[r] = 1 / Math.sqrt(row.reduce((sum, v) => sum + (v - m) ** 2, 0) / columns + 1e-5);
  }
  return [mean, rate].map((values) => ({ dtype: 'float32', dims: [rows, 1], data: values }));
};

const attentionCases = (
  n: number,
  queries: number,
  keys: number,
  h: number,
  depth: number,
  value: number,
): Case[] => {
  const [q, k, v, y] = [
    heads(n, queries, h, depth),
    heads(n, keys, h, depth),
    heads(n, keys, h, value),
    heads(n, queries, h, value),
  ];
  return [
    { op: 'TrainingAttention', dims: [q, k, v], outputs: [y, [n, h, queries]], attributes },
    { op: 'AttentionGrad', dims: [y, q, k, v], outputs: [q, k, v], attributes, further: attended },
  ];
};

const normCase = (rows: number, columns: number): Case => ({
  op: 'LayerNormGrad',
  dims: [[rows, columns], [rows, columns], [columns]],
  outputs: [[rows, columns], [columns], [columns]],
  further: statistics,
});

const elementCases = (count: number): Case[] =>
  ['TrainingGelu', 'TrainingSilu', 'GeluGrad', 'SiluGrad'].map((op) => ({
    op,
    dims: op.endsWith('Grad') ? [[count], [count]] : [[count]],
    outputs: [[count]],
  }));

const updateCases = (count: number): Case[] => {
  const vector = [count];
  return [
    { op: 'SumOfSquares', dims: [vector], outputs: [[]] },
    { op: 'SumOfSquares', dims: [vector, [2, 3], [1]], outputs: [[]] },
    ...[0, 1].map((nesterov) => ({
      op: 'SgdUpdate',
      dims: [vector, vector, [], [], ...piecesOf(count)],
      outputs: [vector, vector],
      attributes: { momentum: float(0.5), decay: float(0.25), nesterov: int(nesterov) },
    })),
    {
      op: 'AdamwUpdate',
      dims: [vector, vector],
      outputs: [vector, vector, vector],
      attributes: { beta1: float(0.5), beta2: float(0.75), epsilon: float(0.125) },
      further: ([, mean]: readonly HostTensor[]) => [
        { ...full(count, 0.5), dims: vector },
        ...[0.5, 0.9375, 0.25, 2].map((value) => full(1, value)),
        mean as HostTensor,
      ],
    },
  ];
};
/** Shapes of a gradient in pieces. */
const piecesOf = (count: number): readonly (readonly number[])[] =>
  count < 13 ? [[count]] : [[2, 3], [1], [count - 7]];

/** A scalar, or so many equal elements. */
const full = (count: number, value: number): HostTensor => ({
  dtype: 'float32',
  dims: [],
  data: new Float32Array(count).fill(value),
});

const entropyCase = (rows: number, classes: number): Case => ({
  op: 'TrainingCrossEntropy',
  dims: [
    [rows, classes],
    [rows, classes],
  ],
  outputs: [[], [rows, classes]],
});

const cases: readonly Case[] = [
  ...updateCases(1),
  ...updateCases(13),
  ...updateCases(20011),
  entropyCase(1, 1),
  entropyCase(5, 10),
  entropyCase(700, 131),
  ...attentionCases(2, 5, 7, 3, 4, 6),
  ...attentionCases(1, 131, 33, 2, 32, 32),
  ...attentionCases(3, 1, 1, 1, 1, 1),
  ...attentionCases(1, 64, 64, 1, 20, 48),
  normCase(3, 5),
  normCase(700, 16),
  normCase(17, 131),
  normCase(1, 3),
  ...elementCases(1),
  ...elementCases(47),
  ...elementCases(8195),
];

function reference(op: string, inputs: readonly HostTensor[], given: Attributes) {
  const node = { name: op, op, domain: 'archwright', inputs: [], outputs: [], attributes: given };
  const kernel = { ...nativeSequence, ...nativeUpdate }[op] as (typeof nativeSequence)[string];
  return kernel(
    node,
    inputs.map(({ dims, data }) => tensor(dims, Array.from(data, Number))),
    17,
  );
}

describe.each(cases)('$op over $dims', ({ op, dims, outputs, attributes: given = {}, further }) => {
  const rng = new Rng(`${op} ${dims.join(' ')}`);
  const drawn = dims.map(
    (d): HostTensor => ({
      dtype: 'float32',
      dims: d,
      data: Float32Array.from({ length: elementCount(d) }, () => 2 * rng.normal()),
    }),
  );
  const inputs = [...drawn, ...(further?.(drawn) ?? [])];

  it('agrees with its formula on one and two threads', async () => {
    const expected = reference(op, inputs, given);
    for (const threads of [1, 2]) {
      const actual = await runNode('archwright', op, inputs, outputs, given, threads);
      actual.forEach((values, i) => {
        const want = expected[i]?.data as ArrayLike<number>;
        expect(values.length).toBe(want.length);
        const largest = Math.max(...Array.from(want, Math.abs));
        values.forEach((value, at) => {
          expect(Math.abs(value - (want[at] as number))).toBeLessThan(3e-6 * (1 + largest));
        });
      });
    }
  });

  it('gives the same bits again', async () => {
    const once = await runNode('archwright', op, inputs, outputs, given, 1);
    expect(await runNode('archwright', op, inputs, outputs, given, 1)).toStrictEqual(once);
  });
});

it('keeps the digits of GELU far down its left tail', async () => {
  const x: HostTensor = { dtype: 'float32', dims: [3], data: Float32Array.of(-3, -5, -8) };
  const [y] = await runNode('archwright', 'TrainingGelu', [x], [[3]], {}, 1);
  // x·Φ(x) to 12 digits: Φ(−3), Φ(−5), Φ(−8) from tables.
  const want = [-3 * 1.34989803163e-3, -5 * 2.86651571879e-7, -8 * 6.22096057427e-16];
  y?.forEach((value, i) => {
    expect(value / (want[i] as number)).toBeCloseTo(1, 5);
  });
});
