/**
 * The search: one device, one trial at a time.
 *
 * 1. Human designs go through the stages; limits that refer to them get their numbers.
 * 2. Until the budget (less a reserve) is used, the arm with the least spent time proposes, and the
 *    proposal goes through the stages until one of them ends it.
 * 3. Champions and the best baseline are retrained with paired seeds; who wins by more than the
 *    noise forms the final front. The hidden split is opened once. The front is exported.
 *
 * Every step is recorded before the next begins; calling `runSearch` again on the same ledger
 * continues where the record ends.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type AnyAgent,
  Exhausted,
  type Operators,
  type Problem,
  type RunView,
} from '../agent/agent.js';
import { ArchwrightError, InternalError, UsageError } from '../errors.js';
import type { Evaluator, MeasuredDesign } from '../evaluate/evaluate.js';
import type { Ledger, ProposalRecord } from '../ledger/ledger.js';
import type { Constraint } from '../trial/objective.js';
import { frontOf } from '../trial/rank.js';
import type { Metrics, Trial } from '../trial/trial.js';
import { Rng } from '../util/random.js';
import { type ArmState, nextArm, RETIRED_AFTER } from './arms.js';
import { ASKS_PER_TRIAL, askForNew, tryDecode } from './ask.js';
import { searchEnd, secondsLeft } from './budget.js';
import type { SearchEvent } from './events.js';
import { finishRun } from './finish.js';
import { EVENT, type ExhaustedAgent, Interruption, Journal } from './journal.js';
import { resolveLimits } from './limits.js';
import { BASELINE_AGENT, Pipeline, PROPOSE_STAGE } from './pipeline.js';
import { checkSettings, type SearchSettings } from './settings.js';
import { liveView } from './view.js';

export interface SearchOptions {
  /** Open and locked; the caller closes it. Its seed is the run's. */
  readonly ledger: Ledger;
  readonly evaluator: Evaluator;
  readonly operators: Operators;
  readonly settings: SearchSettings;
  /** Makes the arms, once the limits are known in numbers. Their names are unique. */
  readonly createAgents: (problem: Problem, run: RunView) => readonly AnyAgent[];
  readonly onEvent?: (event: SearchEvent) => void;
  /** Aborting it ends the run after the current stage; it can be resumed. */
  readonly signal?: AbortSignal;
  /** Monotonic seconds; for tests. */
  readonly clock?: () => number;
}

export interface SearchResult {
  readonly status: 'finished' | 'interrupted';
}

/**
 * Begins or continues the run of `ledger`. Afterwards everything there is to know is in the ledger.
 * @throws UsageError for settings that make no sense or are not those of the run so far.
 */
export async function runSearch(options: SearchOptions): Promise<SearchResult> {
  checkSettings(options.settings);
  try {
    await new Search(options).run();
    return { status: 'finished' };
  } catch (error) {
    if (error instanceof Interruption) return { status: 'interrupted' };
    throw error;
  }
}

/** What the loop remembers of an arm. */
interface Arm {
  readonly agent: AnyAgent;
  state: ArmState;
  asks: number;
  readonly shortMetrics: Metrics[];
}

class Search {
  readonly #options: SearchOptions;
  readonly #journal: Journal;
  readonly #rng: Rng;
  readonly #pipeline: Pipeline;
  readonly #proposals: ProposalRecord[] = [];
  readonly #trials: Trial[] = [];
  readonly #measured: MeasuredDesign[] = [];
  /** Trials that `#measured` was made from. */
  #decodedTrials = 0;
  /** The first trial with each hash. */
  readonly #known = new Map<string, number>();

