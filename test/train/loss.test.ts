/**
 * Losses and their gradients against PyTorch 1.13: `torch-recipe.json` is what
 * `python3 benchmarks/torch_recipe.py` printed.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { Graph } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { Session } from '../../src/runtime/session.js';
import { appendGradients } from '../../src/train/autodiff.js';
import { type AppendedLoss, appendLoss, type LossSpec } from '../../src/train/loss/loss.js';
import { scoreBatch } from '../../src/train/loss/score.js';
import type { HostTensor } from '../../src/util/tensor.js';

interface Case {
  readonly name: string;
  readonly dims: readonly number[];
  readonly prediction: readonly number[];
  readonly targetDims: readonly number[];
  readonly target: readonly number[];
  readonly integer: boolean;
  readonly loss: number;
  readonly gradient: readonly number[];
}
const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL('torch-recipe.json', import.meta.url), 'utf8'),
).losses;

const specOf = (name: string): LossSpec => ({
  loss: name.split(' ')[0] as LossSpec['loss'],
  labelSmoothing: name.endsWith('smoothed') ? 0.2 : 0,
  huberDelta: 0.7,
});

const floats = (dims: readonly number[], data: readonly number[]): HostTensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from(data),
});

const targetOf = ({ integer, target, targetDims }: Case): HostTensor =>
  integer
    ? { dtype: 'int64', dims: targetDims, data: BigInt64Array.from(target, BigInt) }
    : floats(targetDims, target);

interface Outcome {
  readonly loss: number;
  readonly gradient: readonly number[];
  readonly appended: AppendedLoss;
}

/** Loss and gradient of a case in ONNX Runtime. */
async function run(one: Case, spec: LossSpec): Promise<Outcome> {
  const b = new GraphBuilder('loss-case');
  b.input('x', 'float32', one.dims);
  const target = targetOf(one);
  b.input('t', target.dtype, one.targetDims);
  const feeds: Record<string, HostTensor> = { x: floats(one.dims, one.prediction), t: target };
  const isMixed = one.name.endsWith('mixed');
  if (isMixed) {
    b.input('other', 'int64', one.targetDims);
    b.input('share', 'float32', []);
    feeds.other = { ...target, data: BigInt64Array.from(one.target.toReversed(), BigInt) };
    feeds.share = floats([], [0.3]);
  }
  const mixed = { labels: 'other', share: 'share' };
  const appended = appendLoss(b, spec, 'x', { name: 't', ...(isMixed && { mixed }) });
  const gradients = appendGradients(b, appended.nodes, appended.seeds, ['x']);
  b.output(appended.loss, 'loss');
  b.output(gradients.get('x') as string, 'gradient');
  const session = await Session.create(encodeModel(b.build()), {
    threads: 1,
    optimization: 'all',
    provider: 'cpu',
  });
  const { loss, gradient } = await session.run(feeds);
  session.release();
  expect(gradient?.dims).toEqual(one.dims);
  return {
    loss: Number(loss?.data[0]),
    gradient: Array.from(gradient?.data ?? [], Number),
    appended,
  };
}

function expectClose(received: readonly number[], wanted: readonly number[]): void {
  expect(received).toHaveLength(wanted.length);
  received.forEach((value, i) => {
    expect(Math.abs(value - (wanted[i] as number)), `element ${i}`).toBeLessThan(2e-6);
  });
}

describe('as in PyTorch', () => {
  test.each(cases)('$name', async (one) => {
    const { loss, gradient } = await run(one, specOf(one.name));
    expectClose([loss], [one.loss]);
    expectClose(gradient, one.gradient);
  });

  const plain = cases.filter(({ name }) => !/smoothed|mixed/.test(name));
  test.each(plain)('$name, scored', (one) => {
    const prediction = floats(one.dims, one.prediction);
    expectClose([scoreBatch(specOf(one.name), prediction, targetOf(one)).loss], [one.loss]);
  });
});

test('right decisions are counted alike in a step and in a score', () => {
  const hit = floats([2, 3], [0, 2, 1, 5, 4, 3]);
  const classes: HostTensor = { dtype: 'int64', dims: [2], data: BigInt64Array.of(1n, 2n) };
  expect(scoreBatch(specOf('cross-entropy'), hit, classes)).toMatchObject({
    correct: 1,
    decisions: 2,
  });
  const bits = floats([2, 3], [1, 1, 0, 0, 1, 0]);
  const logits = floats([2, 3], [3, -1, -1, 2, 2, -5]);
  expect(scoreBatch(specOf('bce'), logits, bits)).toMatchObject({ correct: 4, decisions: 6 });
});

const find = (name: string) => cases.find((one) => one.name === name) as Case;

/** mean (x − t)² in ordinary operators, as a user would export it. */
function ownLoss(change: (b: GraphBuilder) => void = () => {}): Graph {
  const b = new GraphBuilder('own');
  b.input('target', 'float32', ['N', 4]);
  b.input('prediction', 'float32', ['N', 4]);
  change(b);
  const d = b.op('Sub', ['prediction', 'target']);
  b.output(b.op('ReduceMean', [b.op('Mul', [d, d])], { keepdims: 0 }), 'value');
  return b.build();
}

describe('a loss of one’s own', () => {
  const spec = { ...specOf('custom'), loss: 'custom' } as const;

  test('is what the graph says, and gradients go through it', async () => {
    const one = find('mse');
    const { loss, gradient } = await run(one, { ...spec, graph: ownLoss() });
    expectClose([loss], [one.loss]);
    expectClose(gradient, one.gradient);
  });

  const refuse = (graph: Graph): (() => void) => {
    const b = new GraphBuilder('refused');
    for (const name of ['x', 't']) b.input(name, 'float32', [3, 4]);
    return () => appendLoss(b, { ...spec, graph }, 'x', { name: 't' });
  };

  test('needs its two inputs by name', () => {
    const graph = ownLoss((b) => b.input('more', 'float32', []));
    expect(refuse(graph)).toThrow(UsageError);
    expect(refuse(graph)).toThrow(
      /inputs prediction and target and one output, received inputs more/,
    );
  });

  test('needs a scalar output', () => {
    const b = new GraphBuilder('vector');
    for (const name of ['prediction', 'target']) b.input(name, 'float32', ['N', 4]);
    b.output(b.op('Sub', ['prediction', 'target']), 'difference');
    expect(refuse(b.build())).toThrow(/expected a scalar float32 output, received float32 \[3,4\]/);
  });
});

describe('targets that do not fit are refused in one line', () => {
  test.each<[readonly number[], readonly number[], 'float32' | 'int64', RegExp]>([
    [[3, 4], [4], 'int64', /class numbers of the prediction's dims \[3,4\] .* received \[4\]/],
    [[3, 4], [3], 'float32', /float targets of the prediction's dims \[3,4\], received \[3\]/],
    [[2, 5, 5], [2, 5], 'int64', /axis 1 and axis 2 both fit/],
  ])('[%s] and [%s] of %s', (dims, target, dtype, message) => {
    const b = new GraphBuilder('refused');
    b.input('x', 'float32', dims);
    b.input('t', dtype, target);
    expect(() => appendLoss(b, specOf('cross-entropy'), 'x', { name: 't' })).toThrow(message);
  });
});
