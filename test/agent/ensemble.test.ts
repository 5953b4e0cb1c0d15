import { describe, expect, test } from 'vitest';
import type { Agent } from '../../src/agent/agent.js';
import type { ModelAgent } from '../../src/agent/bayes.js';
import { createEnsembleAgent } from '../../src/agent/ensemble.js';
import type { Json } from '../../src/trial/trial.js';
import { Rng } from '../../src/util/random.js';
import { testAgentContract } from './contract.js';
import { problem } from './landscape.js';

testAgentContract({
  create: createEnsembleAgent,
  module: 'agent/ensemble.js',
  factory: 'createEnsembleAgent',
});

describe('an ensemble with a model', () => {
  const drafts: Json[] = [];
  const drafter: Agent = {
    name: 'drafter',
    propose: (rng) => {
      const architecture = problem.operators.sample(rng);
      drafts.push(architecture);
      return { architecture, operator: 'sample', parents: [] };
    },
    observe: () => undefined,
  };
  /** Judges the later drafts better, and never has a turn of its own with anything new. */
  const model = (isReady: boolean): ModelAgent => ({
    name: 'model',
    promise: (architectures) =>
      isReady ? Float64Array.from(architectures, (_, i) => i) : undefined,
    propose: () => ({ architecture: { seen: true }, operator: 'model', parents: [] }),
    observe: () => undefined,
  });
  const ask = (isReady: boolean) => {
    drafts.length = 0;
    const agent = createEnsembleAgent(problem, [model(isReady), drafter]);
    const base = { id: 1, agent: 'other', hash: '', description: '', costSeconds: 1, parents: [] };
    const trial = { ...base, state: 'failed', stage: 'train', reason: '', metrics: {} } as const;
    agent.observe({ ...trial, operator: 'x', architecture: { seen: true } }, false);
    return agent.propose(new Rng(1));
  };

  test('takes of the drafts of others the one that the model thinks most of', () => {
    const { architecture, operator } = ask(true);
    expect(operator).toBe('drafter.sample');
    expect(drafts.length).toBeGreaterThan(1);
    expect(architecture).toBe(drafts.at(-1));
  });

  test('takes the first while the model knows too little', () => {
    expect(ask(false).architecture).toBe(drafts[0]);
  });
});
