/** Needs onnxruntime-node: what the space decodes, run by a plain ONNX Runtime. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { inferCost } from '../../src/ir/cost.js';
import type { Graph } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { createLenet } from '../../src/space/baseline/lenet.js';
import { createResnet } from '../../src/space/baseline/resnet.js';
import { addActivation } from '../../src/space/block/layer.js';
import { createConvSpace } from '../../src/space/conv.js';
import type { Activation } from '../../src/space/conv-architecture.js';
import type { TaskShape } from '../../src/space/space.js';
import { drawWeights } from '../../src/train/initialize.js';
import { Rng } from '../../src/util/random.js';

const tasks: readonly TaskShape[] = [
  { channels: 1, height: 28, width: 28, classes: 10 },
  { channels: 3, height: 40, width: 33, classes: 7 },
];

async function run(graph: Graph, input: string, dims: readonly number[], data: Float32Array) {
  const session = await InferenceSession.create(encodeModel(graph), { intraOpNumThreads: 1 });
  const outputs = await session.run({ [input]: new Tensor('float32', data, dims) });
  await session.release();
  return outputs[graph.outputs[0]!.name]!;
}

describe('decoded graphs in ONNX Runtime', () => {
  for (const task of tasks) {
    test(`${task.height}×${task.width}×${task.channels}: baselines and samples give finite logits`, async () => {
      const space = createConvSpace(task);
      const rng = new Rng('run');
      const samples = Array.from({ length: 12 }, () => space.decode(space.sample(rng)));
      const dims = [3, task.channels, task.height, task.width];
      const image = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => rng.normal());
      for (const graph of [...space.baselines().map((baseline) => baseline.graph), ...samples]) {
        const logits = await run(drawWeights(graph, rng), 'image', dims, image);
        expect(logits.dims).toEqual([3, task.classes]);
        const values = [...(logits.data as Float32Array)];
        expect(values.every(Number.isFinite)).toBe(true);
        // Three different images: a graph that loses its input would repeat its rows.
        expect(values.slice(0, task.classes)).not.toEqual(
          values.slice(task.classes, -task.classes),
        );
      }
    });
  }

  const inputs = [-3, -1, 0, 1, 7];
  const activations: Readonly<Record<Activation, readonly number[]>> = {
    relu: [0, 0, 0, 1, 7],
    relu6: [0, 0, 0, 1, 6],
    hardswish: [0, -1 / 3, 0, 2 / 3, 7],
    silu: [-0.142278, -0.268941, 0, 0.731059, 6.993622],
    gelu: [-0.00405, -0.158655, 0, 0.841345, 7],
  };
  for (const activation of Object.keys(activations) as Activation[]) {
    test(`${activation} has its values`, async () => {
      const builder = new GraphBuilder('activation');
      builder.input('x', 'float32', [5]);
      builder.output(addActivation(builder, 'x', 'y', activation));
      const y = await run(builder.build(), 'x', [5], Float32Array.from(inputs));
      const expected = activations[activation];
      (y.data as Float32Array).forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i]!, 5);
      });
    });
  }
});

describe('baselines have the sizes that were published', () => {
  test('LeNet-5 with full connections: 61,706 parameters, 416,520 multiply–accumulates', () => {
    for (const side of [28, 32]) {
      const graph = createLenet({ channels: 1, height: side, width: side, classes: 10 });
      const { params, byNode } = inferCost(graph, { N: 1 });
      expect(params).toBe(61_706);
      const layers = byNode.filter(({ op }) => op === 'Conv' || op === 'Gemm');
      const biases = 28 * 28 * 6 + 10 * 10 * 16 + 120 + 84 + 10;
      const macs = layers.reduce((sum, node) => sum + node.macs, 0);
      expect([416_520, 416_520 + biases]).toContain(macs);
    }
  });

  test('ResNet-20 on CIFAR-10: 0.27 million, with the 1×1 shortcuts 272,474 parameters', () => {
    const graph = createResnet({ channels: 3, height: 32, width: 32, classes: 10 }, 3);
    expect(graph.name).toBe('resnet-20');
    expect(inferCost(graph, { N: 1 }).params).toBe(272_474);
  });
});
