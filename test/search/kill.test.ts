import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger, StageRecord } from '../../src/ledger/ledger.js';
import { createLedger, readLedger } from '../../src/ledger/sqlite.js';
import { verifyReplay } from '../../src/search/replay.js';
import { runSearch } from '../../src/search/search.js';
import { summarizeRun } from '../../src/search/summary.js';
import { Rng } from '../../src/util/random.js';
import { createAgents, createAnalytic, operators, settings } from './analytic.mjs';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
const KILLS = 10;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archwright-kill-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the child, kills it `afterMs` after its n-th line, and says whether it was still running. */
function runChild(path: string, lines: number, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = 0;
  let isArmed = false;
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString().split('\n').length - 1;
    if (isArmed || seen < lines) return;
    isArmed = true;
    void sleep(afterMs).then(() => child.kill('SIGKILL'));
  });
  return new Promise((resolve) => {
    child.on('close', (_code, signal) => resolve(signal === 'SIGKILL'));
  });
}

function finishedIn(path: string): readonly StageRecord[] {
  const ledger = readLedger(path);
  const stages = ledger.stages();
  ledger.close();
  return stages;
}

const keyOf = ({ trial, stage, round }: StageRecord) => `${trial} ${stage} ${round}`;

const facts = (ledger: Ledger) => ({
  proposals: ledger.proposals(),
  trials: ledger.trials(),
  stages: ledger.stages(),
  events: ledger.events(),
});

describe('a search killed at ten random moments', () => {
  it('loses and repeats no finished stage and ends as the unbroken run does', async () => {
    const path = join(folder, 'ledger.sqlite');
    const sideLog = join(folder, 'side.log');
    const rng = new Rng(20);
    let finished: readonly StageRecord[] = [];
    let logged = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const lines = 8 + rng.integer(40);
      expect(await runChild(folder, lines, rng.range(0, 4)), 'killed while running').toBe(true);
      const now = finishedIn(path);
      expect(now.slice(0, finished.length), 'nothing lost').toEqual(finished);
      const calls = readFileSync(sideLog, 'utf8').trim().split('\n');
      const before = new Set(finished.map(keyOf));
      expect(calls.slice(logged).filter((call) => before.has(call))).toEqual([]);
      expect(now.length, 'progress').toBeGreaterThan(finished.length);
      finished = now;
      logged = calls.length;
    }
    expect(await runChild(folder, Number.POSITIVE_INFINITY, 0)).toBe(false);

    const broken = readLedger(path);
    const evaluator = createAnalytic();
    const unbroken = createLedger(join(folder, 'unbroken.sqlite'), {
      name: 'unbroken',
      config: {},
      seed: 11,
      version: '0',
    });
    const { clock } = evaluator;
    await runSearch({ ledger: unbroken, evaluator, operators, settings, createAgents, clock });
    expect(facts(broken)).toEqual(facts(unbroken));
    expect(await verifyReplay(broken, operators, createAgents)).toEqual([]);
    const summary = summarizeRun(broken, false);
    expect(summary.status).toBe('finished');
    expect(summary.budget.repeatedStages).toBeGreaterThan(0);
    broken.close();
    unbroken.close();

    const database = new Database(path);
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    database.close();
  });
});
