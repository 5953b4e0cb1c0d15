import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Design, Evaluator } from '../../src/evaluate/evaluate.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { createLedger } from '../../src/ledger/sqlite.js';
import { ASKS_PER_TRIAL } from '../../src/search/ask.js';
import { verifyReplay } from '../../src/search/replay.js';
import { runSearch } from '../../src/search/search.js';
import { summarizeRun } from '../../src/search/summary.js';
import { type Analytic, createAgents, createAnalytic, operators, settings } from './analytic.mjs';

let folder: string;
const ledgers: Ledger[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archwright-forecast-'));
});
afterEach(() => {
  for (const ledger of ledgers.splice(0)) ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

function openLedger(name: string): Ledger {
  const path = join(folder, `${name}.sqlite`);
  const ledger = createLedger(path, { name, config: {}, seed: 3, version: '0' });
  ledgers.push(ledger);
  return ledger;
}

/** Latency of the analytic evaluator, read from a design's hash `width-depth-kernel`. */
function latencyOf({ hash }: Design): number {
  const [width = 0, depth = 0, kernel = 0] = hash.split('-').map(Number);
  return (width * depth * (1 + kernel)) / 256;
}

const LEAST = 12;

/** The analytic evaluator with a forecast that knows the truth once enough is measured. */
function foreseeing(evaluator: Analytic, seen: number[] = []): Analytic {
  const forecast: Evaluator['forecast'] = (measured, constraints) => {
    const known = measured.filter(({ metrics }) => metrics.latencyMs !== undefined).length;
    seen.push(known);
    const limit = constraints.find(({ metric }) => metric === 'latencyMs')?.max ?? Infinity;
    if (known < LEAST) return undefined;
    return (design) => {
      const actual = latencyOf(design);
      return actual > limit ? [{ metric: 'latencyMs', limit, actual }] : [];
    };
  };
  return { ...evaluator, forecast };
}

async function search(ledger: Ledger, evaluator: Analytic, signal?: AbortSignal) {
  return runSearch({
    ledger,
    evaluator,
    operators,
    settings,
    createAgents,
    clock: evaluator.clock,
    ...(signal && { signal }),
  });
}

const skippedOf = (ledger: Ledger) => ledger.events().filter(({ kind }) => kind === 'skipped');

describe('a forecast', () => {
  it('passes over proposals, on record, and spends the time on others', async () => {
    const [plain, filtered] = [openLedger('plain'), openLedger('filtered')];
    await search(plain, createAnalytic());
    await search(filtered, foreseeing(createAnalytic()));
    const share = (ledger: Ledger) => {
      const { complete, pruned, infeasible } = summarizeRun(ledger, false).trials;
      return infeasible / (complete + pruned + infeasible);
    };
    expect(share(filtered)).toBeLessThan(share(plain) / 2);
    expect(skippedOf(plain)).toEqual([]);
    const skipped = skippedOf(filtered).flatMap(
      ({ payload }) => (payload as { skipped: { ask: number }[] }).skipped,
    );
    expect(skipped.length).toBeGreaterThan(0);
    const { arms } = summarizeRun(filtered, false);
    expect(arms.reduce((sum, arm) => sum + arm.skipped, 0)).toBe(skipped.length);
  });

  it('is asked of every arm, and never keeps a human design from its trial', async () => {
    const ledger = openLedger('arms');
    await search(ledger, {
      ...createAnalytic(),
      forecast: () => (design) => [{ metric: 'latencyMs', limit: 0, actual: latencyOf(design) }],
    });
    const { baselines, arms } = summarizeRun(ledger, false);
    expect(baselines.map(({ name }) => name)).toEqual(['small', 'large']);
    for (const { skipped, asks, trials } of arms) {
      const count = Object.values(trials).reduce((a, b) => a + b, 0);
      // Every trial is the last ask that it may have; what was passed over was new each time.
      expect(asks).toBe(count * ASKS_PER_TRIAL);
      expect(skipped).toBeGreaterThan(0);
    }
  });

  it('leaves a run that replays, and that ends the same when it is interrupted', async () => {
    const whole = openLedger('whole');
    const seen: number[] = [];
    await search(whole, foreseeing(createAnalytic(), seen));
    expect(await verifyReplay(whole, operators, createAgents)).toEqual([]);
    expect(Math.max(...seen)).toBeGreaterThan(LEAST);

    const broken = openLedger('broken');
    const evaluator = foreseeing(createAnalytic());
    const stop = new AbortController();
    const halting: Analytic = {
      ...evaluator,
      run: (candidate, call) => {
        if (candidate.id === 40) stop.abort();
        return evaluator.run(candidate, call);
      },
    };
    expect(await search(broken, halting, stop.signal)).toEqual({ status: 'interrupted' });
    expect(await search(broken, evaluator)).toEqual({ status: 'finished' });
    expect(broken.proposals()).toEqual(whole.proposals());
    expect(skippedOf(broken).map(({ key, payload }) => [key, payload])).toEqual(
      skippedOf(whole).map(({ key, payload }) => [key, payload]),
    );
  });
});
