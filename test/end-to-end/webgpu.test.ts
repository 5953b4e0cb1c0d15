/** Needs a Vulkan driver: trained on the CPU, measured through WebGPU. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/cli/config.js';
import { loadDataset } from '../../src/data/data.js';
import { createDevice } from '../../src/device/ort.js';
import type { FinishedStage, StageName } from '../../src/evaluate/evaluate.js';
import { createLocalEvaluator } from '../../src/evaluate/local.js';
import { hashGraph } from '../../src/ir/hash.js';
import { addActivation, addConv, addLinear } from '../../src/space/block/layer.js';
import { createConvSpace } from '../../src/space/conv.js';
import { createTaskBuilder } from '../../src/space/conv-decode.js';
import { withVulkan } from '../device/vulkan.js';
import { archwright, smallSearch, temporaryFolder, writeConfig } from './cli.js';

const task = { channels: 1, height: 28, width: 28, classes: 10 };

function smallNet() {
  const builder = createTaskBuilder('small', task);
  let value = addConv(builder, 'image', 'conv', { width: 8, kernel: 3, stride: 2, bias: true });
  value = addActivation(builder, value, 'act', 'relu');
  value = builder.op('Flatten', [builder.op('GlobalAveragePool', [value])], { axis: 1 });
  builder.output(addLinear(builder, value, 'logits', task.classes));
  return builder.build();
}

describe.skipIf(!withVulkan())('evaluating for WebGPU', () => {
  it('trains on the CPU and measures on the device', { timeout: 300_000 }, async () => {
    const config = parseConfig({ ...smallSearch, device: { kind: 'webgpu' } });
    const device = createDevice({ id: 'webgpu', threads: 1 });
    const trainer = createDevice({ threads: 1 });
    const evaluator = createLocalEvaluator({
      space: createConvSpace(task),
      dataset: await loadDataset({ kind: 'glyphs', train: 320, search: 200, hidden: 200 }),
      device,
      trainer,
      recipe: { batch: 32 },
      epochs: { short: 1, long: 1 },
      inherit: false,
      limits: config.guard,
      measureSeconds: 0.1,
      trialSeconds: 240,
      runDir: temporaryFolder(),
      provenance: {},
    });
    const graph = smallNet();
    const candidate = {
      ...{ id: 1, agent: 'test', operator: 'given', parents: [], architecture: 'small' },
      ...{ graph, hash: hashGraph(graph), description: 'small' },
    };
    const history: FinishedStage[] = [];
    const stages: readonly StageName[] = ['limits', 'train', 'measure', 'extend', 'export'];
    for (const stage of stages) {
      const call = { stage, round: 0, seed: 1, constraints: [], history, parents: [] };
      const outcome = await evaluator.run(candidate, call);
      expect(outcome).toMatchObject({ status: 'passed' });
      history.push({ stage, round: 0, outcome });
    }
    const measured = history[2]?.outcome;
    expect(measured).toMatchObject({ detail: { device: 'webgpu', provider: 'WebGPU' } });
    expect(measured?.metrics.latencyMs).toBeGreaterThan(0);
    expect(history[1]?.outcome.metrics.accuracy).toBeGreaterThan(0);
    await device.close();
    await trainer.close();
  });
});

describe('a search for a device that is not usable', () => {
  it('ends in one line, before there is a folder', async () => {
    const folder = temporaryFolder();
    const [id, reason] = process.platform === 'darwin' ? ['dml', 'Windows'] : ['coreml', 'macOS'];
    const config = writeConfig(folder, { ...smallSearch, device: { kind: id } });
    const run = join(folder, 'run');
    const { code, stderr } = await archwright(['search', config, '--out', run], folder);
    expect(stderr.trimEnd()).toMatch(
      new RegExp(`^error: device ${id}: not usable here: .*${reason}$`),
    );
    expect(code).toBe(2);
    expect(existsSync(run)).toBe(false);
  });

  it('is told which options the device has', async () => {
    const folder = temporaryFolder();
    const config = writeConfig(folder, { ...smallSearch, device: { options: { fp16: true } } });
    const { code, stderr } = await archwright(['search', config], folder);
    expect(stderr).toContain('device cpu: expected an option of it: spin, flushDenormals');
    expect(code).toBe(2);
  });
});
