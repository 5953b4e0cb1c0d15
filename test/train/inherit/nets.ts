/** Nets with the weights of a training that never was: no tensor is at the value it is drawn with. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Graph, withData } from '../../../src/ir/graph.js';
import { encodeModel } from '../../../src/ir/onnx/encode.js';
import { createConvSpace } from '../../../src/space/conv.js';
import type { ConvArchitecture, Stage } from '../../../src/space/conv-architecture.js';
import { drawWeights } from '../../../src/train/initialize.js';
import { Rng } from '../../../src/util/random.js';

export const task = { channels: 1, height: 16, width: 16, classes: 10 };
export const space = createConvSpace(task);

/** A batch-normed net of all blocks, in each of which ReLU or ReLU6 follows. */
export const base = {
  norm: 'batch',
  stem: { width: 8, kernel: 3, stride: 1, activation: 'relu' },
  stages: [
    { block: 'plain', depth: 1, width: 16, stride: 2, kernel: 3, activation: 'relu' },
    {
      ...{ block: 'residual', depth: 2, width: 16, stride: 1, kernel: 3, activation: 'relu' },
      squeezeExcite: false,
    },
    {
      ...{ block: 'inverted', depth: 2, width: 24, stride: 2, kernel: 3, activation: 'relu6' },
      ...{ squeezeExcite: true, expansion: 2 },
    },
    {
      ...{ block: 'separable', depth: 1, width: 32, stride: 1, kernel: 3, activation: 'relu' },
      squeezeExcite: false,
    },
  ],
  head: { pool: 'average', hidden: 0 },
} as const satisfies ConvArchitecture;

/** The architecture with genes of one stage changed. */
export function withStage(
  architecture: ConvArchitecture,
  at: number,
  genes: Readonly<Record<string, unknown>>,
): ConvArchitecture {
  const stages = architecture.stages.map((stage, i) =>
    i === at ? ({ ...stage, ...genes } as Stage) : stage,
  );
  return { ...architecture, stages };
}

/** The graph with weights drawn, and scales, biases and running statistics moved off 1 and 0. */
export function asTrained(graph: Graph, seed: number | string): Graph {
  const rng = new Rng(seed);
  const drawn = drawWeights(graph, rng.fork('weights'));
  const moved = drawn.initializers.flatMap(({ name, role, dims, data }) => {
    if (role === 'constant' || dims.length !== 1) return [];
    const isVariance = name.endsWith('.var');
    const move = (value: number) => (isVariance ? rng.range(0.5, 1.5) : value + 0.3 * rng.normal());
    return [[name, (data as Float32Array).map(move)] as const];
  });
  return withData(drawn, new Map(moved));
}

/** Outputs of a graph for three random images, unoptimised, in ONNX Runtime. */
export async function outputsOf(graph: Graph, seed: number | string = 'image'): Promise<number[]> {
  const session = await InferenceSession.create(encodeModel(graph), {
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'disabled',
  });
  const rng = new Rng(seed);
  const dims = [3, ...(graph.inputs[0]?.shape ?? []).slice(1).map(Number)];
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => rng.normal());
  const input = graph.inputs[0]?.name as string;
  const outputs = await session.run({ [input]: new Tensor('float32', data, dims) });
  await session.release();
  return Array.from(Object.values(outputs)[0]?.data as Float32Array);
}

/** Greatest difference of two lists, relative to the greatest number of the first. */
export function distance(a: readonly number[], b: readonly number[]): number {
  const gaps = a.map((value, i) => Math.abs(value - (b[i] as number)));
  return Math.max(...gaps) / Math.max(...a.map(Math.abs));
}
