import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AnyAgent,
  Exhausted,
  type Problem,
  type RunView,
  type WaitingAgent,
} from '../../src/agent/agent.js';
import { createRandomAgent } from '../../src/agent/random.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { createLedger, openLedger } from '../../src/ledger/sqlite.js';
import type { SearchEvent } from '../../src/search/events.js';
import { verifyReplay } from '../../src/search/replay.js';
import { runSearch } from '../../src/search/search.js';
import type { Json } from '../../src/trial/trial.js';
import { createAnalytic, operators, settings } from './analytic.mjs';

let folder: string;
let ledger: Ledger;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archwright-waiting-'));
  const path = join(folder, 'ledger.sqlite');
  ledger = createLedger(path, { name: 'waiting', config: {}, seed: 3, version: '0' });
});
afterEach(() => {
  ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks outside the process, which here is a counter: three answers, and then none. */
function createOracleAgent(view: RunView, outside: { calls: number }): WaitingAgent {
  const notebook = view.notebook('oracle');
  return {
    name: 'oracle',
    observe: () => {},
    async propose(_rng, ask) {
      const known = notebook.read() as readonly { ask: number; width: number }[];
      const width = known.find((one) => one.ask === ask)?.width;
      if (width === undefined) {
        await sleep(1);
        if (outside.calls === 3) throw new Exhausted('three answers were all');
        outside.calls++;
        notebook.append({ ask, width: 10 * outside.calls });
      }
      const architecture: Json = { width: width ?? 10 * outside.calls, depth: 2, kernel: 1 };
      return { architecture, operator: 'draft', parents: [] };
    },
  };
}

describe('an agent that waits', () => {
  const outside = { calls: 0 };
  beforeEach(() => {
    outside.calls = 0;
  });
  const createAgents = (problem: Problem, view: RunView): readonly AnyAgent[] => [
    createOracleAgent(view, outside),
    createRandomAgent(problem),
  ];
  const work = (signal?: AbortSignal, onEvent?: (event: SearchEvent) => void) => {
    const evaluator = createAnalytic();
    const { clock } = evaluator;
    const budget = { trials: 12, reserve: 0 };
    return runSearch({
      ...{ ledger, evaluator, operators, createAgents, clock },
      settings: { ...settings, budget },
      ...(signal && { signal }),
      ...(onEvent && { onEvent }),
    });
  };

  it('is exhausted once, says why, and the others go on', async () => {
    const events: SearchEvent[] = [];
    await work(undefined, (event) => events.push(event));
    const of = (name: string) => ledger.proposals().filter(({ agent }) => agent === name);
    expect(of('oracle')).toHaveLength(3);
    expect(of('random')).toHaveLength(9);
    const told = events.filter(({ kind }) => kind === 'agent-exhausted');
    expect(told).toEqual([
      { kind: 'agent-exhausted', agent: 'oracle', reason: 'three answers were all' },
    ]);
  });

  it('is not asked again for what is on record, after a restart or in a replay', async () => {
    const stop = new AbortController();
    const first = await work(stop.signal, (event) => {
      if (event.kind === 'trial-ended' && event.trial.id === 6) stop.abort();
    });
    expect(first.status).toBe('interrupted');
    const before = ledger.proposals().filter(({ agent }) => agent === 'oracle').length;
    expect(outside.calls).toBe(before);
    ledger.close();
    ledger = openLedger(join(folder, 'ledger.sqlite'));
    expect((await work()).status).toBe('finished');
    expect(outside.calls).toBe(3);
    expect(await verifyReplay(ledger, operators, createAgents)).toEqual([]);
    const once = ledger.events().length;
    await work();
    expect(ledger.events()).toHaveLength(once);
  });
});
