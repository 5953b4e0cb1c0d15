/**
 * A run as one JSON document, `archwright.run/1`, from its ledger alone: during the run, after a
 * crash, or years later.
 */
import {
  artifactOf,
  type FinishedStage,
  HIDDEN_CORRECT,
  HIDDEN_SAMPLES,
  HIDDEN_SCORE,
  inheritedOf,
  type StageName,
  type StageOutcome,
} from '../evaluate/evaluate.js';
import type { Ledger } from '../ledger/ledger.js';
import { hypervolume } from '../trial/hypervolume.js';
import type { Constraint, Objective } from '../trial/objective.js';
import type { Costs } from '../trial/pareto.js';
import { costsOf, frontOf } from '../trial/rank.js';
import type { Json, Metrics, Trial, TrialState } from '../trial/trial.js';
import { type Decision, mean } from './acceptance.js';
import type { Acceptance } from './finish.js';
import { wilsonInterval } from './interval.js';
import { EVENT } from './journal.js';
import { BASELINE_AGENT } from './pipeline.js';
import type { SearchSettings } from './settings.js';

export type RunStatus = 'running' | 'interrupted' | 'finished';

/** Score on the hidden split with its 95 % Wilson interval; `null` where a table gave the score. */
export interface Holdout {
  readonly accuracy: number;
  readonly interval: readonly [low: number, high: number] | null;
  readonly samples: number | null;
}

/** Scores of retraining from scratch, one per seed. */
export interface RetestSummary {
  readonly scores: readonly number[];
  readonly mean: number;
}

/** A trial as reports need it. `null` is what the run has not come to. */
export interface TrialSummary {
  readonly id: number;
  readonly hash: string;
  readonly description: string;
  readonly state: TrialState;
  readonly agent: string;
  readonly operator: string;
  readonly parents: readonly number[];
  readonly architecture: Json;
  readonly objectives: Metrics;
  /** The limited metrics as measured. */
  readonly constraints: Metrics;
  readonly metrics: Metrics;
  readonly costSeconds: number;
  /** What its short training started with; `null` where that was drawn. */
  readonly inherited: Json;
  readonly retest: RetestSummary | null;
  readonly holdout: Holdout | null;
  /** Path of the exported file relative to the run folder. */
  readonly onnx: string | null;
}

export interface FrontSummary extends TrialSummary {
  /** How it stands against the best baseline within the limits. */
  readonly againstBaseline: Decision | null;
}

export interface ArmSummary {
  readonly agent: string;
  readonly trials: Readonly<Record<TrialState, number>>;
  /** Asks, those included that brought nothing new. */
  readonly asks: number;
  /** Answers passed over because they were forecast to break a limit. */
  readonly skipped: number;
  readonly seconds: number;
  /** Of its complete trials by the search's own scores; comparable within the run. */
  readonly hypervolume: number;
  readonly front: readonly number[];
  /** Its best complete trial in the first objective. */
  readonly best: TrialSummary | null;
}

export interface RunSummary {
  readonly schema: 'archwright.run/1';
  readonly name: string;
  readonly status: RunStatus;
  readonly seed: number;
  readonly version: string;
  readonly createdAt: string;
  readonly objectives: readonly Objective[];
  /** Limits in numbers; empty until the baselines they refer to are measured. */
  readonly constraints: readonly Constraint[];
  /** Of the arms. */
  readonly trials: Readonly<Record<TrialState, number>>;
  /** The final front, or while the run lasts that of all arms so far. */
  readonly front: readonly FrontSummary[];
  readonly baselines: readonly (TrialSummary & { readonly name: string })[];
  readonly arms: readonly ArmSummary[];
  /** Where hypervolumes are measured from, in the metrics' own units, by objective. */
  readonly reference: Metrics;
  readonly acceptance: (Acceptance & { readonly k: number }) | null;
  readonly budget: {
    readonly seconds: number | null;
    readonly trials: number | null;
    readonly reserve: number | null;
    readonly elapsedSeconds: number;
    /** Inside stages. */
    readonly evaluationSeconds: number;
    readonly overheadSeconds: number;
    /** 0 … 1 */
    readonly overheadShare: number;
    readonly searchEnd: string | null;
    /** Stages that were cut short by the end of a process and run again. */
    readonly repeatedStages: number;
  };
}

