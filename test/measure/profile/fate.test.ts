/** Fates of nodes under ONNX Runtime's real optimiser. Needs the addon. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import type { Graph } from '../../../src/ir/graph.js';
import { decodeModel } from '../../../src/ir/onnx/decode.js';
import { encodeModel } from '../../../src/ir/onnx/encode.js';
import { type KernelMap, mapKernels } from '../../../src/measure/profile/fate.js';
import { markGraph } from '../../../src/measure/profile/mark.js';
import { Session } from '../../../src/runtime/runtime.js';
import { createBranching } from './branching.js';

/** Optimises `graph` for real and maps it, every node weighing the same but for `heavy` operators. */
async function mapThroughRuntime(
  graph: Graph,
  heavy: readonly string[] = [],
  optimization: 'none' | 'all' = 'all',
): Promise<KernelMap & { readonly ops: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'archwright-test-'));
  try {
    const path = join(folder, 'optimized.onnx');
    const marked = markGraph(graph);
    const options = { threads: 1, optimization, provider: 'cpu', optimizedModelPath: path };
    const session = await Session.create(encodeModel(marked.graph), options);
    session.release();
    const { nodes, initializers } = decodeModel(readFileSync(path));
    const stored = initializers.map(({ name }) => name);
    const weigh = (i: number) => (heavy.includes(graph.nodes[i]?.op ?? '') ? 2 : 1);
    const map = mapKernels(marked.graph, { nodes, stored }, weigh);
    return { ...map, ops: nodes.map(({ op }) => op) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of all nodes but those that only give an output its name. */
function fatesOf({ nodes, outputs }: Graph, { fates }: KernelMap): string[] {
  const names = new Set(outputs.map(({ name }) => name));
  return nodes.flatMap(({ op, outputs: made }, i) =>
    op === 'Identity' && made.some((name) => names.has(name)) ? [] : [`${op} ${fates[i]}`],
  );
}

const channels = 8;
const weight = (builder: GraphBuilder, name: string, dims: readonly number[], value = 0.1) =>
  builder.initializer({
    name,
    role: 'weight',
    dtype: 'float32',
    dims,
    data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(value),
  });

describe('mapKernels', () => {
  it('finds convolution, normalisation, addition and activation in one kernel', async () => {
    const builder = new GraphBuilder('residual');
    const x = builder.input('x', 'float32', [1, channels, 8, 8]);
    const conv = (value: string, name: string) =>
      builder.op('Conv', [value, weight(builder, name, [channels, channels, 3, 3])], {
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
      });
    const first = builder.op('Relu', [conv(x, 'w0')]);
    const scale = [1, 2, 3, 4].map((i) => weight(builder, `bn${i}`, [channels], 1));
    const normal = builder.op('BatchNormalization', [conv(first, 'w1'), ...scale]);
    builder.output(builder.op('Relu', [builder.op('Add', [normal, first])]), 'y');
    const graph = builder.build();
    const map = await mapThroughRuntime(graph, ['Conv']);
    expect(fatesOf(graph, map)).toEqual([
      'Conv kernel',
      'Relu fused',
      'Conv kernel',
      'BatchNormalization fused',
      'Add fused',
      'Relu fused',
    ]);
    const groups = [...map.covered.values()].filter((nodes) => nodes.length > 0);
    expect(groups.map(([main]) => main)).toEqual([0, 2]);
    expect(groups.map((nodes) => nodes.toSorted())).toEqual([
      [0, 1],
      [2, 3, 4, 5],
    ]);
  });

  it('tells folded, merged and passing nodes', async () => {
    const builder = new GraphBuilder('leftovers');
    const x = builder.input('x', 'float32', [4, 4]);
    const constant = builder.op('Exp', [weight(builder, 'w', [4, 4])]);
    const a = builder.op('Sigmoid', [x]);
    const twin = builder.op('Sigmoid', [x]);
    builder.op('Tanh', [x]);
    const passed = builder.op('Identity', [builder.op('Mul', [a, constant])]);
    builder.output(builder.op('Softmax', [builder.op('MatMul', [passed, twin])]), 'y');
    const graph = builder.build();
    const map = await mapThroughRuntime(graph);
    expect(fatesOf(graph, map)).toEqual([
      'Exp folded',
      'Sigmoid kernel',
      'Sigmoid removed',
      'Tanh kernel', // nobody reads it, and the runtime computes it all the same
      'Mul kernel',
      'Identity removed',
      'MatMul kernel',
      'Softmax kernel',
    ]);
  });

  it('gives every node its own kernel where nothing is optimised', async () => {
    const builder = new GraphBuilder('plain');
    const x = builder.input('x', 'float32', [4, 4]);
    builder.output(builder.op('Relu', [builder.op('MatMul', [x, x])]), 'y');
    const graph = builder.build();
    const map = await mapThroughRuntime(graph, [], 'none');
    expect(new Set(map.fates)).toEqual(new Set(['kernel']));
  });

  it('keeps a node with bodies, and what they read, whole', async () => {
    const map = await mapThroughRuntime(createBranching());
    expect(map.fates).toEqual(['kernel', 'kernel']);
  });

  it('covers a node in several kernels where each computes it anew', () => {
    const builder = new GraphBuilder('shared');
    const x = builder.input('x', 'float32', [2, 3]);
    const turned = builder.op('Transpose', [x], { perm: [1, 0] });
    const a = builder.op('MatMul', [turned, weight(builder, 'a', [2, 2])]);
    const b = builder.op('MatMul', [turned, weight(builder, 'b', [2, 2])]);
    builder.output(a, 'p');
    builder.output(b, 'q');
    const marked = markGraph(builder.build()).graph;
    const fused = (i: number) => ({
      name: `@${i}@/MatmulTransposeFusion/`,
      op: 'FusedMatMul',
      inputs: ['x', i === 1 ? 'a' : 'b'],
      outputs: [`@${i}:0@`],
    });
    const runtime = { nodes: [fused(1), fused(2)], stored: ['a', 'b'] };
    const { covered, fates } = mapKernels(marked, runtime, (i) => i);
    expect([...covered.values()]).toEqual([
      [1, 0],
      [2, 0],
    ]);
    expect(fates.slice(0, 3)).toEqual(['fused', 'kernel', 'kernel']);
  });

  it('has added kernels cover nothing', async () => {
    const builder = new GraphBuilder('reordered');
    const x = builder.input('x', 'float32', [1, channels, 8, 8]);
    const kernel = weight(builder, 'w', [channels, channels, 1, 1]);
    const conv = builder.op('Conv', [x, kernel], { kernel_shape: [1, 1] });
    builder.output(builder.op('Softmax', [conv], { axis: 1 }), 'y');
    const graph = builder.build();
    const map = await mapThroughRuntime(graph);
    const added = [...map.covered].filter(([, nodes]) => nodes.length === 0).map(([name]) => name);
    expect(map.ops.filter((op) => op.startsWith('Reorder')).length).toBe(added.length);
    expect(fatesOf(graph, map)).toEqual(['Conv kernel', 'Softmax kernel']);
  });
});
