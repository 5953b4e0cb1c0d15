/**
 * The end of a run: who is really better, what they are worth on data that nobody saw, and the files.
 */
import { InternalError } from '../errors.js';
import type { ProposalRecord } from '../ledger/ledger.js';
import type { Constraint, Objective } from '../trial/objective.js';
import { frontOf } from '../trial/rank.js';
import type { CompleteTrial, Trial } from '../trial/trial.js';
import {
  acceptChampions,
  compareRetested,
  type Decision,
  noiseOf,
  type Retested,
} from './acceptance.js';
import { secondsLeft } from './budget.js';
import { MIN_ROUNDS, pickChampions, planRetest, type RetestPlan } from './champions.js';
import { EVENT, type HiddenOpened, type Journal } from './journal.js';
import { BASELINE_AGENT, type Pipeline } from './pipeline.js';
import type { SearchSettings } from './settings.js';

export interface FinishOptions {
  readonly journal: Journal;
  readonly pipeline: Pipeline;
  readonly settings: SearchSettings;
  readonly constraints: readonly Constraint[];
  /** By id − 1. */
  readonly proposals: readonly ProposalRecord[];
  /** All of the run, ended. */
  readonly trials: readonly Trial[];
}

/** What the record says of the retest. */
export interface Acceptance {
  /** The final front. */
  readonly front: readonly number[];
  /** Rounds that all contenders went through; 0 where there was nothing or no time to retest. */
  readonly rounds: number;
  readonly scores: readonly { readonly id: number; readonly scores: readonly number[] }[];
  readonly decisions: readonly Decision[];
  /** Each member of the front against the best baseline within the limits. */
  readonly againstBaseline: readonly Decision[];
  /** Contenders whose retraining failed; they left the front. */
  readonly failed: readonly number[];
  /** Champions that there was no time to retest; they are not on the final front. */
  readonly unconfirmed: readonly number[];
}

/** Share of the time left that retests may plan with; the rest is for the hidden split and export. */
const RETEST_SHARE = 0.9;

/** Runs the final phase, or what is left of it. */
export async function finishRun(options: FinishOptions): Promise<void> {
  const { journal, pipeline, constraints, proposals } = options;
  const proposalOf = (id: number): ProposalRecord => proposals[id - 1] as ProposalRecord;

  const champions = championsOf(options);
  const acceptance = await retest(options, champions);
  const hidden = journal.decide(
    EVENT.hiddenOpened,
    '',
    (): HiddenOpened => ({
      trials: hiddenCandidates(options, acceptance.front),
    }),
  );
  const isOver = journal.hasDecided(EVENT.finished);
  if (!isOver) journal.tell({ kind: 'phase-started', phase: 'hidden' });
  for (const id of hidden.trials) {
    await pipeline.run(proposalOf(id), 'hidden', constraints);
  }
  if (!isOver) journal.tell({ kind: 'phase-started', phase: 'export' });
  for (const id of acceptance.front) {
    await pipeline.run(proposalOf(id), 'export', constraints);
  }
  const { front } = acceptance;
  journal.decide(EVENT.finished, '', () => ({ front }));
  journal.tell({ kind: 'finished', front });
}

function armTrials(trials: readonly Trial[]): readonly Trial[] {
  return trials.filter(({ agent }) => agent !== BASELINE_AGENT);
}

function championsOf({ trials, settings }: FinishOptions): readonly CompleteTrial[] {
  const { objectives, acceptance } = settings;
  return pickChampions(armTrials(trials), objectives, acceptance.champions);
}

/** The best complete trial of each arm in the first objective, in the order of the arms' first. */
function bestOfArms(trials: readonly Trial[], objectives: readonly Objective[]): CompleteTrial[] {
  const arms = [...new Set(armTrials(trials).map(({ agent }) => agent))];
  return arms.flatMap((name) =>
    frontOf(
      trials.filter(({ agent }) => agent === name),
      objectives,
    ).slice(0, 1),
  );
}

/** The best baseline within the limits. */
function bestBaseline({ trials, settings }: FinishOptions): CompleteTrial | undefined {
  const baselines = trials.filter(({ agent }) => agent === BASELINE_AGENT);
  return frontOf(baselines, settings.objectives)[0];
}

/**
 * Retrains, by importance: the best champion, the best baseline, the other champions, the best of
 * each arm. Rounds go through all contenders before the next begins, so a run that is short of time
 * ends with fewer rounds, still paired.
 */
