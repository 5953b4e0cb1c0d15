/**
 * Every request and answer in the agent's notebook, each before what follows from it; and the agent's
 * state, which is a function of them: what was spent, and which proposal belongs to which ask.
 */
import type { Json, Proposal } from '../../trial/trial.js';
import type { Notebook } from '../agent.js';
import { Budget, type Usage } from './budget.js';
import { type Redact, redactJson } from './foreign.js';
import type { LlmOptions } from './options.js';

/** A request is about to be sent. `reserved` is what it can cost at most. */
export interface RequestEntry {
  readonly kind: 'request';
  readonly call: number;
  readonly step: number;
  readonly attempt: number;
  readonly model: string;
  /** Messages that the requests of the call before it did not have; none in a further attempt. */
  readonly messages: Json;
  readonly reserved: Usage;
}

export interface ReplyEntry {
  readonly kind: 'reply';
  readonly text: string;
  readonly calls: Json;
  readonly usage: Usage;
  /** Whether the server did not count. */
  readonly estimated: boolean;
  readonly usd: number;
  readonly seconds: number;
}

export interface FailureEntry {
  readonly kind: 'failure';
  readonly reason: string;
  /** What it may have cost. */
  readonly usage: Usage;
  readonly seconds: number;
}

/** A call is over. Its proposals answer the asks from `ask` on, one each. */
export interface ResultEntry {
  readonly kind: 'result';
  readonly call: number;
  readonly ask: number;
  readonly proposals: readonly Proposal[];
  readonly rejected: readonly string[];
}

export type Entry = RequestEntry | ReplyEntry | FailureEntry | ResultEntry;

export class Transcript {
  readonly budget: Budget;
  readonly #notebook: Notebook;
  readonly #redact: Redact;
  readonly #proposals = new Map<number, Proposal>();
  #open: Usage | undefined;
  #calls = 0;

  constructor(notebook: Notebook, options: LlmOptions, redact: Redact) {
    this.#notebook = notebook;
    this.#redact = redact;
    this.budget = new Budget(options);
    for (const entry of notebook.read()) this.#take(entry as unknown as Entry);
    this.#closeLost();
  }

  /** Calls begun so far. */
  get calls(): number {
    return this.#calls;
  }

  proposalOf(ask: number): Proposal | undefined {
    return this.#proposals.get(ask);
  }

  append(entry: Entry): void {
    this.#notebook.append(redactJson(entry as unknown as Json, this.#redact));
    this.#take(entry);
  }

  #take(entry: Entry): void {
    switch (entry.kind) {
      case 'request':
        this.#closeLost();
        this.#open = entry.reserved;
        this.#calls = Math.max(this.#calls, entry.call);
        break;
      case 'reply':
      case 'failure':
        this.#open = undefined;
        this.budget.charge(entry.usage);
        break;
      case 'result':
        entry.proposals.forEach((proposal, i) => {
          this.#proposals.set(entry.ask + i, proposal);
        });
    }
  }

  /** A request whose answer died with its process may have cost all that it could. */
  #closeLost(): void {
    if (this.#open !== undefined) this.budget.charge(this.#open);
    this.#open = undefined;
  }
}
