import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createEvolutionAgent } from '../../src/agent/evolution.js';
import { openToRead } from '../../src/cli/compose.js';
import { parseConfig } from '../../src/cli/config.js';
import { carryMemory, memoryOf } from '../../src/cli/run-memory.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { createLedger, readLedger } from '../../src/ledger/sqlite.js';
import type { Memory } from '../../src/memory/memory.js';
import type { Json } from '../../src/trial/trial.js';
import { constraints, objectives, problem, runAgent } from '../agent/landscape.js';
import { archwright, temporaryFolder } from '../end-to-end/cli.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const configOf = (more: object = {}) => parseConfig({ data: { kind: 'glyphs' }, ...more });

function emptyRun(name: string, config = configOf()): Ledger {
  mkdirSync(join(folder, name));
  return createLedger(join(folder, name, 'ledger.sqlite'), {
    name,
    config: config as unknown as Json,
    seed: 0,
    version: '0',
  });
}

/** A run of evolution on the made-up landscape, as a search would have recorded it. */
function recordRun(name: string): string {
  const ledger = emptyRun(name);
  const settings = { objectives, acceptance: { k: 2 }, budget: {} } as unknown as Json;
  ledger.recordEvent({ kind: 'settings', key: '', payload: settings, elapsedSeconds: 0 });
  const limits = { constraints } as unknown as Json;
  ledger.recordEvent({ kind: 'constraints', key: '', payload: limits, elapsedSeconds: 0 });
  for (const trial of runAgent(createEvolutionAgent(problem), 80, name)) {
    ledger.recordProposal({ ...trial, ask: trial.id });
    ledger.recordTrialEnd(trial);
  }
  ledger.close();
  return join(folder, name);
}

const run = recordRun('earlier');

describe('archwright memory', () => {
  test('prints what a run has learned, as text and as JSON', async () => {
    const text = await archwright(['memory', run], folder);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^global: \d+ complete/);
    expect(text.stdout).toMatch(/latencyMs [+-][\d.]+ %/);
    expect(Buffer.byteLength(text.stdout)).toBeLessThanOrEqual(4097);
    const { stdout } = await archwright(['memory', run, '--json', '--bytes', '9000'], folder);
    const memory = JSON.parse(stdout) as Memory;
    expect(memory.schema).toBe('archwright.memory/1');
    expect(memory.dropped.effects).toBeGreaterThan(0);
    expect(memory.tried.complete + memory.tried.infeasible).toBe(80);
  });

  test.each([
    [['--scope', 'nephew'], '--scope: expected global, ancestor, sibling; received nephew'],
    [['--scope', 'sibling'], 'scope sibling: expected a trial of the run that has ended'],
    [['--bytes', '3'], '--bytes: expected a whole number of at least 256'],
  ])('refuses %j in one line', async (flags, message) => {
    const { code, stderr } = await archwright(['memory', run, ...flags], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('memory carried to a later run', () => {
  const quiet = () => {};

  test('is recorded, so that it needs the earlier run no more', () => {
    const config = configOf({ memory: { from: run } });
    const ledger = emptyRun('later', config);
    const effects = carryMemory(ledger, config, openToRead, quiet);
    const earlier = openToRead(run);
    expect(effects).toEqual(memoryOf(earlier).memory.effects);
    earlier.close();
    const gone = () => {
      throw new Error('the earlier run is gone');
    };
    expect(carryMemory(ledger, config, gone, quiet)).toEqual(effects);
    ledger.close();
    const again = readLedger(join(folder, 'later', 'ledger.sqlite'));
    expect(again.events().map(({ kind }) => kind)).toEqual(['memory']);
    again.close();
  });

  test('leaves out what was measured on another device or learned on other data', () => {
    const metricsWith = (name: string, more: object) => {
      const config = configOf({ memory: { from: run }, ...more });
      const ledger = emptyRun(name, config);
      const warnings: string[] = [];
      const effects = carryMemory(ledger, config, openToRead, (line) => warnings.push(line));
      ledger.close();
      return { metrics: new Set(effects?.map(({ metric }) => metric)), warnings };
    };
    const device = metricsWith('device', { device: { threads: 1 } });
    expect(device.metrics).toEqual(new Set(['accuracy', 'macs', 'params']));
    expect(device.warnings[0]).toContain('effects on latencyMs, arenaPeakBytes');
    const data = metricsWith('data', { data: { kind: 'glyphs', seed: 5 } });
    expect(data.metrics).toEqual(new Set(['latencyMs', 'macs', 'params']));
    expect(metricsWith('same', {}).warnings).toEqual([]);
  });

  test('a run without children teaches nothing and is refused', () => {
    const empty = emptyRun('empty');
    empty.close();
    const config = configOf({ memory: { from: join(folder, 'empty') } });
    const ledger = emptyRun('hopeful', config);
    expect(() => carryMemory(ledger, config, openToRead, quiet)).toThrow(
      'memory.from: expected a run in which trials were made from others',
    );
    ledger.close();
  });
});
