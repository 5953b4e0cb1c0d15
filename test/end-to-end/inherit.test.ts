/** A trial whose parent was trained, through the stages of the local evaluator. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/cli/config.js';
import { loadDataset } from '../../src/data/data.js';
import type { Device } from '../../src/device/device.js';
import { createDevice } from '../../src/device/ort.js';
import type {
  Evaluator,
  FinishedStage,
  PassedStage,
  StageName,
} from '../../src/evaluate/evaluate.js';
import { createLocalEvaluator } from '../../src/evaluate/local.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { createConvSpace } from '../../src/space/conv.js';
import type { ConvArchitecture } from '../../src/space/conv-architecture.js';
import { smallSearch, temporaryFolder } from './cli.js';

const stage = { depth: 1, width: 8, stride: 2, kernel: 3, activation: 'relu' } as const;
const parent: ConvArchitecture = {
  norm: 'batch',
  stem: { width: 8, kernel: 3, stride: 2, activation: 'relu' },
  stages: [
    { block: 'plain', ...stage },
    { block: 'plain', ...stage, width: 16 },
  ],
  head: { pool: 'average', hidden: 0 },
};
const child: ConvArchitecture = {
  ...parent,
  stages: [...parent.stages, { block: 'plain', ...stage, width: 16, stride: 1 }],
};

describe('inheriting from a parent', () => {
  const runDir = temporaryFolder();
  let device: Device;
  let evaluators: Readonly<Record<'on' | 'off', Evaluator>>;
  const parentHistory: FinishedStage[] = [];
  const histories = { on: [] as FinishedStage[], off: [] as FinishedStage[] };
  const parents = [{ id: 1, history: parentHistory }];

  /** Runs a stage of trial `id`, which comes to stand in `history`. */
  async function run(
    mode: 'on' | 'off',
    id: number,
    architecture: ConvArchitecture,
    name: StageName,
    history: FinishedStage[],
  ): Promise<PassedStage> {
    const evaluator = evaluators[mode];
    const origin = { agent: 'test', operator: 'given', parents: id === 1 ? [] : [1] };
    const candidate = { id, ...origin, architecture, ...evaluator.decode(architecture) };
    const call = { stage: name, round: 0, seed: 5, constraints: [], history };
    const outcome = await evaluator.run(candidate, { ...call, parents: id === 1 ? [] : parents });
    expect(outcome).toMatchObject({ status: 'passed' });
    history.push({ stage: name, round: 0, outcome });
    return outcome as PassedStage;
  }

  beforeAll(async () => {
    device = createDevice({ threads: 1 });
    const dataset = await loadDataset({ kind: 'glyphs', train: 320, search: 200, hidden: 200 });
    const create = (inherit: boolean) =>
      createLocalEvaluator({
        ...{ space: createConvSpace({ channels: 1, height: 28, width: 28, classes: 10 }), dataset },
        ...{
          device,
          trainer: device,
          recipe: { batch: 32 },
          epochs: { short: 2, long: 12 },
          inherit,
        },
        ...{ limits: parseConfig(smallSearch).guard, measureSeconds: 0.1, trialSeconds: 240 },
        ...{ runDir, provenance: {} },
      });
    evaluators = { on: create(true), off: create(false) };
    await run('on', 1, parent, 'train', parentHistory);
    await run('on', 1, parent, 'extend', parentHistory);
  }, 120_000);
  afterAll(() => device.close());

  it('gives the short training a head start, and says what was inherited', async () => {
    const inherited = await run('on', 2, child, 'train', histories.on);
    const drawn = await run('off', 3, child, 'train', histories.off);
    expect(inherited.detail).toMatchObject({
      inherited: { from: 1, partial: 0, drawn: 0, deepened: 5, preserved: true },
    });
    expect(drawn.detail).not.toHaveProperty('inherited');
    for (const at of [0, -1]) {
      const loss = (passed: PassedStage) =>
        (passed.detail as { losses: number[] }).losses.at(at) as number;
      expect(loss(inherited)).toBeLessThan(0.9 * loss(drawn));
    }
  }, 120_000);

  it('does not touch the full score: that of a trial that inherited nothing, bit for bit', async () => {
    const inherited = await run('on', 2, child, 'extend', histories.on);
    const drawn = await run('off', 3, child, 'extend', histories.off);
    expect(inherited.metrics).toEqual(drawn.metrics);
    const [a, b] = [2, 3].map((id) =>
      decodeModel(readFileSync(join(runDir, `weights/000${id}-extend.onnx`))),
    );
    expect(a?.initializers).toEqual(b?.initializers);
  }, 120_000);

  it('a trial without parents starts from drawn weights', () => {
    expect(parentHistory[0]?.outcome).not.toHaveProperty('detail.inherited');
  });
});
