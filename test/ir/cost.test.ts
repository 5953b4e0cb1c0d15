import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { inferCost } from '../../src/ir/cost.js';
import type { Graph } from '../../src/ir/graph.js';

/** LeNet-5 as it is usually built today: 5×5 convolutions 6 and 16, 2×2 pools, 120–84–10. */
function lenet(): Graph {
  const b = new GraphBuilder('lenet5');
  const pool = (x: string) => b.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  const dense = (x: string, i: number, o: number) =>
    b.op('Gemm', [x, b.weight('fc.w', [o, i]), b.weight('fc.b', [o])], { transB: 1 });
  let x = b.input('x', 'float32', ['N', 1, 32, 32]);
  x = b.op('Conv', [x, b.weight('c1.w', [6, 1, 5, 5]), b.weight('c1.b', [6])]);
  x = pool(b.op('Relu', [x]));
  x = b.op('Conv', [x, b.weight('c2.w', [16, 6, 5, 5]), b.weight('c2.b', [16])]);
  x = b.op('Flatten', [pool(b.op('Relu', [x]))]);
  x = dense(b.op('Relu', [dense(b.op('Relu', [dense(x, 400, 120)]), 120, 84)]), 84, 10);
  b.output(x, 'logits');
  return b.build();
}

describe('inferCost', () => {
  it('counts LeNet-5 as published: 61,706 parameters', () => {
    const cost = inferCost(lenet(), { N: 1 });
    expect(cost.params).toBe(61_706);
    expect(cost.weightsBytes).toBe(4 * 61_706);
    // 6·28²·25 + 16·10²·150 + 400·120 + 120·84 + 84·10
    expect(cost.macs).toBe(117_600 + 240_000 + 48_000 + 10_080 + 840);
    expect(cost.unknownOps).toEqual([]);
  });

  it('scales MACs and activations with the batch, weights not', () => {
    const [one, four] = [inferCost(lenet(), { N: 1 }), inferCost(lenet(), { N: 4 })];
    expect(four.macs).toBe(4 * one.macs);
    expect(four.activationPeakBytes).toBe(4 * one.activationPeakBytes);
    expect(four.params).toBe(one.params);
    // The first pool: its input, over which Relu wrote, and its output alive together.
    expect(one.activationPeakBytes).toBe(4 * 6 * (28 * 28 + 14 * 14));
  });

  it('counts the first basic block of ResNet-18 (64 channels, 56×56)', () => {
    const b = new GraphBuilder('block');
    const x = b.input('x', 'float32', [1, 64, 56, 56]);
    const unit = (h: string) => {
      const conv = b.op('Conv', [h, b.weight('w', [64, 64, 3, 3])], { pads: [1, 1, 1, 1] });
      const state = (name: string) => b.weight(name, [64], 'state');
      const affine = [b.weight('scale', [64]), b.weight('bias', [64])];
      return b.op('BatchNormalization', [conv, ...affine, state('mean'), state('var')]);
    };
    const h = unit(b.op('Relu', [unit(x)]));
    b.output(b.op('Relu', [b.op('Add', [h, x])]), 'y');
    const cost = inferCost(b.build());
    expect(cost.params).toBe(73_984);
    expect(cost.macs).toBe(231_211_008);
    expect(cost.weightsBytes).toBe(4 * (73_984 + 4 * 64));
    // The shortcut lives through the block: x, input and output of the second convolution.
    expect(cost.activationPeakBytes).toBe(3 * 4 * 64 * 56 * 56);
  });

  it('counts grouped, depthwise and transposed convolutions and batched products', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'float32', [2, 8, 10, 10]);
    const depthwise = b.op('Conv', [x, b.weight('dw', [8, 1, 3, 3])], { group: 8 }, 'dw');
    b.output(b.op('ConvTranspose', [x, b.weight('t', [8, 4, 2, 2])], { strides: [2, 2] }, 'up'));
    b.output(b.op('MatMul', [depthwise, b.weight('m', [8, 5])], {}, 'mm'));
    const macs = new Map(inferCost(b.build()).byNode.map((n) => [n.op, n.macs]));
    expect(macs.get('Conv')).toBe(2 * 8 * 8 * 8 * 9);
    expect(macs.get('ConvTranspose')).toBe(2 * 8 * 10 * 10 * 4 * 4);
    expect(macs.get('MatMul')).toBe(2 * 8 * 8 * 5 * 8);
  });

  it('counts bytes per node: each distinct input once, picked elements only', () => {
    const b = new GraphBuilder('bytes');
    const x = b.input('x', 'float32', [100, 16]);
    const picked = b.op('Gather', [x, b.ints([1, 2])], {}, 'pick');
    b.output(b.op('Mul', [picked, picked], {}, 'square'));
    const { byNode, bytesMoved } = inferCost(b.build());
    const bytes = 2 * 16 * 4;
    expect(byNode).toEqual([
      { name: 'pick', op: 'Gather', macs: 0, bytesRead: bytes, bytesWritten: bytes },
      { name: 'square', op: 'Mul', macs: 0, bytesRead: bytes, bytesWritten: bytes },
    ]);
    expect(bytesMoved).toBe(4 * bytes);
  });

  it('asks for the size of an open dimension', () => {
    expect(() => inferCost(lenet())).toThrow(
      'graph lenet5: input x is [N,1,32,32]: expected a size for N, received none',
    );
  });

  it('names operators that it cannot count', () => {
    const b = new GraphBuilder('foreign');
    const x = b.input('x', 'float32', [3]);
    const node = { name: 'f', op: 'Fancy', domain: 'com.example', inputs: [x], outputs: ['y'] };
    b.append({ ...node, attributes: {} });
    expect(inferCost(b.build()).unknownOps).toEqual(['Fancy']);
  });
});
