/** From the entries of a configuration to the agents of a run. */
import type { AnyAgent, Problem } from '../agent/agent.js';
import { createEvolutionAgent } from '../agent/evolution.js';
import { EXTERNAL_AGENT } from '../agent/external.js';
import { strategies } from '../agent/strategy.js';
import { SUPERNET_AGENT } from '../agent/supernet/supernet.js';
import { InternalError } from '../errors.js';
import type { Config } from './config-schema.js';

/** Makers of the agents that need more than the problem. */
export interface WaitingAgents {
  readonly external: () => AnyAgent;
  readonly llm: () => AnyAgent | undefined;
  readonly supernet: () => AnyAgent | undefined;
}

/** The agent of an entry. */
export function createAgent(
  agent: Config['agents'][number],
  problem: Problem,
  { external, llm, supernet }: WaitingAgents,
): AnyAgent {
  if (agent === EXTERNAL_AGENT) return external();
  if (agent === SUPERNET_AGENT) return required(supernet(), 'no supernet can be trained');
  if (typeof agent === 'string') return strategies[agent].create(problem);
  switch (agent.kind) {
    case 'supernet':
      return required(supernet(), 'no supernet can be trained');
    case 'llm':
      return required(llm(), 'the language model was not loaded');
    case 'evolution': {
      const { kind: _, ...options } = agent;
      const given = Object.entries(options).filter(([, value]) => value !== undefined);
      return createEvolutionAgent(problem, Object.fromEntries(given));
    }
  }
}

function required(agent: AnyAgent | undefined, otherwise: string): AnyAgent {
  if (agent === undefined) throw new InternalError(otherwise);
  return agent;
}
