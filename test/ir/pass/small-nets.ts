/** Nets with weights for the tests of passes, and ONNX Runtime to run them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { GraphBuilder } from '../../../src/ir/builder.js';
import type { Graph } from '../../../src/ir/graph.js';
import { decodeModel } from '../../../src/ir/onnx/decode.js';
import { encodeModel } from '../../../src/ir/onnx/encode.js';
import type { Rng } from '../../../src/util/random.js';
import { elementCount } from '../../../src/util/tensor.js';

/** A stored float32 weight of normal values. */
export function weight(
  b: GraphBuilder,
  name: string,
  dims: readonly number[],
  rng: Rng,
  deviation = 1,
): string {
  const data = Float32Array.from({ length: elementCount(dims) }, () => deviation * rng.normal());
  return b.initializer({ name, role: 'weight', dtype: 'float32', dims, data });
}

/** Convolutions with Relu and Clip, a residual Add, a branch, pooling and two Gemms: x [N,3,8,8] → y [N,5]. */
export function convNet(rng: Rng): Graph {
  const b = new GraphBuilder('net');
  const conv = (x: string, name: string, dims: readonly number[], attributes = {}) =>
    b.op(
      'Conv',
      [x, weight(b, `${name}.w`, dims, rng, 0.3), weight(b, `${name}.b`, [dims[0] ?? 0], rng, 0.3)],
      { pads: [1, 1, 1, 1], ...attributes },
      name,
    );
  const x = b.input('x', 'float32', ['N', 3, 8, 8]);
  const stem = b.op('Relu', [conv(x, 'stem', [8, 3, 3, 3])], {}, 'stem.relu');
  const deep = conv(stem, 'depthwise', [8, 1, 3, 3], { group: 8 });
  const six = b.op('Clip', [deep, b.scalar(0), b.scalar(6)], {}, 'clip');
  const sum = b.op('Add', [conv(six, 'point', [8, 8, 3, 3]), stem], {}, 'sum');
  const pooled = b.op('MaxPool', [b.op('Relu', [sum])], { kernel_shape: [2, 2], strides: [2, 2] });
  const both = b.op('Concat', [pooled, conv(pooled, 'branch', [4, 8, 3, 3])], { axis: 1 });
  const flat = b.op('Flatten', [both]);
  const wide = [flat, weight(b, 'fc1.w', [16, 192], rng, 0.1), weight(b, 'fc1.b', [16], rng)];
  const hidden = b.op('Relu', [b.op('Gemm', wide, { transB: 1 }, 'fc1')]);
  const last = [hidden, weight(b, 'fc2.w', [16, 5], rng, 0.3), weight(b, 'fc2.b', [5], rng)];
  b.output(b.op('Gemm', last, {}, 'fc2'), 'y');
  return b.build();
}

/** Normal values. */
export function normals(rng: Rng, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => rng.normal());
}

export type Level = 'disabled' | 'all';

/** All outputs of the model for one input each. */
export async function run(
  model: Graph | Uint8Array,
  feeds: Readonly<Record<string, ort.Tensor>>,
  level: Level = 'disabled',
): Promise<Readonly<Record<string, ort.Tensor>>> {
  const bytes = model instanceof Uint8Array ? model : encodeModel(model);
  const session = await ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: level,
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const results = await session.run(feeds);
  await session.release();
  return results;
}

/** How many nodes of each operator are left once ONNX Runtime has optimised the graph. */
export async function optimizedOps(graph: Graph): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(join(tmpdir(), 'archwright-test-'));
  try {
    const path = join(folder, 'optimized.onnx');
    const session = await ort.InferenceSession.create(encodeModel(graph), {
      optimizedModelFilePath: path,
      logSeverityLevel: 4,
    });
    await session.release();
    const ops: Record<string, number> = {};
    for (const { op } of decodeModel(new Uint8Array(readFileSync(path))).nodes) {
      ops[op] = (ops[op] ?? 0) + 1;
    }
    return ops;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** 10·log10(Σ expected² ÷ Σ difference²). */
export function sqnrDb(expected: ArrayLike<number>, received: ArrayLike<number>): number {
  let [signal, noise] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    signal += (expected[i] as number) ** 2;
    noise += ((expected[i] as number) - (received[i] as number)) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}
