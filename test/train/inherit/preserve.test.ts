/** Needs onnxruntime-node: children that compute what their parent does, and what is said of others. */
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { type Graph, type Initializer, withGraph } from '../../../src/ir/graph.js';
import { decodeModel } from '../../../src/ir/onnx/decode.js';
import { encodeModel } from '../../../src/ir/onnx/encode.js';
import { createConvNext } from '../../../src/space/baseline/convnext.js';
import type { ConvArchitecture } from '../../../src/space/conv-architecture.js';
import { type InheritanceKind, inheritWeights } from '../../../src/train/inherit.js';
import { drawWeights } from '../../../src/train/initialize.js';
import { Rng } from '../../../src/util/random.js';
import { asTrained, base, distance, outputsOf, space, task, withStage } from './nets.js';

const decode = (architecture: ConvArchitecture) => space.decode(space.parse(architecture));

function inherit(parent: Graph, child: Graph, seed = 3) {
  return inheritWeights(parent, drawWeights(child, new Rng('drawn')), new Rng(seed));
}

/** Name of the change → the child, and a kind of inheritance that it must show. */
const stem = base.stem;
const flat: ConvArchitecture = { ...base, head: { pool: 'none', hidden: 32 } };
const preserved: Readonly<Record<string, readonly [ConvArchitecture, InheritanceKind]>> = {
  nothing: [base, 'copied'],
  'a wider stem': [{ ...base, stem: { ...stem, width: 24 } }, 'widened'],
  'a larger kernel': [{ ...base, stem: { ...stem, kernel: 7 } }, 'kernel-embedded'],
  'wider plain blocks': [withStage(base, 0, { width: 24 }), 'widened'],
  'more plain blocks': [withStage(base, 0, { depth: 3 }), 'deepened'],
  'wider residual blocks, which makes a shortcut a layer': [
    withStage(base, 1, { width: 40 }),
    'deepened',
  ],
  'larger kernels in residual blocks': [withStage(base, 1, { kernel: 5 }), 'kernel-embedded'],
  'more residual blocks': [withStage(base, 1, { depth: 4 }), 'deepened'],
  'squeeze and excitation in residual blocks': [
    withStage(base, 1, { squeezeExcite: true }),
    'deepened',
  ],
  'wider inverted blocks with squeeze and excitation': [
    withStage(base, 2, { width: 40 }),
    'widened',
  ],
  'a larger expansion': [withStage(base, 2, { expansion: 5 }), 'widened'],
  'more inverted blocks': [withStage(base, 2, { depth: 3 }), 'deepened'],
  'larger depthwise kernels': [withStage(base, 2, { kernel: 7 }), 'kernel-embedded'],
  'wider separable blocks': [withStage(base, 3, { width: 64 }), 'widened'],
  'more separable blocks': [withStage(base, 3, { depth: 2 }), 'deepened'],
  'squeeze and excitation in separable blocks': [
    withStage(base, 3, { squeezeExcite: true }),
    'deepened',
  ],
  'a hidden layer': [{ ...base, head: { pool: 'average', hidden: 64 } }, 'deepened'],
  'batch norms give way to biases': [{ ...base, norm: 'none' }, 'copied'],
  'everything wider and deeper': [
    {
      ...base,
      stem: { ...stem, width: 24, kernel: 5 },
      stages: base.stages.map((stage) => ({
        ...stage,
        width: 64,
        depth: stage.depth + 1,
        kernel: 5,
      })),
      head: { pool: 'average', hidden: 128 },
    },
    'widened',
  ],
};

