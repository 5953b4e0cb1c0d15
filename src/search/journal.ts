/**
 * The ledger as the loop uses it: every step is asked for here, and is answered from the record when
 * it happened before, else done now and recorded. So a resumed run is the same code walking through
 * the same steps, the first of them already answered, and no finished stage is repeated.
 */
import { InternalError } from '../errors.js';
import type { FinishedStage, StageName, StageOutcome } from '../evaluate/evaluate.js';
import type { Ledger, ProposalRecord, StageRecord } from '../ledger/ledger.js';
import type { Json, Metrics, Trial } from '../trial/trial.js';
import type { SearchEvent } from './events.js';

/**
 * Kinds of recorded events; each occurs once in a run, but `retest-round` once for each round,
 * `skipped` at most once for each trial, `exhausted` for each agent, and `note` as often as agents
 * write something down.
 */
export const EVENT = {
  settings: 'settings',
  constraints: 'constraints',
  skipped: 'skipped',
  exhausted: 'exhausted',
  note: 'note',
  memory: 'memory',
  searchEnd: 'search-end',
  retestPlan: 'retest-plan',
  retestRound: 'retest-round',
  acceptance: 'acceptance',
  hiddenOpened: 'hidden-opened',
  finished: 'finished',
} as const;
export type EventKind = (typeof EVENT)[keyof typeof EVENT];

/** What the event `hidden-opened` records. */
export interface HiddenOpened {
  readonly trials: readonly number[];
}

/** What the event `exhausted` records: the agent of its key was asked for this trial and had nothing. */
export interface ExhaustedAgent {
  readonly trial: number;
  readonly reason: string;
}

/** What an event `note` records. */
export interface Note {
  readonly agent: string;
  readonly entry: Json;
}

/** Thrown at the first new step after the caller asked to stop. */
export class Interruption extends Error {
  override name = 'Interruption';
}

export interface JournalOptions {
  readonly ledger: Ledger;
  /** Monotonic seconds from any origin. */
  readonly clock: () => number;
  readonly signal: AbortSignal | undefined;
  readonly emit: (event: SearchEvent) => void;
}

export class Journal {
  readonly #ledger: Ledger;
  readonly #clock: () => number;
  readonly #signal: AbortSignal | undefined;
  readonly #emit: (event: SearchEvent) => void;
  readonly #proposals = new Map<number, ProposalRecord>();
  readonly #stages = new Map<string, StageRecord>();
  readonly #histories = new Map<number, FinishedStage[]>();
  readonly #ends = new Map<number, Trial>();
  readonly #decisions = new Map<string, Json>();
  readonly #notes: Note[] = [];
  readonly #startedAt: number;
  readonly #elapsedBefore: number;