  constructor(options: SearchOptions) {
    const { ledger, evaluator, settings, signal, onEvent } = options;
    this.#options = options;
    this.#journal = new Journal({
      ledger,
      clock: options.clock ?? (() => performance.now() / 1000),
      signal,
      emit: onEvent ?? (() => {}),
    });
    this.#rng = new Rng(ledger.run.seed);
    this.#pipeline = new Pipeline({ evaluator, journal: this.#journal, settings, rng: this.#rng });
  }

  async run(): Promise<void> {
    const journal = this.#journal;
    if (journal.hasDecided(EVENT.settings)) {
      const { endedTrials } = journal;
      journal.tell({ kind: 'resumed', endedTrials, elapsedSeconds: journal.elapsedSeconds() });
    }
    this.#checkSettings();
    const constraints = await this.#runBaselines();
    await this.#runArms(constraints);
    await finishRun({
      journal,
      pipeline: this.#pipeline,
      settings: this.#options.settings,
      constraints,
      proposals: this.#proposals,
      trials: this.#trials,
    });
  }

  #checkSettings(): void {
    const { settings } = this.#options;
    const recorded = this.#journal.decide(EVENT.settings, '', () => settings);
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(settings)), recorded)) {
      throw new UsageError(
        'the run was begun with other objectives, limits, budget or rules; ' +
          'resume it with its own config.json',
      );
    }
  }

  async #runBaselines(): Promise<readonly Constraint[]> {
    const journal = this.#journal;
    const { evaluator, settings } = this.#options;
    const { baselines } = evaluator;
    if (!journal.hasDecided(EVENT.constraints)) {
      journal.tell({ kind: 'phase-started', phase: 'baselines' });
    }
    for (const [index, { name, hash, description }] of baselines.entries()) {
      const proposal = await this.#propose(index + 1, () => ({
        id: index + 1,
        agent: BASELINE_AGENT,
        operator: 'human',
        parents: [],
        architecture: name,
        hash,
        description,
        ask: index + 1,
      }));
      await this.#pipeline.evaluateBaseline(proposal);
    }
    const { constraints } = journal.decide(EVENT.constraints, '', () => {
      const names = baselines.map(({ name }) => name);
      const measured = new Map(
        this.#proposals.map((one, i) => [names[i] as string, this.#pipeline.metricsOf(one)]),
      );
      return { constraints: resolveLimits(settings.limits, names, measured) };
    });
    journal.tell({ kind: 'constraints-resolved', constraints });
    for (const proposal of this.#proposals) {
      const isNew = journal.endOf(proposal.id) === undefined;
      this.#conclude(this.#pipeline.endBaseline(proposal, constraints), isNew);
    }
    return constraints;
  }

  async #runArms(constraints: readonly Constraint[]): Promise<void> {
    const journal = this.#journal;
    const arms = this.#createArms(constraints);
    if (!journal.hasDecided(EVENT.searchEnd)) {
      journal.tell({ kind: 'phase-started', phase: 'search' });
    }
    for (;;) {
      const id = this.#proposals.length + 1;
      const arm = this.#nextArm(arms, id);
      if (arm === undefined) return;
      const end = journal.endOf(id);
      const proposal = await this.#ask(arm, id, constraints);
      if (proposal === undefined) {
        arm.state = { ...arm.state, barren: RETIRED_AFTER };
        continue;
      }
      const refusal = end === undefined ? this.#refusalOf(proposal) : undefined;
      const trial =
        end ??
        (refusal === undefined
          ? await this.#pipeline.evaluate(proposal, constraints, arm.shortMetrics)
          : this.#pipeline.reject(proposal, refusal));
      this.#learn(arm, proposal, trial);
      this.#conclude(trial, end === undefined);
    }
  }

  #createArms(constraints: readonly Constraint[]): readonly Arm[] {
    const { operators, settings, createAgents, signal } = this.#options;
    const { objectives } = settings;
    const view = liveView(this.#journal, this.#trials, signal);
    const agents = createAgents({ operators, objectives, constraints }, view);
    const names = new Set([BASELINE_AGENT, ...agents.map(({ name }) => name)]);
    if (agents.length === 0 || names.size !== agents.length + 1) {
      const received = agents.map(({ name }) => name).join(', ') || 'none';
      throw new UsageError(
        `agents: expected at least one, with distinct names other than ${BASELINE_AGENT}; ` +
          `received ${received}`,
      );
    }
    return agents.map((agent) => ({
      agent,
      state: { name: agent.name, spentSeconds: 0, barren: 0 },
      asks: 0,
      shortMetrics: [],
    }));
  }

  /** The arm of trial `id`, or `undefined` where the search phase ends before it. */
  #nextArm(arms: readonly Arm[], id: number): Arm | undefined {
    const journal = this.#journal;
    const next = nextArm(arms.map(({ state }) => state));
    if (!journal.hasProposal(id)) {
      if (journal.hasDecided(EVENT.searchEnd)) return undefined;
      const spent = { seconds: journal.elapsedSeconds(), trials: this.#armTrials() };
      const { budget } = this.#options.settings;
      const reason = next === undefined ? 'exhausted' : searchEnd(budget, spent);
      if (reason !== undefined) {
        journal.decide(EVENT.searchEnd, '', () => ({ reason }));
        journal.tell({ kind: 'search-ended', reason });
        return undefined;
      }
    }
    return arms.find(({ state }) => state === next);
  }

  /** The arm's proposal for trial `id`, or `undefined` where it has none and never will. */
  async #ask(
    arm: Arm,
    id: number,
    constraints: readonly Constraint[],
  ): Promise<ProposalRecord | undefined> {
    const journal = this.#journal;
    const { name } = arm.agent;
    if (journal.recall<ExhaustedAgent>(EVENT.exhausted, name)?.trial === id) return undefined;
    try {
      return await this.#askAgent(arm, id, constraints);
    } catch (error) {
      if (this.#options.signal?.aborted === true) throw new Interruption('stopped by the caller');
      if (!(error instanceof Exhausted)) throw error;
      const { message: reason } = error;
      journal.decide(EVENT.exhausted, name, () => ({ trial: id, reason }));
      journal.tell({ kind: 'agent-exhausted', agent: name, reason });
      return undefined;
    }
  }

  async #askAgent(
    { agent, asks }: Arm,
    id: number,
    constraints: readonly Constraint[],
  ): Promise<ProposalRecord> {
    const { evaluator } = this.#options;
    const proposal = await this.#propose(id, async () => {
      const isKnown = (hash: string) => this.#known.has(hash);
      const forecast = evaluator.forecast?.(this.#measuredDesigns(), constraints);
      const answer = await askForNew(agent, asks, this.#rng, evaluator, isKnown, forecast);
      const { skipped } = answer;
      if (skipped.length > 0) this.#journal.decide(EVENT.skipped, String(id), () => ({ skipped }));
      const { architecture, operator, parents } = answer.proposal;
      return {
        id,
        agent: agent.name,
        operator,
        parents,
        architecture,
        hash: answer.design?.hash ?? '',
        description: answer.design?.description ?? 'illegal architecture',
        ask: answer.ask,
      };
    });
    if (proposal.agent !== agent.name) {
      throw new InternalError(
        `trial ${id}: expected a proposal of ${agent.name} in the ledger, found ${proposal.agent}`,
      );
    }
    return proposal;
  }

  /** Designs of the trials that have ended, each decoded once. */
  #measuredDesigns(): readonly MeasuredDesign[] {
    const { evaluator } = this.#options;
    for (const trial of this.#trials.slice(this.#decodedTrials)) {
      const { agent, architecture, hash } = trial;
      const design =
        agent === BASELINE_AGENT
          ? evaluator.baselines.find((one) => one.hash === hash)
          : tryDecode(evaluator, { ...trial, architecture });
      if (trial.state === 'failed' || design === undefined) continue;
      if (design instanceof ArchwrightError) continue;
      this.#measured.push({ graph: design.graph, metrics: trial.metrics });
    }
    this.#decodedTrials = this.#trials.length;
    return this.#measured;
  }

  /** Why a proposal is not evaluated at all, or `undefined`. */
  #refusalOf(proposal: ProposalRecord): string | undefined {
    const first = this.#known.get(proposal.hash);
    if (first !== undefined && first !== proposal.id) {
      return `no new architecture in ${ASKS_PER_TRIAL} asks; the last is that of trial ${first}`;
    }
    const design = tryDecode(this.#options.evaluator, proposal);
    return design instanceof ArchwrightError ? design.message : undefined;
  }

  #learn(arm: Arm, { ask }: ProposalRecord, trial: Trial): void {
    const isRefused = trial.state === 'failed' && trial.stage === PROPOSE_STAGE;
    const short = this.#pipeline.shortMetricsOf(trial);
    if (short !== undefined) arm.shortMetrics.push(short);
    arm.asks = ask;
    const ownBefore = ownSecondsOf(arm.agent);
    arm.agent.observe(trial);
    const spent = trial.costSeconds + ownSecondsOf(arm.agent) - ownBefore;
    arm.state = {
      name: arm.state.name,
      spentSeconds: arm.state.spentSeconds + spent,
      barren: isRefused ? arm.state.barren + 1 : 0,
    };
  }

  async #propose(
    id: number,
    make: () => ProposalRecord | Promise<ProposalRecord>,
  ): Promise<ProposalRecord> {
    const journal = this.#journal;
    const isNew = !journal.hasProposal(id);
    const proposal = await journal.propose(id, make);
    const { agent, operator, hash, description } = proposal;
    this.#proposals.push(proposal);
    if (hash !== '' && !this.#known.has(hash)) this.#known.set(hash, id);
    if (isNew) journal.tell({ kind: 'trial-started', id, agent, operator, description });
    return proposal;
  }

  #conclude(trial: Trial, isNew: boolean): void {
    this.#trials.push(trial);
    if (!isNew) return;
    const { budget, objectives } = this.#options.settings;
    const front = frontOf(
      this.#trials.filter(({ agent }) => agent !== BASELINE_AGENT),
      objectives,
    );
    const elapsedSeconds = this.#journal.elapsedSeconds();
    const trials = this.#armTrials();
    this.#journal.tell({
      kind: 'trial-ended',
      trial,
      ...(front[0] !== undefined && { best: front[0] }),
      frontSize: front.length,
      trials,
      elapsedSeconds,
      ...(budget.seconds !== undefined && { secondsLeft: secondsLeft(budget, elapsedSeconds) }),
      ...(budget.trials !== undefined && { trialsLeft: Math.max(0, budget.trials - trials) }),
    });
  }

  #armTrials(): number {
    return this.#trials.filter(({ agent }) => agent !== BASELINE_AGENT).length;
  }
}

function ownSecondsOf(agent: AnyAgent): number {
  return 'ownSeconds' in agent ? (agent.ownSeconds?.() ?? 0) : 0;
}
