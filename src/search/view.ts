/** What agents that ask for it see of the run around them. */
import type { RunView } from '../agent/agent.js';
import { InternalError } from '../errors.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Json, Trial } from '../trial/trial.js';
import { EVENT, type Journal, type Note } from './journal.js';

/**
 * A run at work.
 * @param trials that have ended; the array grows.
 */
export function liveView(
  journal: Journal,
  trials: readonly Trial[],
  signal: AbortSignal | undefined,
): RunView {
  return {
    trials: () => trials,
    stages: (trial) =>
      journal.history(trial).map(({ stage, outcome }) => {
        return { stage, outcome: outcome as unknown as Json };
      }),
    notebook: (agent) => ({
      read: () => journal.notesOf(agent),
      append: (entry) => journal.note(agent, entry),
    }),
    signal,
  };
}

/** A run as its record shows it. Nothing can be added. */
export function recordedView(ledger: Ledger): RunView {
  const notes = ledger
    .events()
    .filter(({ kind }) => kind === EVENT.note)
    .map(({ payload }) => payload as unknown as Note);
  return {
    trials: () => ledger.trials(),
    stages: (trial) => ledger.stages().filter((one) => one.trial === trial),
    notebook: (agent) => ({
      read: () => notes.filter((note) => note.agent === agent).map(({ entry }) => entry),
      append: () => {
        throw new InternalError(`${agent}: expected its answers in the record, but it asks anew`);
      },
    }),
    signal: undefined,
  };
}
