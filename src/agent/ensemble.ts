/**
 * Several strategies as one: each proposal comes from a member drawn by what members of late added
 * to the front per second of evaluation (`credit.ts`), and every member learns of every trial. Where
 * one of them has a model, it also picks among drafts of the others. The operator of a proposal is
 * `member.operator`, so that members are told apart in the record.
 */
import type { Proposal, Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Agent, Problem } from './agent.js';
import { createBanditAgent } from './bandit.js';
import { createBayesAgent, type ModelAgent } from './bayes.js';
import { Credit, Front } from './credit.js';
import { createEvolutionAgent } from './evolution.js';
import { createGreedyAgent } from './greedy.js';
import { createNsga2Agent } from './nsga2.js';

/** Between a member's name and its operator. */
const SEPARATOR = '.';

/**
 * Drafts of a member that its turn is chosen from. Chosen, from 1, 8 and 24, on CIFAR-10 of
 * NAS-Bench-201 under five latency limits: 8 and 24 did alike there, 1 worse.
 */
const DRAFTS = 8;

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
  const model = members.find((member): member is ModelAgent => 'promise' in member);
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
  /** Of some drafts of a member that no model wrote, the one that the model thinks most of. */
  const mostPromising = (member: Agent, rng: Rng): Proposal => {
    const draft = (i: number) => member.propose(rng.fork(`${member.name} ${i}`));
    if (model === undefined || member === model) return draft(0);
    const drafts = Array.from({ length: DRAFTS }, (_, i) => draft(i)).filter(
      ({ architecture }, i) => i === 0 || !seen.has(JSON.stringify(architecture)),
    );
    const promise = model.promise(
      drafts.map(({ architecture }) => architecture),
      rng.fork('promise'),
    );
    const best = promise === undefined ? 0 : promise.indexOf(Math.max(...promise));
    return drafts[best] as Proposal;
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
        const proposal = mostPromising(member, rng);
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
