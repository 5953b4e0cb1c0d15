/** Verification, shape inference and cost on models from elsewhere. Needs `../shared/data`. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inferCost } from '../../src/ir/cost.js';
import { type Graph, withDims } from '../../src/ir/graph.js';
import { hashGraph } from '../../src/ir/hash.js';
import { inferScope, inferTypes, type TypeScope } from '../../src/ir/infer.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { shareCommonSubexpressions } from '../../src/ir/pass/common-subexpressions.js';
import { removeDeadNodes } from '../../src/ir/pass/dead-nodes.js';
import { foldBatchNorm } from '../../src/ir/pass/fold-batch-norm.js';
import { runPasses } from '../../src/ir/pass/pass.js';
import { problemsOf } from '../../src/ir/verify.js';
import { Rng } from '../../src/util/random.js';
import { normals, run } from './pass/small-nets.js';

const folder = fileURLToPath(new URL('../../../shared/data/onnx-models/', import.meta.url));
const present = existsSync(folder);
if (!present) console.warn(`SKIPPED: real ONNX models; expected them in ${folder}`);

const read = (file: string): Graph => decodeModel(readFileSync(folder + file), file);

/** All but silero-vad, whose branches depend on the dims that are set. */
const models = [
  'convnet-maxpool-mnist.onnx',
  'light-resnet50.onnx',
  'light-squeezenet.onnx',
  'mnist-cntk.onnx',
  'pfld-landmark.onnx',
  'resnet2b-cifar10.onnx',
  'ultraface-rfb320.onnx',
  'vit-cifar10-pgd-2-3-16.onnx',
  'yahpo-lcbench.onnx',
];

describe.skipIf(!present)('real models', () => {
  it.each(models)('%s: legal, every size known, outputs as declared', (file) => {
    const graph = read(file);
    expect(problemsOf(graph)).toEqual([]);
    const types = inferTypes(graph);
    for (const name of graph.nodes.flatMap(({ outputs }) => outputs)) {
      expect(types.get(name)?.shape).toBeDefined();
      expect(types.get(name)?.shape).not.toContain('?');
    }
    for (const { name, dtype, shape } of graph.outputs) {
      expect(types.get(name)).toEqual({ dtype, shape });
    }
  });

  it.each(models)('%s: passes keep it legal', (file) => {
    const graph = read(file);
    const passes = [foldBatchNorm, shareCommonSubexpressions, removeDeadNodes];
    const after = runPasses(graph, passes).graph;
    expect(problemsOf(after)).toEqual([]);
    expect(after.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
    expect(runPasses(after, passes).changed).toBe(false);
    expect(hashGraph(graph)).toMatch(/^[0-9a-f]{64}$/);
  });

  // torchvision publishes 4,089,184,256 and 349,151,936 for these architectures.
  it.each([
    ['light-resnet50.onnx', 4_089_184_256],
    ['light-squeezenet.onnx', 349_151_936],
  ])('%s: MACs as published', (file, macs) => {
    expect(inferCost(read(file)).macs).toBe(macs);
  });

  const silero = 'silero-vad-16k-op15.onnx';

  it('silero-vad: every size follows through its branches, once its dims are set', () => {
    const graph = withDims(read(silero), { batch: 1, sequence: 512 });
    expect(problemsOf(graph)).toEqual([]);
    const open: string[] = [];
    const visit = (within: Graph, scope: TypeScope): void => {
      for (const node of within.nodes) {
        for (const name of node.outputs) {
          const shape = scope.typeOf(name)?.shape;
          if (shape?.every((dim) => typeof dim === 'number') !== true) open.push(name);
        }
        for (const body of scope.bodiesOf(node).values()) visit(body.graph, body.scope);
      }
    };
    visit(graph, inferScope(graph));
    expect(open).toEqual([]);
    const types = inferTypes(graph);
    expect(types.get('output')?.shape).toEqual([1, 1]);
    expect(types.get('stateN')?.shape).toEqual([2, 1, 128]);
  });

  it('silero-vad: costs what its convolutions and the LSTM in a branch do', () => {
    const cost = inferCost(read(silero), { batch: 1, sequence: 512 });
    expect(cost.unknownOps).toEqual([]);
    expect(cost.byNode.find(({ op }) => op === 'Conv')?.macs).toBe(258 * 256 * 3);
    const branches = cost.byNode.filter(({ op }) => op === 'If').map(({ macs }) => macs);
    // One step of 4 gates of 128 units over 128 inputs.
    expect(branches).toEqual([0, 4 * 128 * (128 + 128), 0]);
  });

  it.each([1, 2])('silero-vad: runs the same when encoded anew, batch %i', async (batch) => {
    const bytes = readFileSync(folder + silero);
    const graph = decodeModel(bytes, silero);
    const rng = new Rng('silero');
    const feeds = {
      input: new Tensor('float32', normals(rng, batch * 512), [batch, 512]),
      state: new Tensor('float32', normals(rng, 2 * batch * 128), [2, batch, 128]),
      sr: new Tensor('int64', BigInt64Array.of(16000n), []),
    };
    const expected = await run(new Uint8Array(bytes), feeds);
    const shared = runPasses(graph, [shareCommonSubexpressions, removeDeadNodes]).graph;
    for (const received of [await run(graph, feeds), await run(shared, feeds)]) {
      for (const { name } of graph.outputs) {
        expect(received[name]?.dims).toEqual(expected[name]?.dims);
        expect(received[name]?.data).toEqual(expected[name]?.data);
      }
    }
  });
});