describe('a child computes what its parent does after', () => {
  for (const [change, [architecture, kind]] of Object.entries(preserved)) {
    test(change, async () => {
      const parent = asTrained(decode(base), 1);
      const drawn = drawWeights(decode(architecture), new Rng('drawn'));
      const { graph, isPreserved, tensors } = inheritWeights(parent, drawn, new Rng(3));
      expect(isPreserved).toBe(true);
      expect(tensors.map((tensor) => tensor.kind)).toContain(kind);
      expect(tensors.map((tensor) => tensor.kind)).not.toContain('partial');
      const expected = await outputsOf(parent);
      expect(distance(expected, await outputsOf(graph))).toBeLessThan(1e-4);
      if (change !== 'nothing')
        expect(distance(expected, await outputsOf(drawn))).toBeGreaterThan(0.1);
    });
  }

  test('its parent was read from a file', () => {
    for (const graph of [decode(base), createConvNext(task)]) {
      const parent = decodeModel(encodeModel(asTrained(graph, 1)), 'parent.onnx');
      expect(inherit(parent, graph)).toMatchObject({ isPreserved: true, share: 1 });
    }
  });

  test('wider layers before a classifier that reads positions', async () => {
    const parent = asTrained(decode(flat), 1);
    const wide = { ...withStage(flat, 3, { width: 48 }), head: { ...flat.head, hidden: 64 } };
    const { graph, isPreserved, share } = inherit(parent, decode(wide));
    expect(isPreserved).toBe(true);
    expect(share).toBe(1);
    expect(distance(await outputsOf(parent), await outputsOf(graph))).toBeLessThan(1e-4);
  });

  test('changes to layers without batch norm', async () => {
    const bare: ConvArchitecture = { ...base, norm: 'none' };
    const parent = asTrained(decode(bare), 1);
    for (const genes of [{ width: 32 }, { depth: 3 }, { kernel: 5 }]) {
      const { graph, isPreserved } = inherit(parent, decode(withStage(bare, 0, genes)));
      expect(isPreserved).toBe(true);
      expect(distance(await outputsOf(parent), await outputsOf(graph))).toBeLessThan(1e-4);
    }
    const { graph, isPreserved } = inherit(parent, decode(base));
    expect(isPreserved).toBe(true);
    expect(distance(await outputsOf(parent), await outputsOf(graph))).toBeLessThan(1e-4);
  });
});

test('a claim of equal outputs holds for random mutations, and other children inherit too', async () => {
  let [preservedCount, shares] = [0, 0];
  const count = 40;
  for (let k = 0; k < count; k++) {
    const rng = new Rng(`mutation ${k}`);
    const architecture = space.sample(rng);
    const parent = asTrained(space.decode(architecture), k);
    const { graph, isPreserved, share } = inherit(
      parent,
      space.decode(space.mutate(architecture, rng, 1 + (k % 3))),
    );
    shares += share;
    if (!isPreserved) continue;
    preservedCount++;
    expect(distance(await outputsOf(parent), await outputsOf(graph)), String(k)).toBeLessThan(1e-4);
  }
  expect(preservedCount).toBeGreaterThan(count / 20);
  expect(shares / count).toBeGreaterThan(0.7);
});

describe('a child that cannot compute what its parent does', () => {
  const parent = asTrained(decode(base), 1);
  const kindsOf = (child: Graph) => {
    const { tensors, isPreserved, share } = inherit(parent, child);
    return { isPreserved, share, kinds: new Map(tensors.map(({ name, kind }) => [name, kind])) };
  };

  test('takes the first channels where it is narrower', () => {
    const child = decode(withStage(base, 0, { width: 8 }));
    const { isPreserved, kinds } = kindsOf(child);
    expect(isPreserved).toBe(false);
    expect(kinds.get('stage1.block1.conv1.weight')).toBe('partial');
    const name = 'stage1.block1.norm1.scale';
    const of = (graph: Graph) => graph.initializers.find((one) => one.name === name)?.data;
    const own = of(inherit(parent, child).graph) as Float32Array;
    expect(own).toEqual((of(parent) as Float32Array).slice(0, 8));
  });

  test('takes the middle of a larger kernel', () => {
    const large = asTrained(decode({ ...base, stem: { ...stem, kernel: 5 } }), 1);
    const { graph, tensors, isPreserved } = inherit(large, decode(base));
    expect(isPreserved).toBe(false);
    const of = (net: Graph) =>
      net.initializers.find(({ name }) => name === 'stem.conv.weight')?.data as Float32Array;
    expect(of(graph)[0]).toBe(of(large)[6]);
    expect(tensors.find(({ name }) => name === 'stem.conv.weight')?.kind).toBe('partial');
  });

  test('takes all weights where only an activation differs', () => {
    const { isPreserved, share } = kindsOf(decode(withStage(base, 1, { activation: 'gelu' })));
    expect(isPreserved).toBe(false);
    expect(share).toBe(1);
  });

  test('keeps what was drawn where there is nothing to inherit', () => {
    const flatChild = decode(flat);
    const { kinds } = kindsOf(flatChild);
    expect(kinds.get('logits.weight')).toBe('drawn');
    const drawn = drawWeights(flatChild, new Rng('drawn'));
    const of = (net: Graph) => net.initializers.find(({ name }) => name === 'logits.weight')?.data;
    expect(of(inherit(parent, flatChild).graph)).toEqual(of(drawn));
  });
});

