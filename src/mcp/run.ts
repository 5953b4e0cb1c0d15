/**
 * A run as an outside agent may see it and act on it: read from the ledger, acted on through the
 * queue of the external agent, which the search loop asks as it asks any agent.
 */
import { z } from 'zod';
import type { Operators } from '../agent/agent.js';
import { EXTERNAL_AGENT, type Inbox } from '../agent/external.js';
import { UsageError } from '../errors.js';
import type { Evaluator } from '../evaluate/evaluate.js';
import type { Limits } from '../guard/guard.js';
import type { Ledger, ProposalRecord } from '../ledger/ledger.js';
import type { MemoryContext } from '../memory/memory.js';
import { type ReadOptions, readMemory } from '../memory/text.js';
import type { SearchEvent } from '../search/events.js';
import { BASELINE_AGENT } from '../search/pipeline.js';
import type { SearchSettings } from '../search/settings.js';
import { type RunSummary, summarizeRun } from '../search/summary.js';
import type { Space } from '../space/space.js';
import type { Json, Trial } from '../trial/trial.js';
import { Rng } from '../util/random.js';
import { brokenBy, type DraftForms, duplicateOf, examineDraft } from './draft.js';

/** What the composition root opens. */
export interface OpenRun {
  readonly ledger: Ledger;
  readonly evaluator: Evaluator;
  readonly space: Pick<Space<never>, 'name' | 'task' | 'schema'>;
  readonly operators: Operators;
  readonly settings: SearchSettings;
  readonly limits: Limits;
  readonly inbox: Inbox;
  /** The architecture that stands for the graph of an ONNX file; throws `UsageError` for what is none. */
  readonly readModel: (bytes: Uint8Array) => Json;
  /** Time by node of an architecture's graph, on the run's device. */
  readonly profile: (architecture: Json) => Promise<Json>;
}

/** Told of the loop's events, so that it knows how much time has passed. */
export class ServedRun {
  readonly open: OpenRun;
  #elapsed = { seconds: 0, at: performance.now() };
  #searchTimer: NodeJS.Timeout | undefined;
  #ended: string | undefined;

  constructor(open: OpenRun) {
    this.open = open;
    this.#setTimer();
  }

  /** Why the run is over, or undefined while it lasts. */
  get ended(): string | undefined {
    return this.#ended;
  }

  onEvent(event: SearchEvent): void {
    if (event.kind === 'resumed' || event.kind === 'trial-ended') {
      this.#elapsed = { seconds: event.elapsedSeconds, at: performance.now() };
      this.#setTimer();
    }
    if (event.kind === 'search-ended') this.open.inbox.close('the search has ended');
  }