/** @param running whether a process works on the run now. */
export function summarizeRun(ledger: Ledger, running: boolean): RunSummary {
  return new Summary(ledger).document(running);
}

class Summary {
  readonly #ledger: Ledger;
  readonly #trials: readonly Trial[];
  readonly #histories = new Map<number, FinishedStage[]>();
  readonly #settings: SearchSettings | undefined;
  readonly #constraints: readonly Constraint[];
  readonly #acceptance: Acceptance | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#trials = [...ledger.trials()].sort((a, b) => a.id - b.id);
    for (const { trial, stage, round, outcome } of ledger.stages()) {
      const before = this.#histories.get(trial) ?? [];
      before.push({
        stage: stage as StageName,
        round,
        outcome: outcome as unknown as StageOutcome,
      });
      this.#histories.set(trial, before);
    }
    this.#settings = this.#event<SearchSettings>(EVENT.settings);
    this.#constraints =
      this.#event<{ readonly constraints: readonly Constraint[] }>(EVENT.constraints)
        ?.constraints ?? [];
    this.#acceptance = this.#event<Acceptance>(EVENT.acceptance);
  }

  document(running: boolean): RunSummary {
    const { name, seed, version, createdAt } = this.#ledger.run;
    const arms = this.#trials.filter(({ agent }) => agent !== BASELINE_AGENT);
    const isFinished = this.#event(EVENT.finished) !== undefined;
    return {
      schema: 'archwright.run/1',
      name,
      status: isFinished ? 'finished' : running ? 'running' : 'interrupted',
      seed,
      version,
      createdAt,
      objectives: this.#objectives,
      constraints: this.#constraints,
      trials: countStates(arms),
      front: this.#front(arms),
      baselines: this.#trials
        .filter(({ agent }) => agent === BASELINE_AGENT)
        .map((trial) => ({ name: String(trial.architecture), ...this.#trial(trial) })),
      arms: this.#arms(arms),
      reference: this.#referenceMetrics(),
      acceptance:
        this.#acceptance === undefined
          ? null
          : { ...this.#acceptance, k: this.#settings?.acceptance.k ?? 0 },
      budget: this.#budget(),
    };
  }

  get #objectives(): readonly Objective[] {
    return this.#settings?.objectives ?? [];
  }

  #event<T>(kind: string): T | undefined {
    return this.#ledger.events().find((one) => one.kind === kind)?.payload as T | undefined;
  }

  #front(arms: readonly Trial[]): readonly FrontSummary[] {
    const ids = this.#acceptance?.front ?? frontOf(arms, this.#objectives).map(({ id }) => id);
    return arms
      .filter(({ id }) => ids.includes(id))
      .sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
      .map((trial) => ({
        ...this.#trial(trial),
        againstBaseline:
          this.#acceptance?.againstBaseline.find(({ challenger }) => challenger === trial.id) ??
          null,
      }));
  }

  #trial(trial: Trial): TrialSummary {
    const { id, hash, description, state, agent, operator, parents, architecture } = trial;
    const { metrics, costSeconds } = trial;
    const history = this.#histories.get(id) ?? [];
    const scores = this.#acceptance?.scores.find((one) => one.id === id)?.scores;
    return {
      id,
      hash,
      description,
      state,
      agent,
      operator,
      parents,
      architecture,
      objectives: pick(metrics, this.#objectives),
      constraints: pick(metrics, this.#constraints),
      metrics,
      costSeconds,
      inherited: inheritedOf(history),
      retest: scores === undefined ? null : { scores, mean: mean(scores) },
      holdout: holdoutOf(history),
      onnx: artifactOf(history, 'export', 'onnx') ?? null,
    };
  }

  #arms(trials: readonly Trial[]): readonly ArmSummary[] {
    const reference = this.#reference();
    const proposals = this.#ledger.proposals().filter(({ agent }) => agent !== BASELINE_AGENT);
    return [...new Set(proposals.map(({ agent }) => agent))].map((agent) => {
      const own = trials.filter((trial) => trial.agent === agent);
      const front = frontOf(own, this.#objectives);
      const points = front.map(({ metrics }) => costsOf(metrics, this.#objectives));
      return {
        agent,
        trials: countStates(own),
        asks: Math.max(...proposals.filter((one) => one.agent === agent).map(({ ask }) => ask)),
        skipped: this.#skipped(own),
        seconds: own.reduce((sum, { costSeconds }) => sum + costSeconds, 0),
        hypervolume: points.length === 0 ? 0 : hypervolume(points, reference),
        front: front.map(({ id }) => id),
        best: front[0] === undefined ? null : this.#trial(front[0]),
      };
    });
  }

  #skipped(trials: readonly Trial[]): number {
    const ids = new Set(trials.map(({ id }) => String(id)));
    return this.#ledger
      .events()
      .filter(({ kind, key }) => kind === EVENT.skipped && ids.has(key))
      .reduce(
        (sum, { payload }) =>
          sum + (payload as unknown as { readonly skipped: readonly Json[] }).skipped.length,
        0,
      );
  }

  /**
   * The limit where the objective has one, else the worst that any complete trial has, baselines
   * included. As costs, to be minimised.
   */
  #reference(): Costs {
    const complete = this.#trials.filter(({ state }) => state === 'complete');
    const costs = complete.map(({ metrics }) => costsOf(metrics, this.#objectives));
    return this.#objectives.map(({ metric, direction }, d) => {
      const limit = this.#constraints.find((one) => one.metric === metric);
      if (direction === 'minimize' && limit?.max !== undefined) return limit.max;
      if (direction === 'maximize' && limit?.min !== undefined) return -limit.min;
      return costs.length === 0 ? 0 : Math.max(...costs.map((cost) => cost[d] as number));
    });
  }

  #referenceMetrics(): Metrics {
    const reference = this.#reference();
    return Object.fromEntries(
      this.#objectives.map(({ metric, direction }, d) => {
        const cost = reference[d] as number;
        return [metric, direction === 'maximize' ? 0 - cost : cost];
      }),
    );
  }

  #budget(): RunSummary['budget'] {
    const stages = this.#ledger.stages();
    const facts = [...stages, ...this.#ledger.events()];
    const elapsedSeconds = Math.max(0, ...facts.map((fact) => fact.elapsedSeconds));
    const evaluationSeconds = stages.reduce((sum, { seconds }) => sum + seconds, 0);
    const overheadSeconds = Math.max(0, elapsedSeconds - evaluationSeconds);
    const budget = this.#settings?.budget;
    return {
      seconds: budget?.seconds ?? null,
      trials: budget?.trials ?? null,
      reserve: budget?.reserve ?? null,
      elapsedSeconds,
      evaluationSeconds,
      overheadSeconds,
      overheadShare: elapsedSeconds === 0 ? 0 : overheadSeconds / elapsedSeconds,
      searchEnd: this.#event<{ readonly reason: string }>(EVENT.searchEnd)?.reason ?? null,
      repeatedStages: this.#ledger.starts().reduce((sum, { count }) => sum + count - 1, 0),
    };
  }
}

function holdoutOf(history: readonly FinishedStage[]): Holdout | null {
  const outcome = history.find(({ stage }) => stage === 'hidden')?.outcome;
  if (outcome?.status !== 'passed') return null;
  const published = outcome.metrics[HIDDEN_SCORE];
  if (published !== undefined) return { accuracy: published, interval: null, samples: null };
  const correct = outcome.metrics[HIDDEN_CORRECT];
  const samples = outcome.metrics[HIDDEN_SAMPLES];
  if (correct === undefined || samples === undefined) return null;
  return { accuracy: correct / samples, interval: wilsonInterval(correct, samples), samples };
}

function pick(metrics: Metrics, wanted: readonly { readonly metric: string }[]): Metrics {
  const known = wanted.flatMap(({ metric }) => {
    const value = metrics[metric];
    return value === undefined ? [] : [[metric, value] as const];
  });
  return Object.fromEntries(known);
}

function countStates(trials: readonly Trial[]): Readonly<Record<TrialState, number>> {
  const counts = { complete: 0, pruned: 0, infeasible: 0, failed: 0 };
  for (const { state } of trials) counts[state]++;
  return counts;
}
