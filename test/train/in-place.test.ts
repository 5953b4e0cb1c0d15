/** Which state a step may overwrite while it runs. */
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { Graph } from '../../src/ir/graph.js';
import { mayOverwrite } from '../../src/train/in-place.js';
import { drawWeights } from '../../src/train/initialize.js';
import { resolveRecipe } from '../../src/train/recipe.js';
import { createTrainingStep } from '../../src/train/step.js';
import { Rng } from '../../src/util/random.js';

/** A graph with input `w`, output `next`, and what `append` makes of them. */
function graphOf(append: (b: GraphBuilder) => string): Graph {
  const b = new GraphBuilder('state');
  b.input('w', 'float32', [2, 2]);
  b.input('g', 'float32', [2, 2]);
  b.output(append(b), 'next');
  return b.build();
}

describe('a state may be overwritten', () => {
  test.each<[string, boolean, (b: GraphBuilder) => string]>([
    ['by what reads it element by element', true, (b) => b.op('Sub', ['w', 'g'])],
    ['by what does not read it at all', true, (b) => b.op('Neg', ['g'])],
    [
      'where others that read it come first',
      true,
      (b) => b.op('Sub', ['w', b.op('MatMul', ['w', 'g'])]),
    ],
    ['not by what needs other elements of it', false, (b) => b.op('MatMul', ['w', 'g'])],
    [
      'not where another may still read it',
      false,
      (b) => {
        b.output(b.op('MatMul', ['w', 'g']), 'other');
        return b.op('Sub', ['w', 'g']);
      },
    ],
    [
      'not where another may still read it under another shape',
      false,
      (b) => {
        b.output(b.op('Neg', [b.op('Reshape', ['w', b.ints([4])])]), 'other');
        return b.op('Sub', ['w', 'g']);
      },
    ],
    [
      'not where it is an output itself',
      false,
      (b) => {
        b.output('w', 'before');
        return b.op('Sub', ['w', 'g']);
      },
    ],
  ])('%s', (_, expected, append) => {
    expect(mayOverwrite(graphOf(append), 'w', 'next')).toBe(expected);
  });
});

test.each([
  { optimizer: 'sgd', clipNorm: 5 },
  { optimizer: 'sgd', clipNorm: 0, momentum: 0 },
  { optimizer: 'adamw', clipNorm: 0 },
  { optimizer: 'adamw', accumulate: 2, ema: 0.9 },
] as const)('a training step with %o overwrites all its state', (options) => {
  const b = new GraphBuilder('net');
  b.input('image', 'float32', ['N', 2, 8, 8]);
  const x = b.op('Conv', ['image', b.weight('conv', [4, 2, 3, 3])], { kernel_shape: [3, 3] });
  const norm = ['scale', 'bias'].map((name) => b.weight(`norm.${name}`, [4]));
  const running = ['mean', 'var'].map((name) => b.weight(`norm.${name}`, [4], 'state'));
  const y = b.op('Relu', [b.op('BatchNormalization', [x, ...norm, ...running])]);
  const head = [b.op('Flatten', [b.op('GlobalAveragePool', [y])]), b.weight('linear', [4, 3])];
  b.output(b.op('MatMul', head));
  const graph = drawWeights(b.build(), new Rng(1));
  for (const kernels of ['native', 'onnx'] as const) {
    const { state } = createTrainingStep(graph, resolveRecipe({ batch: 4, ...options }), kernels);
    expect(state.filter(({ inPlace }) => !inPlace).map(({ name }) => name)).toEqual([]);
  }
});
