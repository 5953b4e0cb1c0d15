/** Recipe, drawing of weights, deployment, and what autodiff refuses. */
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { Graph } from '../../src/ir/graph.js';
import { problemsOf } from '../../src/ir/verify.js';
import { appendGradients } from '../../src/train/autodiff.js';
import { deployGraph } from '../../src/train/deploy.js';
import { drawWeights } from '../../src/train/initialize.js';
import { recipeDefaults, resolveRecipe } from '../../src/train/recipe.js';
import { createTrainingStep } from '../../src/train/step.js';
import { Rng } from '../../src/util/random.js';
import { interpret } from '../reference/interpreter.js';
import { type Tensor, tensor } from '../reference/tensor.js';

describe('recipe', () => {
  test('what is left out has the default of its optimiser', () => {
    expect(resolveRecipe()).toEqual(recipeDefaults.adamw);
    expect(resolveRecipe({ optimizer: 'sgd', batch: 32 })).toEqual({
      ...recipeDefaults.sgd,
      batch: 32,
    });
  });

  test.each([
    [{ learningRate: -1 }, /recipe\.learningRate: expected .* at least 0, received -1/],
    [{ learningRate: Number.NaN }, /recipe\.learningRate/],
    [{ momentum: 1 }, /recipe\.momentum: expected .* \[0, 1\), received 1/],
    [{ labelSmoothing: 1.5 }, /recipe\.labelSmoothing/],
    [{ batch: 1 }, /recipe\.batch: expected a whole number from 2, received 1/],
    [{ optimizer: 'lion' as 'sgd' }, /recipe\.optimizer: expected sgd or adamw, received lion/],
  ])('%o is refused in one line', (recipe, message) => {
    expect(() => resolveRecipe(recipe)).toThrow(UsageError);
    expect(() => resolveRecipe(recipe)).toThrow(message);
  });
});

function createNet(): Graph {
  const b = new GraphBuilder('net');
  b.input('image', 'float32', ['N', 2, 8, 8]);
  const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  let x = b.op('Conv', ['image', b.weight('conv', [64, 2, 3, 3])], same);
  const norm = ['scale', 'bias'].map((name) => b.weight(`norm.${name}`, [64]));
  const states = ['mean', 'var'].map((name) => b.weight(`norm.${name}`, [64], 'state'));
  x = b.op('Relu', [b.op('BatchNormalization', [x, ...norm, ...states])]);
  x = b.op('Conv', [x, b.weight('depthwise', [64, 1, 3, 3])], { ...same, group: 64 });
  x = b.op('Flatten', [b.op('GlobalAveragePool', [x])]);
  const head = [x, b.weight('linear', [10, 64]), b.weight('linear.bias', [10])];
  b.output(b.op('Gemm', head, { transB: 1 }, 'logits'));
  return b.build();
}

describe('drawWeights', () => {
  const graph = drawWeights(createNet(), new Rng(3));
  const of = (g: Graph, name: string) =>
    g.initializers.find((i) => i.name === name)?.data as Float32Array;
  const deviation = (values: Float32Array) =>
    Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

  test.each([
    ['conv', Math.sqrt(2 / (64 * 9))],
    ['depthwise', Math.sqrt(1 / 9)],
    ['linear', Math.sqrt(1 / 64)],
  ])('%s is normal with the deviation of its fan', (name, wanted) => {
    const values = of(graph, name);
    expect(Math.abs(deviation(values) / wanted - 1)).toBeLessThan(4 / Math.sqrt(2 * values.length));
  });

  test.each([
    ['norm.scale', 1],
    ['norm.bias', 0],
    ['norm.mean', 0],
    ['norm.var', 1],
    ['linear.bias', 0],
  ])('%s is all %d', (name, value) => {
    expect(new Set(of(graph, name))).toEqual(new Set([value]));
  });

  test('the same seed gives the same weights, another seed others', () => {
    expect(of(drawWeights(createNet(), new Rng(3)), 'conv')).toEqual(of(graph, 'conv'));
    expect(of(drawWeights(createNet(), new Rng(4)), 'conv')).not.toEqual(of(graph, 'conv'));
  });

  test('weights with data are kept unless asked', () => {
    expect(of(drawWeights(graph, new Rng(9)), 'conv')).toBe(of(graph, 'conv'));
    expect(of(drawWeights(graph, new Rng(9), { redraw: true }), 'conv')).not.toEqual(
      of(graph, 'conv'),
    );
  });
});