  constructor({ ledger, clock, signal, emit }: JournalOptions) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#signal = signal;
    this.#emit = emit;
    let elapsed = 0;
    for (const proposal of ledger.proposals()) this.#proposals.set(proposal.id, proposal);
    for (const stage of ledger.stages()) {
      this.#remember(stage);
      elapsed = Math.max(elapsed, stage.elapsedSeconds);
    }
    for (const trial of ledger.trials()) this.#ends.set(trial.id, trial);
    for (const event of ledger.events()) {
      this.#decisions.set(decisionKey(event.kind, event.key), event.payload);
      if (event.kind === EVENT.note) this.#notes.push(event.payload as unknown as Note);
      elapsed = Math.max(elapsed, event.elapsedSeconds);
    }
    this.#elapsedBefore = elapsed;
    this.#startedAt = clock();
  }

  /** Wall seconds of the run over all its processes, as far as they recorded anything. */
  elapsedSeconds(): number {
    return this.#elapsedBefore + (this.#clock() - this.#startedAt);
  }

  /** Trials that had ended when this process began. */
  get endedTrials(): number {
    return this.#ends.size;
  }

  /** Tells the watcher of a new fact. */
  tell(event: SearchEvent): void {
    this.#emit(event);
  }

  hasProposal(id: number): boolean {
    return this.#proposals.has(id);
  }

  endOf(id: number): Trial | undefined {
    return this.#ends.get(id);
  }

  /** The proposal of trial `id`, made by `make` if it was not made before. */
  async propose(
    id: number,
    make: () => ProposalRecord | Promise<ProposalRecord>,
  ): Promise<ProposalRecord> {
    const known = this.#proposals.get(id);
    if (known !== undefined) return known;
    this.#pause();
    const proposal = frozenJson(await make());
    this.#ledger.recordProposal(proposal);
    this.#proposals.set(id, proposal);
    return proposal;
  }

  /** One stage of a trial: its recorded finish, or `run` between two records. */
  async stage(
    trial: number,
    stage: StageName,
    round: number,
    run: () => Promise<StageOutcome>,
  ): Promise<FinishedStage & { readonly seconds: number }> {
    const key = stageKey(trial, stage, round);
    const known = this.#stages.get(key);
    if (known !== undefined) {
      const outcome = known.outcome as unknown as StageOutcome;
      return { stage, round, outcome, seconds: known.seconds };
    }
    this.#pause();
    if (stage === 'hidden') this.#requireHiddenOpened(trial);
    this.#ledger.recordStageStart({ trial, stage, round });
    this.#emit({ kind: 'stage-started', trial, stage, round });
    const begin = this.#clock();
    const outcome = frozenJson(await run());
    const seconds = this.#clock() - begin;
    const elapsedSeconds = this.elapsedSeconds();
    const fact: StageRecord = {
      trial,
      stage,
      round,
      outcome: outcome as unknown as Json,
      seconds,
      elapsedSeconds,
    };
    this.#ledger.recordStageFinish(fact);
    this.#remember(fact);
    this.#emit({ kind: 'stage-finished', trial, stage, round, outcome, seconds });
    return { stage, round, outcome, seconds };
  }

  /** The trial's end, recorded if it is new. */
  end(trial: Trial): Trial {
    const known = this.#ends.get(trial.id);
    if (known !== undefined) return known;
    const end = frozenJson(trial);
    this.#ledger.recordTrialEnd(end);
    this.#ends.set(end.id, end);
    return end;
  }

  /** What was decided before, or `decide`'s answer from now on. Meant for what time or luck sways. */
  decide<T extends object>(kind: EventKind, key: string, decide: () => T): T {
    const known = this.#decisions.get(decisionKey(kind, key));
    if (known !== undefined) return known as T;
    this.#pause();
    const payload = frozenJson(decide());
    this.#ledger.recordEvent({
      kind,
      key,
      payload: payload as unknown as Json,
      elapsedSeconds: this.elapsedSeconds(),
    });
    this.#decisions.set(decisionKey(kind, key), payload as unknown as Json);
    return payload;
  }

  /** Whether a decision is on record. */
  hasDecided(kind: EventKind, key = ''): boolean {
    return this.#decisions.has(decisionKey(kind, key));
  }

  /** A decision on record. */
  recall<T extends object>(kind: EventKind, key: string): T | undefined {
    return this.#decisions.get(decisionKey(kind, key)) as T | undefined;
  }

  /** Notes of an agent, oldest first. */
  notesOf(agent: string): readonly Json[] {
    return this.#notes.filter((note) => note.agent === agent).map(({ entry }) => entry);
  }

  /** Records a note; also after a request to stop, since it may have cost money. */
  note(agent: string, entry: Json): void {
    const note = frozenJson({ agent, entry });
    const key = String(this.#notes.length + 1);
    const payload = note as unknown as Json;
    const elapsedSeconds = this.elapsedSeconds();
    this.#ledger.recordEvent({ kind: EVENT.note, key, payload, elapsedSeconds });
    this.#notes.push(note);
  }

  /** What a trial's stage took, 0 if it never ran. */
  secondsOf(trial: number, stage: StageName, round = 0): number {
    return this.#stages.get(stageKey(trial, stage, round))?.seconds ?? 0;
  }

  /** Finished stages of a trial, oldest first. */
  history(trial: number): readonly FinishedStage[] {
    return this.#histories.get(trial) ?? [];
  }

  #remember(fact: StageRecord): void {
    const { trial, round } = fact;
    const stage = fact.stage as StageName;
    const outcome = fact.outcome as unknown as StageOutcome;
    this.#stages.set(stageKey(trial, stage, round), fact);
    const before = this.#histories.get(trial) ?? [];
    this.#histories.set(trial, [...before, { stage, round, outcome }]);
  }

  /** The hidden split is opened once in a run, for trials that were named before it was. */
  #requireHiddenOpened(trial: number): void {
    const opened = this.#decisions.get(decisionKey(EVENT.hiddenOpened, ''));
    const named = (opened as unknown as HiddenOpened | undefined)?.trials ?? [];
    if (!named.includes(trial)) {
      throw new InternalError(`trial ${trial}: the hidden split was not opened for it`);
    }
  }

  #pause(): void {
    if (this.#signal?.aborted === true) throw new Interruption('stopped by the caller');
  }
}

/** Metrics of finished stages together, later ones over earlier ones. */
export function metricsOf(history: readonly FinishedStage[]): Metrics {
  return Object.assign({}, ...history.map(({ outcome }) => outcome.metrics)) as Metrics;
}

/**
 * The value as the ledger will give it back, frozen: a run must not see more before a restart than
 * after it.
 */
function frozenJson<T extends object>(value: T): T {
  const text = JSON.stringify(value, (key, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) {
      throw new InternalError(`${key}: expected a finite number for the ledger, received ${part}`);
    }
    return part;
  });
  return JSON.parse(text, (_key, part) => Object.freeze(part)) as T;
}

function stageKey(trial: number, stage: string, round: number): string {
  return `${trial} ${stage} ${round}`;
}

function decisionKey(kind: string, key: string): string {
  return `${kind} ${key}`;
}
