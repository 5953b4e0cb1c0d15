import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { type Node, withData, withGraph } from '../../../src/ir/graph.js';
import { alignNodes } from '../../../src/train/inherit/align.js';
import { ValueFacts } from '../../../src/train/inherit/moments.js';
import { traceChannels } from '../../../src/train/inherit/trace.js';
import { Rng } from '../../../src/util/random.js';
import { base, space, withStage } from './nets.js';

describe('alignNodes', () => {
  const parent = space.decode(base);
  const pairsOf = (child: typeof parent) =>
    new Map([...alignNodes(child, parent)].map(([a, b]) => [a.name, b.name]));

  test('pairs blocks of equal structure, although a stage before them moved their names', () => {
    const stages = base.stages.toSpliced(1, 1);
    const pairs = pairsOf(space.decode({ ...base, stages }));
    expect(pairs.get('stage2.block1.conv2')).toBe('stage3.block1.conv2');
    expect(pairs.get('stage3.block1.conv2')).toBe('stage4.block1.conv2');
  });

  test('leaves added blocks unpaired, and never pairs a depthwise layer with another', () => {
    const child = space.decode(withStage(base, 1, { depth: 3 }));
    const pairs = pairsOf(child);
    expect(child.nodes.filter(({ name }) => !pairs.has(name)).map(({ name }) => name)).toEqual(
      child.nodes.map(({ name }) => name).filter((name) => name.startsWith('stage2.block3')),
    );
    const groups = (node: Node | undefined) => node?.attributes.group;
    const inverted = space.decode(withStage(base, 0, { block: 'separable', squeezeExcite: false }));
    for (const [a, b] of alignNodes(inverted, parent)) {
      const isDepthwise = (node: Node) => JSON.stringify(groups(node) ?? '').includes('"value":1}');
      if (a.op === 'Conv') expect(isDepthwise(a)).toBe(isDepthwise(b));
    }
  });

  test('does not need names', () => {
    const renamed = withGraph(parent, {
      nodes: parent.nodes.map((node, i) => ({ ...node, name: `n${i}` })),
    });
    expect(alignNodes(renamed, parent).size).toBe(parent.nodes.length);
  });
});

describe('traceChannels', () => {
  test('joins what is added, and follows Flatten', () => {
    const b = new GraphBuilder('net');
    const x = b.input('x', 'float32', ['N', 3, 4, 4]);
    const conv = (from: string, name: string, inputs: number) =>
      b.op('Conv', [from, b.weight(`${name}.weight`, [6, inputs, 1, 1])], {}, name);
    const left = conv(x, 'left', 3);
    const sum = b.op('Add', [left, conv(x, 'right', 3)], {}, 'sum');
    const flat = b.op('Flatten', [sum], {}, 'flat');
    b.output(b.op('Gemm', [flat, b.weight('w', [96, 2])], {}, 'y'));
    const channels = traceChannels(b.build());
    const group = channels.of('left')[1]?.[0]?.group;
    expect(channels.of('right')[1]?.[0]?.group).toBe(group);
    expect(channels.of('w')[0]).toEqual([{ group, size: 6, inner: 16 }]);
    expect(channels.of('left.weight')[1]).toEqual(channels.of('x')[1]);
    expect(channels.summedAxis('w')).toBe(0);
    expect(channels.summedAxis('left.weight')).toBe(1);
  });
});

describe('ValueFacts', () => {
  const b = new GraphBuilder('net');
  const x = b.input('x', 'float32', ['N', 2, 4, 4]);
  const names = ['scale', 'bias', 'mean', 'var'];
  const norm = b.op(
    'BatchNormalization',
    [x, ...names.map((name, i) => b.weight(name, [2], i < 2 ? 'weight' : 'state'))],
    {},
    'norm',
  );
  b.op('Clip', [norm, b.scalar(0), b.scalar(6)], {}, 'clip');
  b.op('AveragePool', [b.op('Relu', [norm], {}, 'relu')], { kernel_shape: [2, 2] }, 'pool');
  b.output(b.op('Sub', ['relu', 'clip'], {}, 'y'));
  const data = [Float32Array.of(1.5, 4), Float32Array.of(0.5, 5)];
  const facts = new ValueFacts(
    withData(b.build(), new Map(data.map((one, i) => [names[i] as string, one]))),
  );

  test('moments after a norm and a cut are those of drawn numbers', () => {
    const rng = new Rng('moments');
    for (const [value, low, high] of [
      ['relu', 0, Number.POSITIVE_INFINITY],
      ['clip', 0, 6],
    ] as const) {
      [0, 1].forEach((channel) => {
        const [scale, bias] = data.map((one) => one[channel] as number) as [number, number];
        const drawn = Float64Array.from({ length: 400_000 }, () =>
          Math.min(high, Math.max(low, bias + scale * rng.normal())),
        );
        const mean = drawn.reduce((a, c) => a + c, 0) / drawn.length;
        const variance = drawn.reduce((a, c) => a + (c - mean) ** 2, 0) / drawn.length;
        const moments = facts.momentsOf(value);
        expect(Math.abs((moments?.mean[channel] as number) - mean)).toBeLessThan(0.02);
        expect((moments?.variance[channel] as number) / variance).toBeCloseTo(1, 1);
      });
    }
    expect(facts.momentsOf('pool')).toBeUndefined();
  });

  test('ranges follow cuts and pools', () => {
    expect(facts.rangeOf('clip')).toEqual([0, 6]);
    expect(facts.rangeOf('pool')).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(facts.rangeOf('norm')[0]).toBe(Number.NEGATIVE_INFINITY);
  });
});
