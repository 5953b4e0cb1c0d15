import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createOperators } from '../../src/agent/operators.js';
import { createRandomAgent } from '../../src/agent/random.js';
import { strategies } from '../../src/agent/strategy.js';
import { loadDataset } from '../../src/data/data.js';
import { inferTypes } from '../../src/ir/infer.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { readLedger } from '../../src/ledger/sqlite.js';
import { verifyReplay } from '../../src/search/replay.js';
import type { RunSummary } from '../../src/search/summary.js';
import { createConvSpace } from '../../src/space/conv.js';
import { archwright, smallSearch, temporaryFolder, writeConfig } from './cli.js';

describe('archwright search', () => {
  const folder = temporaryFolder();
  const run = join(folder, 'run');

  it('finds, trains, times, exports and records', { timeout: 180_000 }, async () => {
    const config = writeConfig(folder, smallSearch);
    const result = await archwright(['search', config, '--out', run, '--json'], folder);
    expect(result.stderr).toContain('hidden split, opened once');
    expect(result.code).toBe(0);
    const summary = JSON.parse(result.stdout) as RunSummary;
    expect(summary.schema).toBe('archwright.run/1');
    expect(summary.status).toBe('finished');
    const ended = Object.values(summary.trials).reduce((a, b) => a + b, 0);
    expect(ended).toBe(smallSearch.budget.trials);
    expect(summary.baselines.map(({ name }) => name)).toContain('lenet-5');
    for (const { metrics, state } of summary.baselines) {
      if (state === 'failed') continue;
      expect(metrics.accuracy).toBeGreaterThan(0);
      expect(metrics.latencyMs).toBeGreaterThan(0);
      expect(metrics.processPeakBytes).toBeGreaterThan(metrics.weightsBytes as number);
    }
    expect(summary.front.length).toBeGreaterThan(0);
    for (const { metrics, holdout, onnx } of summary.front) {
      expect(metrics.macs).toBeLessThanOrEqual(3_000_000);
      expect(holdout?.samples).toBe(200);
      expect(existsSync(join(run, onnx as string))).toBe(true);
    }
    const front = JSON.parse(readFileSync(join(run, 'front.json'), 'utf8'));
    expect(front.front.map(({ id }: { id: number }) => id)).toEqual(summary.front.map((t) => t.id));
  });

  it('exports models that plain onnxruntime-node runs to what the search saw', async () => {
    const ledger = readLedger(join(run, 'ledger.sqlite'));
    const exports = ledger.stages().filter(({ stage }) => stage === 'export');
    expect(exports.length).toBeGreaterThan(0);
    const hidden = new Map(
      ledger
        .stages()
        .filter(({ stage }) => stage === 'hidden')
        .map(({ trial, outcome }) => [
          trial,
          (outcome as unknown as { metrics: { hiddenCorrect: number } }).metrics.hiddenCorrect,
        ]),
    );
    const dataset = await loadDataset({ kind: 'glyphs', train: 320, search: 200, hidden: 200 });
    for (const { trial, outcome } of exports) {
      const { artifacts, detail } = outcome as unknown as {
        artifacts: { onnx: string };
        detail: { check: { rows: number; logits: number[] } };
      };
      const bytes = readFileSync(join(run, artifacts.onnx));
      const graph = decodeModel(new Uint8Array(bytes));
      expect(graph.inputs[0]?.shape).toEqual(['N', 1, 28, 28]);
      expect(inferTypes(graph).get('logits')?.shape).toEqual(['N', 10]);
      expect(graph.name).toBe(`trial-${String(trial).padStart(4, '0')}`);
      expect(graph.metadata).toMatchObject({
        'output.kind': 'logits',
        'archwright.run': 'config',
        'archwright.trial': String(trial),
      });
      expect(JSON.parse(graph.metadata['output.classes'] as string)).toHaveLength(10);

      const session = await ort.InferenceSession.create(bytes);
      const logitsOf = async (images: Uint8Array, rows: number): Promise<Float32Array> => {
        const [mean, std] = [dataset.mean[0] as number, dataset.std[0] as number];
        const pixels = Float32Array.from(
          images.subarray(0, rows * 784),
          (pixel) => (pixel / 255 - mean) / std,
        );
        const feed = new ort.Tensor('float32', pixels, [rows, 1, 28, 28]);
        return (await session.run({ image: feed })).logits?.data as Float32Array;
      };
      const { rows, logits } = detail.check;
      const plain = await logitsOf(dataset.search.images, rows);
      expect(plain).toHaveLength(logits.length);
      plain.forEach((value, i) => {
        expect(Math.abs(value - (logits[i] as number))).toBeLessThan(1e-4);
      });
      const scores = await logitsOf(dataset.hidden.images, 200);
      let correct = 0;
      for (let row = 0; row < 200; row++) {
        const line = scores.subarray(row * 10, row * 10 + 10);
        if (line.indexOf(Math.max(...line)) === dataset.hidden.labels[row]) correct++;
      }
      // A near tie may fall either way between two runtimes' roundings.
      expect(Math.abs(correct - (hidden.get(trial) as number))).toBeLessThanOrEqual(1);
    }
    ledger.close();
  });

  it('proposed what its agents propose from the same trials again', async () => {
    const ledger = readLedger(join(run, 'ledger.sqlite'));
    const space = createConvSpace({ channels: 1, height: 28, width: 28, classes: 10 });
    const mismatches = await verifyReplay(ledger, createOperators(space), (problem) => [
      strategies.ensemble.create(problem),
      createRandomAgent(problem),
    ]);
    expect(ledger.proposals().length).toBeGreaterThan(smallSearch.budget.trials);
    ledger.close();
    expect(mismatches).toEqual([]);
  });

  it('is shown and exported from its folder alone', async () => {
    const shown = await archwright(['show', run, '--json'], folder);
    expect((JSON.parse(shown.stdout) as RunSummary).status).toBe('finished');
    const table = await archwright(['show', run], folder);
    expect(table.stdout).toContain('lenet-5');
    const out = join(folder, 'best.onnx');
    const exported = await archwright(['export', run, '--out', out, '--json'], folder);
    expect(exported.code).toBe(0);
    expect(JSON.parse(exported.stdout)).toMatchObject({ schema: 'archwright.export/1', onnx: out });
    const bench = await archwright(['bench', out, '--seconds', '0.5', '--json'], folder);
    expect(JSON.parse(bench.stdout)).toMatchObject({
      schema: 'archwright.bench/1',
      results: [{ model: out, device: 'cpu', inputs: { image: { shape: [1, 1, 28, 28] } } }],
    });
  });
});
