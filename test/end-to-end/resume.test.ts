import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { readLedger } from '../../src/ledger/sqlite.js';
import { Rng } from '../../src/util/random.js';
import {
  archwright,
  busyChildOf,
  childrenOf,
  smallSearch,
  start,
  temporaryFolder,
  writeConfig,
} from './cli.js';

/** What a run decided: proposals and the outcomes of training, which are the same bit for bit. */
function decisionsOf(run: string) {
  const ledger = readLedger(join(run, 'ledger.sqlite'));
  const proposals = ledger.proposals().map(({ id, agent, operator, architecture, parents }) => {
    return { id, agent, operator, architecture, parents };
  });
  const scores = ledger.stages().flatMap(({ trial, stage, round, outcome }) => {
    const { metrics, detail } = outcome as unknown as {
      metrics: Record<string, number>;
      detail?: { inherited?: { from: number } };
    };
    if (metrics.accuracy === undefined) return [];
    return [{ trial, stage, round, score: metrics.accuracy, inherited: detail?.inherited }];
  });
  const keys = ledger.stages().map(({ trial, stage, round }) => `${trial}/${stage}/${round}`);
  ledger.close();
  return { proposals, scores, keys };
}

describe('a search that is killed', () => {
  it('goes on as if it had not been', { timeout: 400_000 }, async () => {
    const folder = temporaryFolder();
    // One agent: with two, whose turn it is follows from measured seconds, which differ.
    const config = writeConfig(folder, {
      ...smallSearch,
      agents: [{ kind: 'evolution', initialSamples: 2 }],
      train: { ...smallSearch.train, inherit: true },
    });
    const unbroken = join(folder, 'unbroken');
    expect((await archwright(['search', config, '--out', unbroken], folder)).code).toBe(0);

    const broken = join(folder, 'broken');
    const rng = new Rng('moments');
    let kills = 0;
    let running = start(['search', config, '--out', broken], folder);
    await running.sees(/human designs/);
    while (kills < 4) {
      await Promise.race([sleep(rng.range(800, 4000)), running.finished]);
      if (running.child.exitCode !== null) break;
      running.child.kill('SIGKILL');
      await running.finished;
      kills++;
      running = start(['resume', broken], folder);
    }
    expect(kills).toBeGreaterThan(1);
    const last = await running.finished;
    expect(last.stderr).toContain('finished');
    expect(last.code).toBe(0);

    const [a, b] = [decisionsOf(unbroken), decisionsOf(broken)];
    expect(b.proposals).toEqual(a.proposals);
    expect(b.scores).toEqual(a.scores);
    expect(a.scores.some(({ inherited }) => inherited !== undefined)).toBe(true);
    expect(new Set(b.keys).size).toBe(b.keys.length);
    const database = new Database(join(broken, 'ledger.sqlite'));
    const check = database.prepare('PRAGMA integrity_check').get() as Record<string, unknown>;
    database.close();
    expect(Object.values(check)).toContain('ok');
  });
});

describe('a runner that dies under a search', () => {
  it('costs one trial when it is killed', { timeout: 180_000 }, async () => {
    const folder = temporaryFolder();
    const config = writeConfig(folder, {
      ...smallSearch,
      train: { ...smallSearch.train, epochs: { short: 8, long: 1 } },
      budget: { trials: 2 },
    });
    const running = start(['search', config, '--out', join(folder, 'run'), '--json'], folder);
    await running.sees(/── search/);
    // The first child is the trainer's runner, and short training takes seconds here.
    process.kill(await busyChildOf(running.child.pid as number), 'SIGKILL');
    const { code, stdout, stderr } = await running.finished;
    expect(code).toBe(0);
    expect(stderr).toMatch(/failed +\w+: .*SIGKILL/);
    const { trials } = JSON.parse(stdout) as { trials: Record<string, number> };
    expect(trials.failed).toBe(1);
    expect(Object.values(trials).reduce((a, b) => a + b, 0)).toBe(2);
  });

  it('costs one trial when it hangs', { timeout: 180_000 }, async () => {
    const folder = temporaryFolder();
    const config = writeConfig(folder, {
      ...smallSearch,
      budget: { trials: 2 },
      guard: { ...smallSearch.guard, trialSeconds: 15 },
    });
    const running = start(['search', config, '--out', join(folder, 'run'), '--json'], folder);
    await running.sees(/── search/);
    await sleep(300);
    // The first child is the trainer's runner; measurements have one of their own.
    const [runner] = childrenOf(running.child.pid as number);
    process.kill(runner as number, 'SIGSTOP');
    const { code, stderr } = await running.finished;
    expect(code).toBe(0);
    expect(stderr).toMatch(/failed +\w+: .*did not end within 15000 ms/);
    expect(stderr).toContain('finished');
  });

  it('costs its trials when memory runs out', { timeout: 180_000 }, async () => {
    const folder = temporaryFolder();
    const config = writeConfig(folder, {
      ...smallSearch,
      budget: { trials: 2 },
      guard: { ...smallSearch.guard, memoryBytes: 60_000_000 },
    });
    const { code, stderr } = await archwright(
      ['search', config, '--out', join(folder, 'run')],
      folder,
    );
    expect(stderr).toMatch(/failed +train: .*MiB of at most/);
    expect(stderr).toContain('finished: 0 on the front');
    expect(code).toBe(0);
  });
});