describe('deployGraph', () => {
  test('folds the norm, computes the same, and says what its output is', () => {
    const rng = new Rng(5);
    const net = drawWeights(createNet(), rng);
    const trained: Graph = {
      ...net,
      initializers: net.initializers.map((i) =>
        i.name.startsWith('norm.')
          ? { ...i, data: Float32Array.from({ length: 64 }, () => rng.range(0.5, 2)) }
          : i,
      ),
    };
    const deployed = deployGraph(trained, { classes: ['a', 'b'], metadata: { trial: '7' } });
    expect(problemsOf(deployed)).toEqual([]);
    expect(deployed.nodes.map(({ op }) => op)).not.toContain('BatchNormalization');
    expect(deployed.metadata).toMatchObject({
      'output.kind': 'logits',
      'output.classes': '["a","b"]',
      trial: '7',
    });
    const image = tensor(
      [2, 2, 8, 8],
      Array.from({ length: 256 }, () => rng.normal()),
    );
    const before = interpret(trained, { image }).get('logits') as Tensor;
    const after = interpret(deployed, { image }).get('logits') as Tensor;
    after.data.forEach((v, i) => {
      expect(v).toBeCloseTo(before.data[i] as number, 5);
    });
  });

  test('weights without data are refused', () => {
    expect(() => deployGraph(createNet(), { classes: [] })).toThrow(
      /expected trained weights, received none for conv/,
    );
  });
});

describe('autodiff', () => {
  test('adds the gradients of a value that is read twice, and leaves out what does not matter', () => {
    const plain = new GraphBuilder('square');
    for (const name of ['x', 'unused']) plain.input(name, 'float32', [2]);
    plain.output(plain.op('Mul', ['x', plain.op('Exp', ['x'])], {}, 'y'));
    const forward = plain.build();
    const b = GraphBuilder.from(forward);
    b.input('dy', 'float32', [2]);
    const gradients = appendGradients(b, forward.nodes, new Map([['y', 'dy']]), ['x', 'unused']);
    expect([...gradients.keys()]).toEqual(['x']);
    b.output(gradients.get('x') as string, 'dx');
    const x = [0.5, -1];
    const values = { x: tensor([2], x), dy: tensor([2], [1, 2]) };
    const dx = interpret(b.build(), values).get('dx') as Tensor;
    x.forEach((v, i) => {
      expect(dx.data[i]).toBeCloseTo((i + 1) * (1 + v) * Math.exp(v), 12);
    });
  });

  test('no gradient is computed for the image', () => {
    const { graph } = createTrainingStep(createNet(), resolveRecipe(), 'onnx');
    const convolutions = graph.nodes.filter(({ op }) => op === 'Conv' || op === 'ConvTranspose');
    // Forward: two. Backward: the input of the second, and the weight of the depthwise one.
    expect(convolutions).toHaveLength(4);
  });

  test('names of the graph and of the step do not meet', () => {
    const b = new GraphBuilder('names');
    b.input('label', 'float32', ['N', 4]);
    const w = b.weight('weights', [4, 3]);
    const shaped = b.op('Reshape', ['label', b.ints([0, 4])], {}, 'loss');
    const scaled = b.op('Mul', [b.op('MatMul', [shaped, w], {}, 'weights.next'), b.scalar(2)]);
    b.output(scaled, 'learning_rate');
    const recipe = resolveRecipe({ optimizer: 'sgd' });
    const step = createTrainingStep(b.build(), recipe);
    expect(problemsOf(step.graph)).toEqual([]);
    expect(step.state[0]?.slots).toEqual([{ name: 'weights', offset: 0, length: 12 }]);
  });

  const refusals: readonly [string, (b: GraphBuilder, x: string) => string, RegExp][] = [
    [
      'an operator without gradient',
      (b, x) => b.op('Bernoulli', [x], {}, 'draw'),
      /node draw \(Bernoulli\) cannot be trained: a draw jumps from one value to another/,
    ],
    [
      'an unknown mode of padding',
      (b, x) => b.op('Pad', [x, b.ints([0, 1, 0, 1])], { mode: 'mirror' }, 'pad'),
      /node pad \(Pad\) cannot be trained: mode expected .+ received mirror/,
    ],
  ];
  test.each(refusals)('%s on the way is refused by name', (_, addNode, message) => {
    const b = new GraphBuilder('refused');
    b.input('image', 'float32', ['N', 4]);
    const x = b.op('MatMul', ['image', b.weight('w', [4, 3])]);
    b.output(addNode(b, x), 'logits');
    expect(() => createTrainingStep(b.build(), resolveRecipe())).toThrow(UsageError);
    expect(() => createTrainingStep(b.build(), resolveRecipe())).toThrow(message);
  });

  test.each<[string, (g: Graph) => Graph, RegExp]>([
    [
      'an old operator set',
      (g) => ({ ...g, opsets: { '': 9 } }),
      /operator set 13 or later, received 9/,
    ],
    [
      'two outputs',
      (g) => ({ ...g, outputs: [...g.outputs, { name: 'more', dtype: 'float32', shape: [1] }] }),
      /inputs and one output, received 1 and 2/,
    ],
    [
      'nothing to train',
      (g) => ({ ...g, initializers: g.initializers.map((i) => ({ ...i, role: 'constant' })) }),
      /expected weights to train/,
    ],
  ])('%s is refused in one line', (_, change, message) => {
    const graph = change(drawWeights(createNet(), new Rng(1)));
    expect(() => createTrainingStep(graph, resolveRecipe())).toThrow(UsageError);
    expect(() => createTrainingStep(graph, resolveRecipe())).toThrow(message);
  });
});
