/** What every agent promises; each implementation runs this suite. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Agent, Problem } from '../../src/agent/agent.js';
import { createEvolutionAgent } from '../../src/agent/evolution.js';
import type { Trial } from '../../src/trial/trial.js';
import { Rng } from '../../src/util/random.js';
import {
  constraints,
  type Judge,
  objectives,
  runAgent,
  task,
  type World,
  world,
} from './landscape.js';

/** The agent's factory, and where it is exported for a process that has to import it. */
export interface AgentCase {
  readonly create: (problem: Problem) => Agent;
  /** Path under `dist/`. */
  readonly module: string;
  readonly factory: string;
  /** What the suite is run in; the conv landscape where absent. */
  readonly world?: World;
}

const fates = (judge: Judge): Readonly<Record<string, Judge>> => ({
  'as it is': judge,
  'where every trial fails': (_, base) => ({
    ...base,
    state: 'failed',
    stage: 'train',
    reason: 'diverged',
    metrics: {},
  }),
  'where every trial is infeasible': (_, base) => ({
    ...base,
    state: 'infeasible',
    stage: 'limits',
    violations: [{ metric: 'params', limit: 10, actual: 1e4 + base.id }],
    metrics: { params: 1e4 + base.id },
  }),
  'where most trials are pruned': (architecture, base) =>
    base.id % 4 === 0
      ? judge(architecture, base)
      : { ...base, state: 'pruned', stage: 'short', reason: 'behind', metrics: { accuracy: 0.1 } },
});

/** Runs the suite on one agent. */
export function testAgentContract({ create, module, factory, world: own }: AgentCase): void {
  const { problem } = own ?? world;
  const run = (agent: Agent, count: number, seed: string, decide?: Judge) =>
    runAgent(agent, count, seed, decide, own);
  describe(`${factory} keeps the contract of agents`, () => {
    for (const [fate, decide] of Object.entries(fates((own ?? world).judge))) {
      test(`in a world ${fate}: legal proposals, parents that were told, an operator's name`, () => {
        // `runAgent` parses every proposal and freezes every trial.
        const trials = run(create(problem), 40, 'contract', decide);
        for (const { id, parents, operator } of trials) {
          expect(operator).toMatch(/^([a-z0-9-]+\.)?[a-z]+$/);
          for (const parent of parents) {
            expect(parent).toBeGreaterThanOrEqual(1);
            expect(parent).toBeLessThan(id);
          }
        }
      });

      test(`in a world ${fate}: told the same, a rebuilt agent proposes the same`, () => {
        const trials = run(create(problem), 40, 'rebuild', decide);
        for (const told of [0, 1, 11, 25, 39]) {
          const rebuilt = create(problem);
          for (const trial of trials.slice(0, told)) rebuilt.observe(trial);
          const next = trials[told] as Trial;
          const { architecture, operator, parents } = rebuilt.propose(
            new Rng('rebuild').fork(told + 1),
          );
          expect({ architecture, operator, parents }).toEqual({
            architecture: next.architecture,
            operator: next.operator,
            parents: next.parents,
          });
        }
      });
    }

    test('asking changes nothing: the same question has the same answer', () => {
      const agent = create(problem);
      for (const trial of run(create(problem), 30, 'ask')) agent.observe(trial);
      const first = agent.propose(new Rng('again'));
      agent.propose(new Rng('another'));
      expect(agent.propose(new Rng('again'))).toEqual(first);
    });

    test('of trials by others it learns without taking them for its own', () => {
      const others = run(createEvolutionAgent(problem), 30, 'others');
      const told = () => {
        const agent = create(problem);
        for (const trial of others) agent.observe(trial, false);
        return agent;
      };
      const next = told().propose(new Rng('shared'));
      expect(told().propose(new Rng('shared'))).toEqual(next);
      for (const parent of next.parents) {
        expect(others.some(({ id }) => id === parent)).toBe(true);
      }
      const base = { id: 31, agent: 'it', hash: '', description: '', costSeconds: 1, ...next };
      const agent = told();
      agent.observe((own ?? world).judge(next.architecture, base));
      expect((own ?? world).read(agent.propose(new Rng('on')).architecture)).toBeDefined();
    });

    test('another seed gives other proposals', () => {
      const architecturesOf = (seed: string) =>
        run(create(problem), 3, seed).map(({ architecture }) => architecture);
      expect(architecturesOf('a')).not.toEqual(architecturesOf('b'));
    });

    test('another process proposes the same', () => {
      const trials = run(create(problem), 30, 'process');
      const here = create(problem);
      for (const trial of trials) here.observe(trial);
      const there = proposeElsewhere({ module, factory, world: own ?? world }, trials, 'next');
      expect(there).toEqual(JSON.parse(JSON.stringify(here.propose(new Rng('next')))));
    });
  });
}

function proposeElsewhere(
  { module, factory, world: { space } }: Omit<Required<AgentCase>, 'create'>,
  trials: readonly Trial[],
  seed: string,
): unknown {
  const dist = new URL('../../dist/', import.meta.url);
  const script = `
    import { readFileSync } from 'node:fs';
    import { ${factory} as create } from '${new URL(module, dist)}';
    import { createOperators } from '${new URL('agent/operators.js', dist)}';
    import { create${space.factory} as createSpace } from '${new URL(space.module, dist)}';
    import { Rng } from '${new URL('util/random.js', dist)}';
    const { task, objectives, constraints, trials, seed } = JSON.parse(readFileSync(0, 'utf8'));
    const agent = create({ operators: createOperators(createSpace(task)), objectives, constraints });
    for (const trial of trials) agent.observe(trial);
    console.log(JSON.stringify(agent.propose(new Rng(seed))));
  `;
  const input = JSON.stringify({ task, objectives, constraints, trials, seed });
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    input,
    encoding: 'utf8',
  });
  return JSON.parse(output);
}
