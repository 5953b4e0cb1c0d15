/**
 * Several strategies as one: each proposal comes from a member drawn by what members of late added
 * to the front per second of evaluation (`credit.ts`), and every member learns of every trial. The
 * operator of a proposal is `member.operator`, so that members are told apart in the record.
 */
import type { Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Agent, Problem } from './agent.js';
import { createBanditAgent } from './bandit.js';
import { createBayesAgent } from './bayes.js';
import { Credit, Front } from './credit.js';
import { createEvolutionAgent } from './evolution.js';
import { createGreedyAgent } from './greedy.js';
import { createNsga2Agent } from './nsga2.js';

/** Between a member's name and its operator. */
const SEPARATOR = '.';

/** Chosen on the CIFAR-10 columns of NAS-Bench-201: `bayes` brings the most there. */
export const createMembers = (problem: Problem): readonly Agent[] => [
  createBayesAgent(problem),
  createEvolutionAgent(problem),
  createGreedyAgent(problem),
  createBanditAgent(problem),
  createNsga2Agent(problem),
];

/** @param members with distinct names without a dot. */
export function createEnsembleAgent(
  problem: Problem,
  members: readonly Agent[] = createMembers(problem),
): Agent {
  const places = new Map(members.map(({ name }, i) => [name, i]));
  const credit = new Credit(members.length);
  const front = new Front(problem.objectives);
  const seen = new Set<string>();
  const draw = (candidates: readonly number[], rng: Rng): number => {
    const shares = credit.shares();
    const sum = candidates.reduce((total, i) => total + (shares[i] as number), 0);
    let left = rng.uniform() * sum;
    for (const i of candidates) {
      left -= shares[i] as number;
      if (left < 0) return i;
    }
    return candidates.at(-1) as number;
  };
  const memberOf = ({ operator }: Trial) => places.get(operator.split(SEPARATOR)[0] as string);

  return {
    name: 'ensemble',
    /** Of a member that has nothing new, the turn goes to another. */
    propose(rng) {
      let candidates = members.map((_, i) => i);
      for (;;) {
        const place = draw(candidates, rng);
        const member = members[place] as Agent;
        const proposal = member.propose(rng.fork(member.name));
        candidates = candidates.filter((i) => i !== place);
        if (seen.has(JSON.stringify(proposal.architecture)) && candidates.length > 0) continue;
        return { ...proposal, operator: `${member.name}${SEPARATOR}${proposal.operator}` };
      }
    },
    observe(trial, isOwn = true) {
      seen.add(JSON.stringify(trial.architecture));
      const gain = front.add(trial);
      const maker = isOwn ? memberOf(trial) : undefined;
      if (maker !== undefined) credit.add(maker, gain, trial.costSeconds);
      const operator = trial.operator.slice(trial.operator.indexOf(SEPARATOR) + 1);
      members.forEach((member, i) => {
        member.observe(i === maker ? { ...trial, operator } : trial, i === maker);
      });
    },
  };
}
