/** The supernet agent with a training that is told here. */
import { describe, expect, test } from 'vitest';
import { Exhausted, type Problem, type RunView } from '../../../src/agent/agent.js';
import { createOperators } from '../../../src/agent/operators.js';
import {
  createSupernetAgent,
  type TrainingCall,
  type TrainSupernet,
} from '../../../src/agent/supernet/supernet.js';
import { ArchwrightError } from '../../../src/errors.js';
import { createCellSpace } from '../../../src/space/cell.js';
import { cellOf, formatCell } from '../../../src/space/cell-architecture.js';
import type { Json, Trial } from '../../../src/trial/trial.js';
import { Rng } from '../../../src/util/random.js';

const space = createCellSpace({ channels: 3, height: 32, width: 32, classes: 10 });
const problem: Problem = {
  operators: createOperators(space),
  objectives: [{ metric: 'accuracy', direction: 'maximize' }],
  constraints: [{ metric: 'latencyMs', max: 7 }],
};
/** Convolutions of 3×3 most probable on every edge, of 1×1 next. */
const probabilities = Array.from({ length: 6 }, (_, e) => [0.01, 0.09, 0.3 - 0.01 * e, 0.5, 0.1]);
const learnt = { probabilities, seconds: 12, detail: {} };

function createView(notes: Json[], signal?: AbortSignal): RunView {
  return {
    trials: () => [],
    stages: () => [],
    notebook: () => ({ read: () => notes, append: (entry) => notes.push(entry) }),
    signal,
  };
}

/** Asks 1 … count of an agent over these notes. */
async function ask(notes: Json[], train: TrainSupernet, count: number) {
  const agent = createSupernetAgent(problem, createView(notes), train);
  const answers: Json[] = [];
  for (let number = 1; number <= count; number++) {
    answers.push((await agent.propose(new Rng(number), number)).architecture);
  }
  return answers;
}
const never: TrainSupernet = () => Promise.reject(new Error('trained again'));

describe('the supernet agent', () => {
  test('trains once, and proposes the most probable first, none twice', async () => {
    let calls: TrainingCall[] = [];
    const notes: Json[] = [];
    const answers = await ask(
      notes,
      async (call) => {
        calls = [...calls, call];
        return learnt;
      },
      40,
    );
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ limitMs: 7 });
    expect(answers[0]).toBe(formatCell(Array(6).fill('nor_conv_3x3')));
    expect(answers[1]).toBe(formatCell(['nor_conv_1x1', ...Array(5).fill('nor_conv_3x3')]));
    expect(new Set(answers).size).toBe(40);
    // In another process: the same answers, without another training.
    expect(await ask(notes, never, 40)).toEqual(answers);
  });

  test('repeats a training that was cut short by the plan it had', async () => {
    const notes: Json[] = [];
    const seeds: number[] = [];
    const cut: TrainSupernet = async ({ seed, onPlan }) => {
      seeds.push(seed);
      onPlan({ updates: 17 });
      throw new Error('killed');
    };
    await expect(ask(notes, cut, 1)).rejects.toThrow('killed');
    const again: TrainSupernet = async ({ seed, plan, onPlan }) => {
      seeds.push(seed);
      expect(plan).toEqual({ updates: 17 });
      onPlan({ updates: 17 });
      return learnt;
    };
    await ask(notes, again, 1);
    expect(seeds[1]).toBe(seeds[0]);
    expect(notes).toHaveLength(2);
  });

  test('has nothing more to propose after a training that failed, also after a restart', async () => {
    const notes: Json[] = [];
    const fail: TrainSupernet = () => Promise.reject(new ArchwrightError('its loss became NaN'));
    await expect(ask(notes, fail, 1)).rejects.toThrow(new Exhausted('its loss became NaN'));
    await expect(ask(notes, never, 1)).rejects.toThrow(Exhausted);
  });

  test('is told to stop without taking that for a failure', async () => {
    const notes: Json[] = [];
    const stop = new AbortController();
    const agent = createSupernetAgent(problem, createView(notes, stop.signal), async () => {
      stop.abort();
      throw new ArchwrightError('aborted');
    });
    await expect(agent.propose(new Rng(1), 1)).rejects.toThrow('aborted');
    expect(notes).toEqual([]);
  });

  test('counts its training once it has had a trial', async () => {
    const agent = createSupernetAgent(problem, createView([]), async () => learnt);
    const { architecture } = await agent.propose(new Rng(1), 1);
    expect(agent.ownSeconds?.()).toBe(0);
    agent.observe({ architecture } as Trial);
    expect(agent.ownSeconds?.()).toBe(12);
  });

  test('goes on to the least probable cells', async () => {
    const sharp = probabilities.map(() => [1, 0, 0, 0, 0]);
    const agent = createSupernetAgent(problem, createView([]), async () => {
      return { ...learnt, probabilities: sharp };
    });
    const first = await agent.propose(new Rng(1), 1);
    expect(first.architecture).toBe(formatCell(cellOf(0)));
    expect((await agent.propose(new Rng(2), 15_625)).architecture).not.toBe(first.architecture);
    await expect(agent.propose(new Rng(3), 15_626)).rejects.toThrow('the whole space');
  });
});