async function retest(
  options: FinishOptions,
  champions: readonly CompleteTrial[],
): Promise<Acceptance> {
  const { journal, pipeline, settings, constraints, proposals } = options;
  const { objectives, budget } = settings;
  const baseline = bestBaseline(options);
  const order = [champions[0], baseline, ...champions, ...bestOfArms(options.trials, objectives)];
  const contenders = [...new Set(order.flatMap((trial) => (trial ? [trial.id] : [])))];
  const left = (): number => secondsLeft(budget, journal.elapsedSeconds()) * RETEST_SHARE;
  const plan = journal.decide(EVENT.retestPlan, '', (): RetestPlan => {
    if (champions.length === 0) return { contenders: [], rounds: 0 };
    const roundSeconds = (id: number): number =>
      journal.secondsOf(id, 'train') + journal.secondsOf(id, 'extend');
    return planRetest(
      contenders.map((id) => ({ id, roundSeconds: roundSeconds(id) })),
      settings.acceptance.rounds,
      left(),
    );
  });
  if (plan.rounds > 0 && !journal.hasDecided(EVENT.acceptance)) {
    journal.tell({ kind: 'phase-started', phase: 'retest' });
  }
  const scores = new Map(plan.contenders.map((id) => [id, [] as number[]]));
  const failed = new Set<number>();
  const metric = objectives[0]?.metric ?? '';
  let rounds = 0;
  let lastRoundSeconds = 0;
  for (let round = 0; round < plan.rounds; round++) {
    const { goes } = journal.decide(EVENT.retestRound, String(round), () => ({
      goes: round < MIN_ROUNDS || lastRoundSeconds <= left(),
    }));
    if (!goes) break;
    lastRoundSeconds = 0;
    for (const id of plan.contenders) {
      if (failed.has(id)) continue;
      const proposal = proposals[id - 1] as ProposalRecord;
      const outcome = await pipeline.run(proposal, 'retest', constraints, round);
      lastRoundSeconds += journal.secondsOf(id, 'retest', round);
      if (outcome.status !== 'passed') failed.add(id);
      else scores.get(id)?.push(scoreOf(outcome.metrics[metric], metric, id));
    }
    rounds++;
  }
  return journal.decide(EVENT.acceptance, '', () =>
    accept(options, champions, baseline, { scores, failed, rounds }),
  );
}

function accept(
  { settings, trials }: FinishOptions,
  champions: readonly CompleteTrial[],
  baseline: CompleteTrial | undefined,
  {
    scores,
    failed,
    rounds,
  }: {
    readonly scores: ReadonlyMap<number, readonly number[]>;
    readonly failed: ReadonlySet<number>;
    readonly rounds: number;
  },
): Acceptance {
  const { objectives } = settings;
  const { k } = settings.acceptance;
  const retested = new Map<number, Retested>();
  for (const [id, list] of scores) {
    const { metrics } = trials[id - 1] as Trial;
    if (!failed.has(id)) retested.set(id, { id, scores: list, metrics });
  }
  const table = [...retested.values()];
  const noise = noiseOf(table);
  const isChampion = new Set(champions.map(({ id }) => id));
  const { accepted, decisions } = acceptChampions(
    table.filter(({ id }) => isChampion.has(id)),
    objectives,
    noise,
    k,
  );
  const front = rounds === 0 ? champions.map(({ id }) => id) : accepted;
  const incumbent = baseline && retested.get(baseline.id);
  const againstBaseline = front.flatMap((id) => {
    const challenger = retested.get(id);
    if (challenger === undefined || incumbent === undefined) return [];
    return [compareRetested(challenger, incumbent, objectives[0] as Objective, noise, k)];
  });
  return {
    front,
    rounds,
    scores: table.map(({ id, scores: list }) => ({ id, scores: list })),
    decisions,
    againstBaseline,
    failed: [...failed],
    unconfirmed: rounds === 0 ? [] : champions.flatMap(({ id }) => (scores.has(id) ? [] : [id])),
  };
}

/**
 * What is scored on the hidden split, all at once and only now: the final front, the baselines that
 * were trained, and the best of each arm, which stands for what the arm found at its cost. No choice
 * follows from the scores.
 */
function hiddenCandidates(
  { trials, settings, journal }: FinishOptions,
  front: readonly number[],
): readonly number[] {
  const baselines = trials.filter(
    ({ id, agent }) =>
      agent === BASELINE_AGENT &&
      journal
        .history(id)
        .some(({ stage, outcome }) => stage === 'extend' && outcome.status === 'passed'),
  );
  const arms = bestOfArms(trials, settings.objectives);
  return [...new Set([...front, ...[...baselines, ...arms].map(({ id }) => id)])];
}

function scoreOf(score: number | undefined, metric: string, id: number): number {
  if (score !== undefined) return score;
  throw new InternalError(`trial ${id}: expected the stage retest to give ${metric}`);
}
