/** Verification, shape inference and cost on models from elsewhere. Needs `../shared/data`. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inferCost } from '../../src/ir/cost.js';
import type { Graph } from '../../src/ir/graph.js';
import { hashGraph } from '../../src/ir/hash.js';
import { inferTypes } from '../../src/ir/infer.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { shareCommonSubexpressions } from '../../src/ir/pass/common-subexpressions.js';
import { removeDeadNodes } from '../../src/ir/pass/dead-nodes.js';
import { foldBatchNorm } from '../../src/ir/pass/fold-batch-norm.js';
import { runPasses } from '../../src/ir/pass/pass.js';
import { problemsOf } from '../../src/ir/verify.js';

const folder = fileURLToPath(new URL('../../../shared/data/onnx-models/', import.meta.url));
const present = existsSync(folder);
if (!present) console.warn(`SKIPPED: real ONNX models; expected them in ${folder}`);

const read = (file: string): Graph => decodeModel(readFileSync(folder + file), file);

/** All but silero-vad, whose If bodies hide sizes. */
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

  it('silero-vad: legal; its padding is followed', () => {
    const graph = read('silero-vad-16k-op15.onnx');
    expect(problemsOf(graph)).toEqual([]);
    const cost = inferCost(graph, { batch: 1, sequence: 512 });
    expect(cost.byNode.find(({ op }) => op === 'Conv')?.macs).toBe(258 * 256 * 3);
  });
});
