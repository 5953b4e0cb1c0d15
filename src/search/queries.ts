/**
 * A search over scores that are known beforehand: the same agents, asked and told as in a run, without
 * stages or ledger. One query is one architecture that was not queried before.
 */
import type { Agent } from '../agent/agent.js';
import { type Constraint, violationsOf } from '../trial/objective.js';
import type { Json, Metrics, Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import { ASKS_PER_TRIAL, rngOfAsk } from './ask.js';

/** What a query answers. */
export type Oracle = (architecture: Json) => Metrics;

export interface QueryOptions {
  readonly agent: Agent;
  readonly oracle: Oracle;
  /** Of an architecture that breaks one, the agent learns these metrics and no others. */
  readonly constraints: readonly Constraint[];
  readonly queries: number;
  /** Proposals are drawn from generators forked from it, as in a run. */
  readonly rng: Rng;
}

/**
 * The trials in their order, each complete or infeasible. An agent that has no new architecture within
 * as many asks as a run allows repeats itself: that costs a query too, and it is told the answer again.
 */
export function runQueries({ agent, oracle, constraints, queries, rng }: QueryOptions): Trial[] {
  const trials: Trial[] = [];
  const known = new Set<string>();
  let ask = 0;
  for (let id = 1; id <= queries; id++) {
    let proposal = agent.propose(rngOfAsk(rng, agent.name, ++ask));
    for (
      let tries = 1;
      tries < ASKS_PER_TRIAL && known.has(nameOf(proposal.architecture));
      tries++
    ) {
      proposal = agent.propose(rngOfAsk(rng, agent.name, ++ask));
    }
    known.add(nameOf(proposal.architecture));
    const trial = conclude(id, agent.name, proposal, oracle(proposal.architecture), constraints);
    trials.push(trial);
    agent.observe(trial);
  }
  return trials;
}

/** Text that is the same for the same architecture. */
export function nameOf(architecture: Json): string {
  return typeof architecture === 'string' ? architecture : JSON.stringify(architecture);
}

function conclude(
  id: number,
  agent: string,
  proposal: Pick<Trial, 'architecture' | 'operator' | 'parents'>,
  metrics: Metrics,
  constraints: readonly Constraint[],
): Trial {
  const { architecture, operator, parents } = proposal;
  const description = nameOf(architecture);
  const base = { id, agent, operator, parents, architecture, description, hash: description };
  const violations = violationsOf(metrics, constraints);
  if (violations.length === 0) {
    return Object.freeze({ ...base, state: 'complete', metrics, costSeconds: 0 });
  }
  const limited = new Set(constraints.map(({ metric }) => metric));
  const seen = Object.entries(metrics).filter(([metric]) => limited.has(metric));
  return Object.freeze({
    ...base,
    state: 'infeasible',
    stage: 'measure',
    violations,
    metrics: Object.fromEntries(seen),
    costSeconds: 0,
  });
}