describe('graphs that no space made', () => {
  const mlp = (widths: readonly number[], prefix: string): Graph => {
    const b = new GraphBuilder('mlp');
    let [value, from] = [b.input('x', 'float32', ['N', 12]), 12];
    widths.forEach((width, i) => {
      const weight = b.weight(`${prefix}${i}w`, [from, width]);
      const bias = b.weight(`${prefix}${i}b`, [width]);
      value = b.op('Add', [b.op('MatMul', [value, weight]), bias]);
      if (i < widths.length - 1) value = b.op('Relu', [value]);
      from = width;
    });
    b.output(value);
    return b.build();
  };

  test('are matched by their structure, whatever their names', async () => {
    const parent = asTrained(mlp([20, 16, 5], 'p'), 1);
    const child = inherit(parent, mlp([48, 24, 24, 5], 'c'));
    expect(child.isPreserved).toBe(true);
    expect(distance(await outputsOf(parent), await outputsOf(child.graph))).toBeLessThan(1e-4);
  });

  test('layer norm allows even repetition alone', async () => {
    const parent = asTrained(createConvNext(task), 1);
    const same = inherit(parent, withGraph(createConvNext(task), { name: 'child' }));
    expect(same.isPreserved).toBe(true);
    expect(distance(await outputsOf(parent), await outputsOf(same.graph))).toBeLessThan(1e-4);
    const norm = (width: number): Graph => {
      const b = new GraphBuilder('norm');
      const x = b.op('MatMul', [b.input('x', 'float32', ['N', 6]), b.weight('w', [6, width])]);
      const parameters = [b.weight('scale', [width]), b.weight('bias', [width])];
      const y = b.op('LayerNormalization', [x, ...parameters], { axis: -1 });
      b.output(b.op('MatMul', [y, b.weight('v', [width, 3])]));
      return b.build();
    };
    const narrow = asTrained(norm(8), 2);
    const expected = await outputsOf(narrow);
    const [even, uneven] = [inherit(narrow, norm(16)), inherit(narrow, norm(12))];
    expect([even.isPreserved, uneven.isPreserved]).toEqual([true, false]);
    expect(distance(expected, await outputsOf(even.graph))).toBeLessThan(1e-4);
    expect(distance(expected, await outputsOf(uneven.graph))).toBeGreaterThan(1e-4);
  });
});

describe('repeated units', () => {
  const wide = decode(withStage(base, 0, { width: 32 }));
  const parent = asTrained(decode(base), 1);
  const read = (graph: Graph, name: string) =>
    graph.initializers.find((one) => one.name === name) as Initializer & { data: Float32Array };

  test('are equal, but what reads them differs, so that they will learn different things', () => {
    const { graph } = inherit(parent, wide);
    const scale = read(graph, 'stage1.block1.norm1.scale').data;
    const [first] = [...scale.keys()].filter((i) => i >= 16 && scale[i] === scale[0]);
    const { dims, data } = read(graph, 'stage2.block1.conv1.weight');
    const shares = Array.from({ length: dims[0] as number }, (_, o) => {
      const at = (i: number) => data[(o * (dims[1] as number) + i) * 9] as number;
      return at(0) / (at(0) + at(first as number));
    });
    expect(new Set(shares.map((share) => share.toFixed(4))).size).toBeGreaterThan(10);
    expect(Math.min(...shares)).toBeGreaterThan(0.2);
  });

  test('follow from the seed', () => {
    const weights = (seed: number) => inherit(parent, wide, seed).graph.initializers;
    expect(weights(1)).toEqual(weights(1));
    expect(weights(1)).not.toEqual(weights(2));
  });
});
