/**
 * Models that cheat, made on purpose around real sessions: what they do when timed is not what they
 * compute. Needs the addon.
 */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { benchSession } from '../../src/measure/bench-task.js';
import type { CandidateTimer, CreateSession } from '../../src/measure/candidate.js';
import { encodeReferenceModel } from '../../src/measure/reference-model.js';
import type { TimingPlan, TimingWindow } from '../../src/runtime/binding-types.js';
import { type Feeds, Session } from '../../src/runtime/runtime.js';

/** Six matrix products in a row: some ten times what looking up a hash takes. */
function createModel(): Uint8Array {
  const builder = new GraphBuilder('products');
  let value = builder.input('x', 'float32', [64, 192]);
  for (let i = 0; i < 6; i++) {
    const weight = builder.initializer({
      name: `w${i}`,
      role: 'weight',
      dtype: 'float32',
      dims: [192, 192],
      data: Float32Array.from({ length: 192 * 192 }, (_, j) => Math.sin(i + j) / 14),
    });
    value = builder.op('MatMul', [value, weight]);
  }
  builder.output(value, 'y');
  return encodeModel(builder.build());
}

const args = {
  model: createModel(),
  reference: encodeReferenceModel(),
  session: { threads: 1, optimization: 'all', provider: 'cpu' },
  dims: {},
  seed: 7,
  stopping: { relativeHalfWidth: 0.5, minSamples: 6, minSeconds: 0, maxSeconds: 0.5 },
  thorough: { work: { macs: 0, bytes: 0 }, streams: [] },
} as const;

type Run = (feeds: Feeds) => Promise<Record<string, Feeds[string]>>;

/** Real sessions whose timed runs go through `answer`, timed by the clock like any other loop. */
function createCheat(answer: (run: Run) => Run): CreateSession {
  return async (model, options) => {
    const session = await Session.create(model, options);
    const honest: Run = (feeds) => session.run(feeds);
    const cheating = answer(honest);
    const createTimer = async (sets: readonly Feeds[]): Promise<CandidateTimer> => {
      let next = 0;
      let last = { inputSet: 0, outputs: await cheating(sets[0] as Feeds) };
      const run = async ({ samples, group }: TimingPlan): Promise<TimingWindow> => {
        const samplesNs = new Float64Array(samples);
        const begin = process.hrtime.bigint();
        for (let s = 0; s < samples; s++) {
          const start = process.hrtime.bigint();
          for (let g = 0; g < group; g++) {
            const inputSet = next++ % sets.length;
            last = { inputSet, outputs: await cheating(sets[inputSet] as Feeds) };
          }
          samplesNs[s] = Number(process.hrtime.bigint() - start) / group;
        }
        const conditions = { involuntarySwitches: 0, stealNs: 0, otherCpuNs: 0 };
        const wallNs = Number(process.hrtime.bigint() - begin);
        const clocks = { wallNs, counterTicks: 0, coreMhz: 0 };
        return { samplesNs, enqueueNs: samplesNs, ...conditions, ...clocks };
      };
      return { run, outputs: () => last, release: () => {}, firstRunMs: 1 };
    };
    return {
      inputs: session.inputs,
      loadMs: session.loadMs,
      run: honest,
      allocatorStats: (memory) => session.allocatorStats(memory),
      release: () => session.release(),
      createTimer,
    };
  };
}

describe('benchSession', () => {
  it('finds nothing to say against an honest session', async () => {
    const { flags } = await benchSession(
      args,
      createCheat((run) => run),
    );
    expect(flags).not.toContain('caches-by-input');
    expect(flags).not.toContain('output-mismatch');
    const real = await benchSession(args, Session.create);
    expect(real.flags).not.toContain('caches-by-input');
    expect(real.flags).not.toContain('output-mismatch');
  });

  it('finds a model that remembers its inputs', async () => {
    const remember = (run: Run): Run => {
      const known = new Map<string, ReturnType<Run>>();
      return (feeds) => {
        const key = String((feeds.x as Feeds[string]).data.slice(0, 8));
        const answer = known.get(key) ?? run(feeds);
        known.set(key, answer);
        return answer;
      };
    };
    const { flags } = await benchSession(args, createCheat(remember));
    expect(flags).toContain('caches-by-input');
    // What it remembers is right: the outputs alone would not tell.
    expect(flags).not.toContain('output-mismatch');
  });

  it('finds a model that answers every input as the first one', async () => {
    const repeat = (run: Run): Run => {
      let first: ReturnType<Run> | undefined;
      return (feeds) => {
        first ??= run(feeds);
        return first;
      };
    };
    const { flags } = await benchSession(args, createCheat(repeat));
    expect(flags).toContain('output-mismatch');
  });
});
