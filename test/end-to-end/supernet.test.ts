/** A search whose agent trains a supernet first, also when it is killed over that. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readLedger } from '../../src/ledger/sqlite.js';
import type { RunSummary } from '../../src/search/summary.js';
import { archwright, start, temporaryFolder, writeConfig } from './cli.js';

const config = {
  seed: 3,
  space: { kind: 'cell' },
  data: { kind: 'glyphs', train: 64, search: 100, hidden: 100 },
  train: { epochs: { short: 1, long: 1 }, batch: 32, threads: 1 },
  device: { threads: 1, measureSeconds: 0.1 },
  objectives: [
    { metric: 'accuracy', direction: 'maximize' },
    { metric: 'params', direction: 'minimize' },
  ],
  agents: [{ kind: 'supernet', epochs: 30 }],
  budget: { trials: 3 },
  guard: { seeds: 2, champions: 1 },
};

interface Note {
  readonly agent: string;
  readonly entry: {
    readonly kind: string;
    readonly plan?: { readonly updates: number; readonly table: unknown };
    readonly learnt?: { readonly probabilities: number[][]; readonly seconds: number };
  };
}

function recordOf(run: string) {
  const ledger = readLedger(join(run, 'ledger.sqlite'));
  const proposals = ledger.proposals().filter(({ agent }) => agent === 'supernet');
  const events = ledger.events().filter(({ kind }) => kind === 'note');
  ledger.close();
  const notes = events.map(({ payload }) => (payload as unknown as Note).entry);
  return { proposals: proposals.map(({ architecture }) => architecture), notes };
}

describe('archwright search with the agent supernet', () => {
  const folder = temporaryFolder();
  const unbroken = join(folder, 'unbroken');

  it('trains the supernet, then evaluates its proposals as any others', {
    timeout: 180_000,
  }, async () => {
    const path = writeConfig(folder, config);
    const { code, stdout } = await archwright(
      ['search', path, '--out', unbroken, '--json'],
      folder,
    );
    expect(code).toBe(0);
    const summary = JSON.parse(stdout) as RunSummary;
    expect(summary.status).toBe('finished');
    expect(summary.trials.failed).toBe(0);
    expect(summary.front[0]).toMatchObject({ agent: 'supernet', operator: 'most-probable' });
    expect(summary.front[0]?.metrics.latencyMs).toBeGreaterThan(0);
    const { proposals, notes } = recordOf(unbroken);
    expect(new Set(proposals).size).toBe(3);
    expect(notes.map(({ kind }) => kind)).toEqual(['plan', 'learnt']);
    expect(notes[0]?.plan).toEqual({ updates: 60, table: null });
    const { probabilities = [] } = notes[1]?.learnt ?? {};
    expect(probabilities).toHaveLength(6);
    for (const shares of probabilities) {
      expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
      expect(Math.max(...shares)).toBeGreaterThan(0.21);
    }
  });

  it('proposes the same after it was killed in that training', { timeout: 180_000 }, async () => {
    const broken = join(folder, 'broken');
    const running = start(['search', join(folder, 'config.json'), '--out', broken], folder);
    await running.sees(/── search/);
    while (recordOf(broken).notes.length === 0) await sleep(20);
    running.child.kill('SIGKILL');
    await running.finished;
    expect(recordOf(broken).notes.map(({ kind }) => kind)).toEqual(['plan']);
    expect((await archwright(['resume', broken], folder)).code).toBe(0);
    const [expected, got] = [recordOf(unbroken), recordOf(broken)];
    expect(got.proposals).toEqual(expected.proposals);
    expect(got.notes[1]?.learnt?.probabilities).toEqual(expected.notes[1]?.learnt?.probabilities);
  });

  it('measures what options take where latency is limited, in a budget of time', {
    timeout: 180_000,
  }, async () => {
    const limited = temporaryFolder();
    const path = writeConfig(limited, {
      ...config,
      constraints: [{ metric: 'latencyMs', max: { baseline: 'resnet-cell', factor: 0.8 } }],
      agents: [{ kind: 'supernet', share: 0.02 }],
      budget: { time: '10m', trials: 2 },
    });
    const run = join(limited, 'run');
    const { code, stderr } = await archwright(['search', path, '--out', run], limited);
    expect(code, stderr).toBe(0);
    const { notes } = recordOf(run);
    const table = notes[0]?.plan?.table as { referenceMs: number; deltaMs: number[][] };
    expect(table.referenceMs).toBeGreaterThan(0);
    for (const row of table.deltaMs) {
      expect(row).toHaveLength(5);
      expect(row[1]).toBe(0);
      // A 3×3 convolution in fifteen cells takes longer than a shortcut.
      expect(row[3]).toBeGreaterThan(0);
    }
    expect(notes[1]?.learnt?.probabilities).toHaveLength(6);
  });

  it.each([
    [
      { space: { kind: 'conv' } },
      'expected a space that has a supernet (space.kind: cell), received conv',
    ],
    [
      {
        data: { kind: 'table', file: 'scores.json', guide: 'val', report: 'test' },
        agents: ['supernet'],
      },
      'expected data to train on, received a table',
    ],
  ])('refuses %j in one line', async (change, complaint) => {
    const other = temporaryFolder();
    const path = writeConfig(other, { ...config, ...change });
    const { code, stderr } = await archwright(['search', path], other);
    expect(code).toBe(2);
    expect(stderr.trim()).toBe(`error: agents: supernet: ${complaint}`);
  });
});
