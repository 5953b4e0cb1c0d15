/** Evidence that a run's proposals follow from its seed and its trials, and from nothing else. */
import { isDeepStrictEqual } from 'node:util';
import type { AnyAgent, Operators, Problem, RunView } from '../agent/agent.js';
import { ArchwrightError } from '../errors.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Constraint } from '../trial/objective.js';
import { Rng } from '../util/random.js';
import { rngOfAsk } from './ask.js';
import { EVENT } from './journal.js';
import { BASELINE_AGENT } from './pipeline.js';
import type { SearchSettings } from './settings.js';
import { recordedView } from './view.js';

/** A recorded proposal that its agent does not make again. */
export interface Mismatch {
  readonly trial: number;
  readonly agent: string;
  readonly reason: string;
}

/**
 * Rebuilds the agents, tells them the recorded trials and asks them again with the recorded asks'
 * generators. Agents that wait for something outside answer from their notes.
 * @returns what differs; empty when every proposal is reproduced.
 * @throws ArchwrightError for a run that did not get to its first proposal.
 */
export async function verifyReplay(
  ledger: Ledger,
  operators: Operators,
  createAgents: (problem: Problem, run: RunView) => readonly AnyAgent[],
): Promise<readonly Mismatch[]> {
  const event = (kind: string) => ledger.events().find((one) => one.kind === kind)?.payload;
  const settings = event(EVENT.settings) as unknown as SearchSettings | undefined;
  const resolved = event(EVENT.constraints) as unknown as
    | { readonly constraints: readonly Constraint[] }
    | undefined;
  if (settings === undefined || resolved === undefined) {
    throw new ArchwrightError('the run has no proposals to verify yet');
  }
  const { objectives } = settings;
  const { constraints } = resolved;
  const agents = new Map(
    createAgents({ operators, objectives, constraints }, recordedView(ledger)).map((agent) => [
      agent.name,
      agent,
    ]),
  );
  const rng = new Rng(ledger.run.seed);
  const ends = new Map(ledger.trials().map((trial) => [trial.id, trial]));
  const mismatches: Mismatch[] = [];
  for (const recorded of ledger.proposals()) {
    const { id: trial, agent: name, ask } = recorded;
    if (name === BASELINE_AGENT) continue;
    const agent = agents.get(name);
    if (agent === undefined) {
      mismatches.push({ trial, agent: name, reason: 'no such agent' });
      continue;
    }
    const again = await agent.propose(rngOfAsk(rng, name, ask), ask);
    for (const key of ['operator', 'parents', 'architecture'] as const) {
      if (!isDeepStrictEqual(JSON.parse(JSON.stringify(again[key])), recorded[key])) {
        const reason = `${key} differs: ${JSON.stringify(again[key])}`;
        mismatches.push({ trial, agent: name, reason });
      }
    }
    const end = ends.get(trial);
    if (end !== undefined) agent.observe(end);
  }
  return mismatches;
}
