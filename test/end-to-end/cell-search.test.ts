/** A live search over the cells of NAS-Bench-201: trained, timed and exported as other nets are. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEvolutionAgent } from '../../src/agent/evolution.js';
import { createOperators } from '../../src/agent/operators.js';
import { parseConfig } from '../../src/cli/config.js';
import { loadDataset } from '../../src/data/data.js';
import type { Device } from '../../src/device/device.js';
import { createDevice } from '../../src/device/ort.js';
import type { Evaluator, FinishedStage } from '../../src/evaluate/evaluate.js';
import { createLocalEvaluator } from '../../src/evaluate/local.js';
import { readLedger } from '../../src/ledger/sqlite.js';
import { verifyReplay } from '../../src/search/replay.js';
import type { RunSummary } from '../../src/search/summary.js';
import { createCellSpace } from '../../src/space/cell.js';
import { archwright, temporaryFolder, writeConfig } from './cli.js';

const cellSearch = {
  seed: 3,
  space: { kind: 'cell' },
  data: { kind: 'glyphs', train: 64, search: 100, hidden: 100 },
  train: { epochs: { short: 1, long: 1 }, batch: 32, threads: 1 },
  device: { threads: 1, measureSeconds: 0.1 },
  constraints: [{ metric: 'params', max: { baseline: 'resnet-cell', factor: 1.2 } }],
  agents: [{ kind: 'evolution', initialSamples: 2 }],
  budget: { trials: 4 },
  guard: { seeds: 2, champions: 1 },
};

/** Cells that compute little, and such as have operations that lead nowhere. */
const oddCells = [
  ['nothing', '|none~0|+|none~0|none~1|+|none~0|none~1|none~2|'],
  ['its input', '|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|'],
  ['no way out', '|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|none~0|none~1|none~2|'],
  ['a dead end', '|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|'],
  ['a zero on the way', '|none~0|+|none~0|nor_conv_3x3~1|+|none~0|avg_pool_3x3~1|skip_connect~2|'],
  ['pooling alone', '|avg_pool_3x3~0|+|none~0|avg_pool_3x3~1|+|none~0|none~1|avg_pool_3x3~2|'],
] as const;

describe('the evaluator with cells', () => {
  const runDir = temporaryFolder();
  let device: Device;
  let evaluator: Evaluator;
  beforeAll(async () => {
    device = createDevice({ threads: 1 });
    const dataset = await loadDataset({ kind: 'glyphs', train: 64, search: 50, hidden: 50 });
    evaluator = createLocalEvaluator({
      space: createCellSpace({ channels: 1, height: 28, width: 28, classes: 10 }),
      ...{ dataset, device, trainer: device, recipe: { batch: 32 }, inherit: false },
      ...{ epochs: { short: 1, long: 1 }, limits: parseConfig(cellSearch).guard },
      ...{ measureSeconds: 0.1, trialSeconds: 60, runDir, provenance: {} },
    });
  });
  afterAll(() => device.close());

  it.each(oddCells)('trains, measures and exports %s', async (_, architecture) => {
    const design = evaluator.decode(architecture);
    const origin = { id: 1, agent: 'test', operator: 'given', parents: [] };
    const history: FinishedStage[] = [];
    for (const stage of ['limits', 'train', 'measure', 'extend', 'export'] as const) {
      const call = { stage, round: 0, seed: 5, constraints: [], history, parents: [] };
      const outcome = await evaluator.run({ ...origin, architecture, ...design }, call);
      expect(outcome.status).toBe('passed');
      history.push({ stage, round: 0, outcome });
    }
    const session = await ort.InferenceSession.create(
      readFileSync(`${runDir}/front/trial-0001.onnx`),
    );
    const image = new ort.Tensor('float32', new Float32Array(784).fill(0.5), [1, 1, 28, 28]);
    const logits = (await session.run({ image })).logits?.data as Float32Array;
    expect([...logits].every(Number.isFinite)).toBe(true);
  });
});

describe('archwright search over cells', () => {
  const folder = temporaryFolder();
  const run = join(folder, 'run');
  const space = createCellSpace({ channels: 1, height: 28, width: 28, classes: 10 });

  it('trains, times and exports cells', { timeout: 180_000 }, async () => {
    const config = writeConfig(folder, cellSearch);
    const { code, stdout } = await archwright(['search', config, '--out', run, '--json'], folder);
    expect(code).toBe(0);
    const summary = JSON.parse(stdout) as RunSummary;
    expect(summary.status).toBe('finished');
    expect(summary.baselines.map(({ name }) => name)).toEqual(['resnet-cell']);
    expect(summary.baselines[0]?.metrics.latencyMs).toBeGreaterThan(0);
    expect(summary.trials.failed).toBe(0);
    expect(summary.front.length).toBeGreaterThan(0);
    for (const { architecture, metrics, holdout, onnx } of summary.front) {
      expect(space.parse(architecture)).toBe(architecture);
      expect(metrics.latencyMs).toBeGreaterThan(0);
      expect(holdout?.samples).toBe(100);
      const session = await ort.InferenceSession.create(readFileSync(join(run, onnx as string)));
      const image = new ort.Tensor('float32', new Float32Array(2 * 784), [2, 1, 28, 28]);
      expect((await session.run({ image })).logits?.dims).toEqual([2, 10]);
      expect(session.inputNames).toEqual(['image']);
    }
    expect(existsSync(join(run, 'front.json'))).toBe(true);
  });

  it('proposed what its agent proposes from the same trials again', async () => {
    const ledger = readLedger(join(run, 'ledger.sqlite'));
    const mismatches = await verifyReplay(ledger, createOperators(space), (problem) => [
      createEvolutionAgent(problem, { initialSamples: 2 }),
    ]);
    expect(ledger.proposals()).toHaveLength(5);
    ledger.close();
    expect(mismatches).toEqual([]);
  });

  it('is remembered by its edges, and by no search of another space', async () => {
    const memory = await archwright(['memory', run], folder);
    expect(memory.code).toBe(0);
    expect(memory.stdout).toMatch(/^global: /);
    const other = writeConfig(folder, { ...cellSearch, space: { kind: 'conv' }, constraints: [] });
    const args = ['search', other, '--out', join(folder, 'other'), '--memory', run];
    const { code, stderr } = await archwright(args, folder);
    expect(code).toBe(2);
    expect(stderr).toContain('memory.from: expected a run in the space conv, received');
  });
});
