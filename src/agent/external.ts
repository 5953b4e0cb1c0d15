/**
 * An agent whose proposals come from outside, through a queue that someone else fills. What is handed
 * in is written into the agent's notebook, which is the ledger, before the hand-in is acknowledged:
 * ask number n is answered with the n-th proposal, in this process or in a later one.
 */
import type { Proposal, Trial } from '../trial/trial.js';
import { Exhausted, type Notebook, type RunView, type WaitingAgent } from './agent.js';

export const EXTERNAL_AGENT = 'external';

/** What became of a proposal. */
export type Fate =
  | { readonly kind: 'waiting' }
  /** It was forecast to break a limit and became no trial, as any agent's would. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'trial'; readonly trial: Trial };

interface Entry {
  readonly proposal: Proposal;
  trial?: Trial;
}

/** The queue between whoever proposes and the search loop. */
export class Inbox {
  readonly #entries: Entry[] = [];
  readonly #watchers = new Set<() => void>();
  #notebook: Notebook | undefined;
  /** Number of the latest ask; those before it were answered. */
  #asked = 0;
  #closed: string | undefined;

  /** Whether the run has come to its search, so that proposals can be recorded. */
  get isOpen(): boolean {
    return this.#notebook !== undefined;
  }

  /** Why nothing more is taken, or undefined while something is. */
  get closed(): string | undefined {
    return this.#closed;
  }

  /** Proposals that have not become trials yet, oldest first. */
  get waiting(): readonly Proposal[] {
    return this.#entries
      .filter((_, i) => this.fateOf(i + 1).kind === 'waiting')
      .map(({ proposal }) => proposal);
  }

  /** Records a proposal; its number counts from 1. Throws `Exhausted` once it is closed. */
  submit(proposal: Proposal): number {
    if (this.#closed !== undefined) throw new Exhausted(this.#closed);
    if (this.#notebook === undefined) throw new Exhausted('the search has not begun yet');
    this.#notebook.append({ ...proposal });
    this.#entries.push({ proposal });
    this.#wake();
    return this.#entries.length;
  }

  /** A proposal by its number. */
  proposalOf(number: number): Proposal | undefined {
    return this.#entries[number - 1]?.proposal;
  }

  fateOf(number: number): Fate {
    const entry = this.#entries[number - 1];
    if (entry?.trial !== undefined) return { kind: 'trial', trial: entry.trial };
    return { kind: number < this.#asked ? 'skipped' : 'waiting' };
  }

  /** Takes nothing more; what is in the queue is still evaluated. The first reason stays. */
  close(reason: string): void {
    this.#closed ??= reason;
    this.#wake();
  }

  /** Resolves when anything changed, or after `ms`. */
  changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#watchers.add(done);
    });
  }

  /** Connects the run; proposals of an earlier process are in its notebook. */
  open(notebook: Notebook): void {
    this.#notebook = notebook;
    for (const entry of notebook.read()) {
      this.#entries.push({ proposal: entry as unknown as Proposal });
    }
    this.#wake();
  }

  /** The proposal of an ask, as soon as there is one. */
  async take(ask: number, signal: AbortSignal | undefined): Promise<Proposal> {
    this.#asked = ask;
    this.#wake();
    const wake = () => this.#wake();
    signal?.addEventListener('abort', wake);
    try {
      for (;;) {
        const entry = this.#entries[ask - 1];
        if (entry !== undefined) return entry.proposal;
        if (signal?.aborted === true) throw new Exhausted('the run is to stop');
        if (this.#closed !== undefined) throw new Exhausted(this.#closed);
        await this.changed(IDLE_MS);
      }
    } finally {
      signal?.removeEventListener('abort', wake);
    }
  }

  /** Learns what became of the proposal with the trial's architecture. */
  tell(trial: Trial): void {
    const key = JSON.stringify(trial.architecture);
    const entry = this.#entries.find(
      (one) => one.trial === undefined && JSON.stringify(one.proposal.architecture) === key,
    );
    if (entry !== undefined) entry.trial = trial;
    this.#wake();
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Nothing is missed between two looks; the timer only keeps the process alive while it waits. */
const IDLE_MS = 60_000;

/** The agent that answers from an inbox. */
export function createExternalAgent(inbox: Inbox, run: RunView): WaitingAgent {
  inbox.open(run.notebook(EXTERNAL_AGENT));
  return {
    name: EXTERNAL_AGENT,
    propose: (_rng, ask) => inbox.take(ask, run.signal),
    observe: (trial) => inbox.tell(trial),
  };
}