  /** The run takes and does nothing more. */
  end(reason: string): void {
    this.#ended ??= reason;
    clearTimeout(this.#searchTimer);
    this.open.inbox.close(reason);
  }

  /** An agent that is waited for must not be waited for beyond the time for searching. */
  #setTimer(): void {
    clearTimeout(this.#searchTimer);
    const { secondsLeft } = this.budget();
    if (secondsLeft === null) return;
    const close = () => this.open.inbox.close('the time for searching is used');
    // Node's timers hold 24 days at most.
    this.#searchTimer = setTimeout(close, Math.min(secondsLeft * 1e3, 2 ** 31 - 1));
    this.#searchTimer.unref();
  }

  /** What is left for searching; null where it is not bounded. */
  budget(): { readonly trialsLeft: number | null; readonly secondsLeft: number | null } {
    const { seconds, trials, reserve } = this.open.settings.budget;
    const elapsed = this.#elapsed.seconds + (performance.now() - this.#elapsed.at) / 1e3;
    const begun = this.open.ledger.proposals().filter(({ agent }) => agent !== BASELINE_AGENT);
    const evaluating = new Set(begun.map(({ architecture }) => JSON.stringify(architecture)));
    const queued = this.open.inbox.waiting.filter(
      ({ architecture }) => !evaluating.has(JSON.stringify(architecture)),
    );
    return {
      trialsLeft: trials === undefined ? null : Math.max(0, trials - begun.length - queued.length),
      secondsLeft: seconds === undefined ? null : Math.max(0, seconds * (1 - reserve) - elapsed),
    };
  }

  summary(): RunSummary {
    return summarizeRun(this.open.ledger, this.#ended === undefined);
  }

  describe(): Json {
    const { space, operators, settings, limits, inbox, ledger } = this.open;
    const { status, objectives, constraints } = this.summary();
    return plain({
      run: ledger.run.name,
      status,
      searching: inbox.closed ?? (inbox.isOpen ? 'open' : 'human designs are measured first'),
      objectives: objectives.length > 0 ? objectives : settings.objectives,
      constraints,
      limits,
      budget: { ...settings.budget, ...this.budget() },
      space: {
        name: space.name,
        task: space.task,
        decisions: operators.decisions,
        schema: z.toJSONSchema(space.schema),
        example: operators.sample(new Rng('example')),
      },
      graphs:
        'instead of a point of the space: a graph from image to logits of the task, in the ONNX ' +
        'textual syntax or as a file; its weights are drawn anew',
    });
  }

  memory(options: ReadOptions): string {
    return readMemory(this.trials(), this.#context(), options);
  }

  #context(): MemoryContext {
    const { operators, settings } = this.open;
    return {
      choosing: operators,
      objectives: settings.objectives,
      constraints: this.summary().constraints,
    };
  }

  /** Ended trials, without human designs. */
  trials(): readonly Trial[] {
    return this.open.ledger.trials().filter(({ agent }) => agent !== BASELINE_AGENT);
  }

  /** A trial with its stages, ended or not. Throws `UsageError` for a number that is none. */
  trial(id: number): Json {
    const { ledger } = this.open;
    const proposal = this.#proposal(id);
    const end = ledger.trials().find((one) => one.id === id);
    const stages = ledger.stages().filter(({ trial }) => trial === id);
    return plain({
      ...proposal,
      state: 'evaluating',
      ...end,
      stages: stages.map(({ stage, round, outcome, seconds }) => {
        const { detail: _, artifacts: __, ...facts } = outcome as { readonly [key: string]: Json };
        return { stage, round, seconds, ...facts };
      }),
    });
  }

  #proposal(id: number): ProposalRecord {
    const proposals = this.open.ledger.proposals();
    const proposal = proposals.find((one) => one.id === id);
    if (proposal !== undefined) return proposal;
    throw new UsageError(`trial: expected a number of 1 … ${proposals.length}, received ${id}`);
  }

  /** Time by node of a trial. */
  profile(id: number): Promise<Json> {
    if (this.#ended !== undefined) throw new UsageError(this.#ended);
    const { architecture, agent } = this.#proposal(id);
    if (agent === BASELINE_AGENT) {
      throw new UsageError(`trial: expected one of an agent, received ${id}, a human design`);
    }
    return this.open.profile(architecture);
  }

  /**
   * Hands in a candidate. It is in the ledger when this returns. Throws `UsageError` for what is
   * illegal, over a limit by its graph alone, not new, or beyond the budget; none of it costs anything.
   */
  async submit(
    forms: DraftForms,
    origin: { readonly parents: readonly number[]; readonly operator: string },
    seconds: number,
  ): Promise<Json> {
    const { inbox, ledger } = this.open;
    const draft = examineDraft(forms, this.open);
    const broken = brokenBy(draft, this.open, this.summary().constraints)[0];
    if (broken !== undefined) {
      const { metric, limit, actual } = broken;
      throw new UsageError(`over a limit: expected ${metric} within ${limit}, received ${actual}`);
    }
    const ended = new Set(ledger.trials().map(({ id }) => id));
    const unknown = origin.parents.find((parent) => !ended.has(parent));
    if (unknown !== undefined) {
      throw new UsageError(`parents: expected trials that have ended, received ${unknown}`);
    }
    const duplicate = duplicateOf(draft, this.open);
    if (duplicate !== undefined) throw new UsageError(duplicate);
    if (inbox.closed !== undefined) throw new UsageError(`not taken: ${inbox.closed}`);
    if (!inbox.isOpen) {
      throw new UsageError('not taken yet: human designs are measured first, try again in a while');
    }
    const { trialsLeft, secondsLeft } = this.budget();
    if (trialsLeft === 0 || secondsLeft === 0) {
      throw new UsageError('not taken: the budget for searching is used; finish_run ends the run');
    }
    const number = inbox.submit({ architecture: draft.architecture, ...origin });
    return this.submission(number, seconds);
  }

  /** What became of a submission, waiting for news at most `seconds`. */
  async submission(number: number, seconds: number): Promise<Json> {
    const { inbox, ledger } = this.open;
    if (inbox.proposalOf(number) === undefined) {
      throw new UsageError(`submission: expected the number of one, received ${number}`);
    }
    const deadline = performance.now() + seconds * 1e3;
    for (;;) {
      const fate = inbox.fateOf(number);
      if (fate.kind === 'trial') return this.#told(number, fate.trial.id);
      if (fate.kind === 'skipped') {
        return {
          submission: number,
          state: 'skipped',
          reason: 'by what was measured so far it is all but certain to break a limit',
        };
      }
      const architecture = JSON.stringify(inbox.proposalOf(number)?.architecture);
      const begun = ledger
        .proposals()
        .find(
          (one) =>
            one.agent === EXTERNAL_AGENT && JSON.stringify(one.architecture) === architecture,
        );
      const left = deadline - performance.now();
      if (this.#ended !== undefined || left <= 0) {
        const state =
          this.#ended === undefined ? (begun ? 'evaluating' : 'queued') : 'not evaluated';
        const reason = this.#ended === undefined ? {} : { reason: this.#ended };
        return { submission: number, trial: begun?.id ?? null, state, ...reason };
      }
      await inbox.changed(left);
    }
  }

  #told(submission: number, id: number): Json {
    return plain({ submission, ...(this.trial(id) as object), budget: this.budget() });
  }
}

/** As JSON would give it back. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
