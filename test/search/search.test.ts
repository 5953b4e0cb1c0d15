import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../src/agent/agent.js';
import type { Evaluator, StageCall, StageOutcome } from '../../src/evaluate/evaluate.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { createLedger } from '../../src/ledger/sqlite.js';
import type { SearchEvent } from '../../src/search/events.js';
import { verifyReplay } from '../../src/search/replay.js';
import { runSearch, type SearchOptions } from '../../src/search/search.js';
import { summarizeRun } from '../../src/search/summary.js';
import type { Json } from '../../src/trial/trial.js';
import { type Analytic, createAgents, createAnalytic, operators, settings } from './analytic.mjs';

let folder: string;
let ledger: Ledger;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archwright-search-'));
  const path = join(folder, 'ledger.sqlite');
  ledger = createLedger(path, { name: 'loop', config: {}, seed: 3, version: '0' });
});
afterEach(() => {
  ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

function optionsFor(evaluator: Analytic, more: Partial<SearchOptions> = {}): SearchOptions {
  return {
    ledger,
    evaluator,
    operators,
    settings,
    createAgents,
    clock: evaluator.clock,
    ...more,
  };
}

/** The analytic evaluator with some calls answered otherwise. */
function changed(
  base: Analytic,
  answer: (id: number, call: StageCall) => StageOutcome | undefined,
): Analytic {
  return {
    ...base,
    run: async (candidate, call) => {
      const outcome = await base.run(candidate, call);
      return answer(candidate.id, call) ?? outcome;
    },
  };
}

const stagesOf = (evaluator: Analytic, trial: number) =>
  evaluator.calls.filter((call) => call.startsWith(`${trial} `)).map((call) => call.split(' ')[1]);

describe('runSearch', () => {
  it('evaluates baselines first, in full, and takes relative limits from them', async () => {
    const evaluator = createAnalytic();
    const events: SearchEvent[] = [];
    await runSearch(optionsFor(evaluator, { onEvent: (event) => events.push(event) }));
    const { baselines, constraints, trials } = summarizeRun(ledger, false);
    expect(constraints[0]).toEqual({ metric: 'latencyMs', max: 3.75 });
    expect(baselines.map(({ name, state }) => [name, state])).toEqual([
      ['small', 'complete'],
      ['large', 'infeasible'],
    ]);
    expect(stagesOf(evaluator, 2)).toEqual(['limits', 'train', 'measure', 'extend', 'hidden']);
    expect(baselines[1]?.holdout?.samples).toBe(1000);
    const inArms = trials.complete + trials.pruned + trials.infeasible + trials.failed;
    expect(ledger.trials()).toHaveLength(inArms + 2);
    expect(events.filter(({ kind }) => kind === 'trial-ended')).toHaveLength(inArms + 2);
    expect(
      events.flatMap((event) => (event.kind === 'phase-started' ? [event.phase] : [])),
    ).toEqual(['baselines', 'search', 'retest', 'hidden', 'export']);
    expect(events.at(-1)?.kind).toBe('finished');
  });

  it('spends no stage after the one that ends a trial', async () => {
    const evaluator = createAnalytic();
    await runSearch(optionsFor(evaluator));
    const order = ['limits', 'screen', 'train', 'measure', 'extend'];
    const states = new Set<string>();
    for (const trial of ledger.trials().filter(({ agent }) => agent !== 'baseline')) {
      const searched = stagesOf(evaluator, trial.id).filter((stage) => order.includes(stage ?? ''));
      const last = trial.state === 'complete' ? 'extend' : trial.stage;
      const ran = trial.state === 'pruned' ? 'measure' : last;
      expect(searched, `trial ${trial.id}`).toEqual(order.slice(0, order.indexOf(ran) + 1));
      states.add(`${trial.state} ${last}`);
    }
    expect([...states].sort()).toEqual([
      'complete extend',
      'failed train',
      'infeasible limits',
      'infeasible measure',
      'infeasible screen',
      'pruned extend',
    ]);
  });

  it('gives the arms the same time and reports each', async () => {
    const evaluator = createAnalytic();
    await runSearch(optionsFor(evaluator));
    const { arms, budget } = summarizeRun(ledger, false);
    expect(arms.map(({ agent }) => agent)).toEqual(['evolution', 'random']);
    const [evolution, random] = arms.map(({ seconds }) => seconds) as [number, number];
    expect(Math.abs(evolution - random)).toBeLessThan(2);
    expect(arms.every(({ hypervolume, best }) => hypervolume > 0 && best?.holdout)).toBe(true);
    expect(budget.overheadSeconds).toBe(0);
    expect(budget.searchEnd).toBe('seconds');
    expect(budget.elapsedSeconds).toBeLessThan(150);
  });

  it('retests with paired seeds and opens the hidden split once, for the end', async () => {
    const evaluator = createAnalytic();
    const seeds = new Map<number, Set<number>>();
    const spy = changed(evaluator, (_id, { stage, round, seed }) => {
      if (stage === 'retest') seeds.set(round, (seeds.get(round) ?? new Set()).add(seed));
      return undefined;
    });
    await runSearch(optionsFor(spy));
    const summary = summarizeRun(ledger, false);
    expect([...seeds.keys()]).toEqual([0, 1, 2]);
    expect([...seeds.values()].every((set) => set.size === 1)).toBe(true);
    expect(new Set([...seeds.values()].flatMap((set) => [...set])).size).toBe(3);
    const names = evaluator.calls.map((call) => call.split(' ')[1]);
    expect(names.indexOf('hidden')).toBeGreaterThan(names.lastIndexOf('retest'));
    expect(names.indexOf('hidden')).toBeGreaterThan(names.lastIndexOf('extend'));
    expect(summary.front.length).toBeGreaterThan(0);
    for (const { id, onnx, holdout, retest, againstBaseline } of summary.front) {
      expect(onnx).toBe(`front/${id}.onnx`);
      expect(holdout?.interval?.[0]).toBeLessThan(holdout?.accuracy as number);
      expect(retest?.scores).toHaveLength(3);
      expect(againstBaseline?.incumbent).toBe(1);
    }
    const again = { kind: 'hidden-opened', key: '', payload: {}, elapsedSeconds: 1 };
    expect(() => ledger.recordEvent(again)).toThrow(/^internal: /);
  });

  it('stops between stages when asked to, and goes on to the same end', async () => {
    const evaluator = createAnalytic();
    const stop = new AbortController();
    const halt = (event: SearchEvent) => {
      if (event.kind === 'stage-finished' && event.trial === 9) stop.abort();
    };
    const first = await runSearch(optionsFor(evaluator, { signal: stop.signal, onEvent: halt }));
    expect(first.status).toBe('interrupted');
    expect(summarizeRun(ledger, false).status).toBe('interrupted');
    expect(evaluator.calls.filter((call) => call.startsWith('9 '))).toHaveLength(1);
    const events: SearchEvent[] = [];
    const second = createAnalytic();
    await runSearch(optionsFor(second, { onEvent: (event) => events.push(event) }));
    expect(events[0]).toMatchObject({ kind: 'resumed', endedTrials: 8 });
    expect(summarizeRun(ledger, false).status).toBe('finished');
    const calls = [...evaluator.calls, ...second.calls];
    expect(new Set(calls).size).toBe(calls.length);
    expect(await verifyReplay(ledger, operators, createAgents)).toEqual([]);

    const third = createAnalytic();
    expect((await runSearch(optionsFor(third))).status).toBe('finished');
    expect(third.calls).toEqual([]);
  });

  it('hands an evaluator the finished parents, and reports what was inherited of them', async () => {
    const evaluator = createAnalytic();
    const withParents = new Set<number>();
    const spy = changed(evaluator, (id, { stage, parents }) => {
      if (stage !== 'train' || parents[0] === undefined) return undefined;
      const { id: from, history } = parents[0];
      const stages = history.map((one) => one.stage);
      expect(stages).toEqual(stagesOf(evaluator, from).filter((one) => one !== 'retest'));
      withParents.add(id);
      const detail = { inherited: { from } };
      return { status: 'passed', metrics: { accuracy: 0.95 }, detail };
    });
    await runSearch(optionsFor(spy));
    expect(withParents.size).toBeGreaterThan(3);
    const { front, arms } = summarizeRun(ledger, false);
    const shown = [...front, ...arms.flatMap(({ best }) => best ?? [])];
    for (const { id, parents, inherited } of shown) {
      expect(inherited).toEqual(withParents.has(id) ? { from: parents[0] } : null);
    }
    expect(shown.some(({ inherited }) => inherited !== null)).toBe(true);
  });

  it('notices proposals that do not follow from seed and trials', async () => {
    await runSearch(optionsFor(createAnalytic()));
    const other = (problem: Parameters<typeof createAgents>[0]) => [
      ...createAgents(problem).slice(0, 1),
      { ...(createAgents(problem)[1] as Agent), propose: () => fixed },
    ];
    const fixed = { architecture: { width: 4, depth: 1, kernel: 1 }, operator: 'x', parents: [] };
    const mismatches = await verifyReplay(ledger, operators, other);
    expect(mismatches.length).toBeGreaterThan(0);
    expect(mismatches.every(({ agent }) => agent === 'random')).toBe(true);
  });

  it('refuses to resume under other rules', async () => {
    const short = { ...settings, budget: { trials: 3, reserve: 0 } };
    await runSearch(optionsFor(createAnalytic(), { settings: short }));
    await expect(runSearch(optionsFor(createAnalytic()))).rejects.toThrow(/begun with other/);
  });

  it('bounds the trials of the arms, baselines not counted', async () => {
    const short = { ...settings, budget: { trials: 7, reserve: 0 } };
    await runSearch(optionsFor(createAnalytic(), { settings: short }));
    expect(ledger.proposals()).toHaveLength(9);
    expect(summarizeRun(ledger, false).budget.searchEnd).toBe('trials');
  });

  it('pays for no architecture twice and retires an agent that has no other', async () => {
    const evaluator = createAnalytic();
    const stubborn: Agent = {
      name: 'stubborn',
      propose: () => ({
        architecture: { width: 9, depth: 3, kernel: 1 },
        operator: 'same',
        parents: [],
      }),
      observe: () => {},
    };
    await runSearch(optionsFor(evaluator, { createAgents: () => [stubborn] }));
    const trials = ledger.trials().filter(({ agent }) => agent === 'stubborn');
    expect(trials.map(({ state }) => state)).toEqual(['complete', 'failed', 'failed', 'failed']);
    expect(trials[1]).toMatchObject({
      stage: 'propose',
      reason: 'no new architecture in 20 asks; the last is that of trial 3',
    });
    expect(stagesOf(evaluator, 4)).toEqual([]);
    const { arms, budget, front } = summarizeRun(ledger, false);
    expect(arms[0]?.asks).toBe(1 + 3 * 20);
    expect(budget.searchEnd).toBe('exhausted');
    expect(front.map(({ id }) => id)).toEqual([3]);
  });

  it('tells an agent why its architecture is illegal', async () => {
    const told: unknown[] = [];
    const bad: Agent = {
      name: 'bad',
      propose: () => ({ architecture: { width: -1 }, operator: 'guess', parents: [] }),
      observe: (trial) => told.push(trial),
    };
    await runSearch(optionsFor(createAnalytic(), { createAgents: () => [bad] }));
    expect(told).toHaveLength(3);
    expect(told[0]).toMatchObject({
      state: 'failed',
      stage: 'propose',
      reason: 'width: expected above 0, received -1',
      costSeconds: 0,
    });
    expect(summarizeRun(ledger, false)).toMatchObject({ status: 'finished', front: [] });
  });

  it('drops a champion whose retraining fails', async () => {
    const evaluator = changed(createAnalytic(), (id, { stage, round }) =>
      stage === 'retest' && id !== 1 && round === 1
        ? { status: 'failed', reason: 'diverged', metrics: {} }
        : undefined,
    );
    await runSearch(optionsFor(evaluator));
    const { acceptance, front } = summarizeRun(ledger, false);
    expect(acceptance?.failed.length).toBeGreaterThan(0);
    expect(front).toEqual([]);
    expect(evaluator.calls.some((call) => call.endsWith('retest 2'))).toBe(true);
    expect(acceptance?.scores.map(({ id }) => id)).toEqual([1]);
  });

  it('stops when the evaluator itself breaks, and resumes with that stage', async () => {
    let isBroken = true;
    const evaluator = changed(createAnalytic(), (id, { stage }) => {
      if (isBroken && id === 5 && stage === 'train') throw new Error('no space left on device');
      return undefined;
    });
    await expect(runSearch(optionsFor(evaluator))).rejects.toThrow('no space left on device');
    isBroken = false;
    await runSearch(optionsFor(evaluator));
    expect(stagesOf(evaluator, 5).filter((stage) => stage === 'train')).toHaveLength(2);
    expect(summarizeRun(ledger, false).budget.repeatedStages).toBe(1);
  });

  it('does not go on with a space that decodes otherwise than before', async () => {
    const stop = new AbortController();
    const halt = (event: SearchEvent) => {
      if (event.kind === 'trial-started' && event.id === 4) stop.abort();
    };
    const base = createAnalytic();
    await runSearch(optionsFor(base, { signal: stop.signal, onEvent: halt }));
    const decode = (architecture: Json): ReturnType<Evaluator['decode']> => ({
      ...base.decode(architecture),
      hash: 'other',
    });
    await expect(runSearch(optionsFor({ ...base, decode }))).rejects.toThrow(
      /trial 4: expected a design with hash/,
    );
  });

  it('refuses agents that cannot be told apart', async () => {
    const twice = (problem: Parameters<typeof createAgents>[0]) => [
      ...createAgents(problem),
      ...createAgents(problem),
    ];
    const run = runSearch(optionsFor(createAnalytic(), { createAgents: twice }));
    await expect(run).rejects.toThrow(/distinct names/);
  });
});
