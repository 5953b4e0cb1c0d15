/** Getting something new out of an agent. */
import type { AnyAgent } from '../agent/agent.js';
import { ArchwrightError, InternalError } from '../errors.js';
import type { Design, Evaluator, Forecast } from '../evaluate/evaluate.js';
import type { Proposal, Violation } from '../trial/trial.js';
import type { Rng } from '../util/random.js';

/** Asks for one trial before the agent is taken to have no new architecture for it. */
export const ASKS_PER_TRIAL = 20;

export interface Answer {
  readonly proposal: Proposal;
  /** Number of the agent's ask that brought it, counted from 1 over the run. */
  readonly ask: number;
  /** Absent for an illegal architecture. */
  readonly design?: Design;
  /** Asks before it whose answers were passed over, with the limits they were forecast to break. */
  readonly skipped: readonly SkippedAsk[];
}

/** An answer that became no trial, as the event `skipped` records it. */
export interface SkippedAsk {
  readonly ask: number;
  readonly hash: string;
  readonly violations: readonly Violation[];
}

/** The generator of an ask: a function of the run's seed, the agent's name and the ask's number. */
export function rngOfAsk(rng: Rng, agent: string, ask: number): Rng {
  return rng.fork('ask').fork(agent).fork(ask);
}

/**
 * Asks until the answer is not known by its hash and not forecast to break a limit; the last answer
 * when none is. An illegal architecture counts as new: the agent must learn of it.
 * @param asks how often the agent was asked before.
 */
export async function askForNew(
  agent: AnyAgent,
  asks: number,
  rng: Rng,
  evaluator: Evaluator,
  isKnown: (hash: string) => boolean,
  forecast: Forecast = () => [],
): Promise<Answer> {
  const skipped: SkippedAsk[] = [];
  for (let ask = asks + 1; ; ask++) {
    const proposal = await agent.propose(rngOfAsk(rng, agent.name, ask), ask);
    const design = tryDecode(evaluator, proposal);
    if (design instanceof ArchwrightError) return { proposal, ask, skipped };
    const answer = { proposal, ask, design, skipped };
    if (ask === asks + ASKS_PER_TRIAL) return answer;
    if (isKnown(design.hash)) continue;
    const violations = forecast(design);
    if (violations.length === 0) return answer;
    skipped.push({ ask, hash: design.hash, violations });
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
