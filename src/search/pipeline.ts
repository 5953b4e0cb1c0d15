/**
 * One trial through the stages up to its end. The loop, not the evaluator, judges: limits after each
 * stage, promotion before the long training.
 */
import { ArchwrightError, InternalError } from '../errors.js';
import type {
  Candidate,
  Design,
  Evaluator,
  FinishedStage,
  StageName,
  StageOutcome,
} from '../evaluate/evaluate.js';
import type { ProposalRecord } from '../ledger/ledger.js';
import { type Constraint, violationsOf } from '../trial/objective.js';
import type { Metrics, Trial, TrialBase, Violation } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import { type Journal, metricsOf } from './journal.js';
import { earlyViolations } from './limits.js';
import { decidePromotion, pruneReason } from './promotion.js';
import type { SearchSettings } from './settings.js';

/** Agent name of human designs. */
export const BASELINE_AGENT = 'baseline';

/** Pseudo-stage of trials that ended before any stage. */
export const PROPOSE_STAGE = 'propose';

const SCREENING: readonly StageName[] = ['limits', 'screen', 'train', 'measure'];

export interface PipelineOptions {
  readonly evaluator: Evaluator;
  readonly journal: Journal;
  readonly settings: SearchSettings;
  readonly rng: Rng;
}

export class Pipeline {
  readonly #evaluator: Evaluator;
  readonly #journal: Journal;
  readonly #settings: SearchSettings;
  readonly #trainSeed: number;
  readonly #retestRng: Rng;
  /** The last one asked for: consecutive stages are mostly of one trial. */
  #candidate: Candidate | undefined;

  constructor({ evaluator, journal, settings, rng }: PipelineOptions) {
    this.#evaluator = evaluator;
    this.#journal = journal;
    this.#settings = settings;
    this.#trainSeed = rng.fork('train').uint32();
    this.#retestRng = rng.fork('retest');
  }

  /** Runs one stage, or finds it in the ledger. */
  async run(
    proposal: ProposalRecord,
    stage: StageName,
    constraints: readonly Constraint[],
    round = 0,
  ): Promise<StageOutcome> {
    const { outcome } = await this.#journal.stage(proposal.id, stage, round, () => {
      const seed = stage === 'retest' ? this.#retestRng.fork(round).uint32() : this.#trainSeed;
      const history = this.#journal.history(proposal.id);
      const parents = proposal.parents.map((id) => ({ id, history: this.#journal.history(id) }));
      const call = { stage, round, seed, constraints, history, parents };
      return this.#evaluator.run(this.#candidateOf(proposal), call);
    });
    return outcome;
  }

  /**
   * A proposal of an arm to its end.
   * @param shortMetrics of the arm's earlier trials that were up for promotion.
   */
  async evaluate(
    proposal: ProposalRecord,
    constraints: readonly Constraint[],
    shortMetrics: readonly Metrics[],
  ): Promise<Trial> {
    for (const stage of SCREENING) {
      const outcome = await this.run(proposal, stage, constraints);
      const stop = this.#stopped(proposal, stage, outcome, (metrics) =>
        earlyViolations(metrics, constraints),
      );
      if (stop !== undefined) return stop;
    }
    const { objectives, promotion } = this.#settings;
    const short = metricsOf(this.#journal.history(proposal.id).filter(isScreening));
    const decision = decidePromotion(short, shortMetrics, objectives, promotion.eta);
    if (!decision.promoted) {
      const reason = pruneReason(decision, objectives[0]?.metric ?? '', promotion.eta);
      const base = this.#base(proposal);
      return this.#journal.end({ ...base, state: 'pruned', stage: 'extend', reason });
    }
    const outcome = await this.run(proposal, 'extend', constraints);
    const stop = this.#stopped(proposal, 'extend', outcome, (metrics) =>
      violationsOf(metrics, constraints),
    );
    return stop ?? this.#journal.end({ ...this.#base(proposal), state: 'complete' });
  }

  /** All stages of a human design, whatever limits it breaks, so that it can be reported. */
  async evaluateBaseline(proposal: ProposalRecord): Promise<void> {
    for (const stage of ['limits', 'train', 'measure', 'extend'] as const) {
      const outcome = await this.run(proposal, stage, []);
      if (outcome.status !== 'passed') return;
    }
  }

  /** Ends a baseline once the limits, which may refer to baselines, are known. */
  endBaseline(proposal: ProposalRecord, constraints: readonly Constraint[]): Trial {
    const last = this.#journal.history(proposal.id).at(-1);
    if (last === undefined) throw new InternalError(`baseline ${proposal.id} has run no stage`);
    const stop = this.#stopped(proposal, last.stage, last.outcome, (metrics) =>
      violationsOf(metrics, constraints),
    );
    return stop ?? this.#journal.end({ ...this.#base(proposal), state: 'complete' });
  }

  /** A proposal that cannot be evaluated at all. */
  reject(proposal: ProposalRecord, reason: string): Trial {
    const base = this.#base(proposal);
    return this.#journal.end({ ...base, state: 'failed', stage: PROPOSE_STAGE, reason });
  }

  /** Metrics known of a trial so far. */
  metricsOf({ id }: ProposalRecord): Metrics {
    return metricsOf(this.#journal.history(id));
  }

  /** Metrics before the long training; `undefined` for a trial that did not come so far. */
  shortMetricsOf(trial: Trial): Metrics | undefined {
    const reached = trial.state === 'complete' || trial.stage === 'extend';
    return reached ? metricsOf(this.#journal.history(trial.id).filter(isScreening)) : undefined;
  }

  /** The trial's end if `outcome` ends it. */
  #stopped(
    proposal: ProposalRecord,
    stage: StageName,
    outcome: StageOutcome,
    judge: (metrics: Metrics) => readonly Violation[],
  ): Trial | undefined {
    const base = this.#base(proposal);
    if (outcome.status === 'failed') {
      return this.#journal.end({ ...base, state: 'failed', stage, reason: outcome.reason });
    }
    const violations = outcome.status === 'infeasible' ? outcome.violations : judge(base.metrics);
    if (outcome.status === 'passed' && violations.length === 0) return undefined;
    return this.#journal.end({ ...base, state: 'infeasible', stage, violations });
  }

  #base(proposal: ProposalRecord): TrialBase & { readonly metrics: Metrics } {
    const { ask: _ask, ...rest } = proposal;
    const history = this.#journal
      .history(proposal.id)
      .filter(({ stage }) => stage === 'extend' || SCREENING.includes(stage));
    const costSeconds = history.reduce(
      (sum, { stage }) => sum + this.#journal.secondsOf(proposal.id, stage),
      0,
    );
    return { ...rest, costSeconds, metrics: metricsOf(history) };
  }

  #candidateOf(proposal: ProposalRecord): Candidate {
    const { id, agent, operator, parents, architecture } = proposal;
    if (this.#candidate?.id === id) return this.#candidate;
    const design: Design | undefined =
      agent === BASELINE_AGENT
        ? this.#evaluator.baselines.find(({ name }) => name === architecture)
        : this.#evaluator.decode(architecture);
    if (design === undefined || design.hash !== proposal.hash) {
      throw new ArchwrightError(
        `trial ${id}: expected a design with hash ${proposal.hash}, ` +
          `received ${design?.hash ?? 'none'}; the space changed since the run began`,
      );
    }
    const { graph, hash, description } = design;
    this.#candidate = { id, agent, operator, parents, architecture, graph, hash, description };
    return this.#candidate;
  }
}

function isScreening({ stage }: FinishedStage): boolean {
  return SCREENING.includes(stage);
}
