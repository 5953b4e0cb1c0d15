import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InternalError, UsageError } from '../../src/errors.js';
import type { Ledger, ProposalRecord } from '../../src/ledger/ledger.js';
import { acquireLock, isLocked } from '../../src/ledger/lock.js';
import { createLedger, openLedger, readLedger } from '../../src/ledger/sqlite.js';
import type { Trial } from '../../src/trial/trial.js';

let folder: string;
let path: string;
let opened: Ledger[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archwright-ledger-'));
  path = join(folder, 'ledger.sqlite');
  opened = [];
});
afterEach(() => {
  for (const ledger of opened) ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

const RUN = {
  name: 'first',
  config: { space: ['conv'], nested: { a: null } },
  seed: 7,
  version: '1',
};

function keep(ledger: Ledger): Ledger {
  opened.push(ledger);
  return ledger;
}

function proposal(id: number, more: Partial<ProposalRecord> = {}): ProposalRecord {
  return {
    id,
    agent: 'random',
    operator: 'sample',
    parents: [],
    architecture: { depth: id, kernels: [3, 5] },
    hash: `h${id}`,
    description: `net “${id}”`,
    ask: id,
    ...more,
  };
}

function ended(id: number): Trial {
  const { ask: _ask, ...base } = proposal(id);
  return { ...base, costSeconds: 1 / 3, metrics: { accuracy: 0.1 + 0.2 }, state: 'complete' };
}

describe('the SQLite ledger', () => {
  it('gives back what was recorded, in order, exactly, in another connection', () => {
    const ledger = keep(createLedger(path, RUN));
    const trials: Trial[] = [
      ended(1),
      { ...ended(2), state: 'pruned', stage: 'extend', reason: 'number 3 of 3' },
      {
        ...ended(3),
        state: 'infeasible',
        stage: 'measure',
        violations: [{ metric: 'latencyMs', limit: 1, actual: 1.5 }],
      },
      { ...ended(4), state: 'failed', stage: 'train', reason: 'diverged', metrics: {} },
    ];
    for (const { id } of trials) ledger.recordProposal(proposal(id));
    ledger.recordStageStart({ trial: 1, stage: 'train', round: 0 });
    ledger.recordStageStart({ trial: 1, stage: 'train', round: 0 });
    const finish = {
      trial: 1,
      stage: 'train',
      round: 0,
      outcome: { status: 'passed', metrics: { accuracy: 0.5 } },
      seconds: 0.1,
      elapsedSeconds: 12.3,
    };
    ledger.recordStageFinish(finish);
    for (const trial of [...trials].reverse()) ledger.recordTrialEnd(trial);
    const event = { kind: 'plan', key: '', payload: { ids: [1] }, elapsedSeconds: 13 };
    ledger.recordEvent(event);

    const reader = keep(readLedger(path));
    expect(reader.run).toMatchObject(RUN);
    expect(Date.parse(reader.run.createdAt)).toBeGreaterThan(Date.now() - 60_000);
    expect(reader.proposals()).toEqual(trials.map(({ id }) => proposal(id)));
    expect(reader.stages()).toEqual([finish]);
    expect(reader.starts()).toEqual([{ trial: 1, stage: 'train', round: 0, count: 2 }]);
    expect(reader.trials()).toEqual([...trials].reverse());
    expect(reader.events()).toEqual([event]);
    const read = reader.trials()[0];
    expect(Object.isFrozen(read) && Object.isFrozen(read?.architecture)).toBe(true);
  });

  it('refuses facts that repeat or contradict others', () => {
    const ledger = keep(createLedger(path, RUN));
    ledger.recordProposal(proposal(1));
    const finish = { trial: 1, stage: 's', round: 0, outcome: {}, seconds: 1, elapsedSeconds: 1 };
    ledger.recordStageFinish(finish);
    ledger.recordTrialEnd(ended(1));
    ledger.recordEvent({ kind: 'hidden-opened', key: '', payload: {}, elapsedSeconds: 1 });
    const refused: (() => void)[] = [
      () => ledger.recordProposal(proposal(1)),
      () => ledger.recordProposal(proposal(2, { ask: 1 })),
      () => ledger.recordStageFinish(finish),
      () => ledger.recordStageStart({ trial: 9, stage: 's', round: 0 }),
      () => ledger.recordTrialEnd(ended(1)),
      () => ledger.recordTrialEnd(ended(9)),
      () => ledger.recordEvent({ kind: 'hidden-opened', key: '', payload: 2, elapsedSeconds: 2 }),
      () => ledger.recordProposal(proposal(3, { architecture: { x: Number.NaN } })),
    ];
    for (const fact of refused) {
      expect(fact).toThrow(InternalError);
      expect(fact).toThrow(/^internal: /);
    }
  });

  it('never changes a row', () => {
    const ledger = createLedger(path, RUN);
    ledger.recordProposal(proposal(1));
    ledger.recordTrialEnd(ended(1));
    ledger.close();
    const database = new Database(path);
    for (const statement of [
      "UPDATE trial_end SET state = 'failed'",
      'DELETE FROM trial_end',
      'UPDATE run SET seed = 8',
      "UPDATE proposal SET agent = 'x'",
    ]) {
      expect(() => database.exec(statement), statement).toThrow('the ledger is append-only');
    }
    database.close();
  });

  it('says in one line what is wrong with a path', () => {
    expect(() => openLedger(path)).toThrow(/expected the ledger of a run, found no file/);
    writeFileSync(path, 'not a database, whatever its name says. '.repeat(40));
    expect(() => readLedger(path)).toThrow(/found another kind of file/);
    rmSync(path);
    const database = new Database(path);
    database.exec('CREATE TABLE other (a)');
    database.close();
    expect(() => openLedger(path)).toThrow(/found a database without one/);
    expect(() => createLedger(path, RUN)).toThrow(UsageError);
  });

  it('does not open a ledger of another version, or create one over another', () => {
    createLedger(path, RUN).close();
    expect(() => createLedger(path, RUN)).toThrow(/there is one; resume it/);
    const database = new Database(path);
    database.exec('DROP TRIGGER schema_no_update; UPDATE schema SET version = 99');
    database.close();
    expect(() => openLedger(path)).toThrow(/expected a ledger of version 1, found version 99/);
  });

  it('reads a run that another connection writes, and cannot write it', () => {
    const ledger = keep(createLedger(path, RUN));
    const reader = keep(readLedger(path));
    ledger.recordProposal(proposal(1));
    expect(reader.proposals()).toHaveLength(1);
    expect(() => reader.recordProposal(proposal(2))).toThrow(/readonly/);
  });
});

describe('the lock of a run', () => {
  it('is held by one opener at a time', () => {
    const first = createLedger(path, RUN);
    expect(isLocked(path)).toBe(true);
    expect(() => openLedger(path)).toThrow(`process ${process.pid} is working on it`);
    first.close();
    expect(isLocked(path)).toBe(false);
    keep(openLedger(path));
    expect(isLocked(path)).toBe(true);
  });

  it('holds against other processes and ends with its holder, however that ends', async () => {
    createLedger(path, RUN).close();
    const lockModule = new URL('../../dist/ledger/lock.js', import.meta.url).href;
    const script = `
      const { acquireLock } = await import(${JSON.stringify(lockModule)});
      acquireLock(${JSON.stringify(path)});
      process.stdout.write('held');
      setInterval(() => {}, 1000);
    `;
    const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    expect(isLocked(path)).toBe(true);
    expect(() => acquireLock(path)).toThrow(`process ${child.pid} is working on it`);
    keep(readLedger(path));
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
    expect(isLocked(path)).toBe(false);
    acquireLock(path).release();
  });
});
