/** Getting something new out of an agent. */
import type { Agent } from '../agent/agent.js';
import { ArchwrightError, InternalError } from '../errors.js';
import type { Design, Evaluator } from '../evaluate/evaluate.js';
import type { Proposal } from '../trial/trial.js';
import type { Rng } from '../util/random.js';

/** Asks for one trial before the agent is taken to have no new architecture for it. */
export const ASKS_PER_TRIAL = 20;

export interface Answer {
  readonly proposal: Proposal;
  /** Number of the agent's ask that brought it, counted from 1 over the run. */
  readonly ask: number;
  /** Absent for an illegal architecture. */
  readonly design?: Design;
}

/** The generator of an ask: a function of the run's seed, the agent's name and the ask's number. */
export function rngOfAsk(rng: Rng, agent: string, ask: number): Rng {
  return rng.fork('ask').fork(agent).fork(ask);
}

/**
 * Asks until the answer is not known by its hash; the last answer when all are known. An illegal
 * architecture counts as new: the agent must learn of it.
 * @param asks how often the agent was asked before.
 */
export function askForNew(
  agent: Agent,
  asks: number,
  rng: Rng,
  evaluator: Evaluator,
  isKnown: (hash: string) => boolean,
): Answer {
  for (let ask = asks + 1; ; ask++) {
    const proposal = agent.propose(rngOfAsk(rng, agent.name, ask));
    const design = tryDecode(evaluator, proposal);
    if (design instanceof ArchwrightError) return { proposal, ask };
    if (!isKnown(design.hash) || ask === asks + ASKS_PER_TRIAL) return { proposal, ask, design };
  }
}

/** The design, or why there is none. */
export function tryDecode(
  evaluator: Evaluator,
  { architecture }: Proposal,
): Design | ArchwrightError {
  try {
    return evaluator.decode(architecture);
  } catch (error) {
    if (error instanceof ArchwrightError && !(error instanceof InternalError)) return error;
    throw error;
  }
}
