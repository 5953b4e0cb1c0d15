/** Our side of train-step.mjs. */
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeModel } from '../../dist/ir/onnx/encode.js';
import { Session } from '../../dist/runtime/session.js';
import { packState, unpackState } from '../../dist/train/flat-state.js';
import { createTrainingStep, trainingSession } from '../../dist/train/step.js';
import { BATCH, THREADS } from './problem.mjs';

/** A session of the step graph; `round()` runs one round of steps from where the last one ended. */
export async function startOurs({ graph, recipe, rates, batches }, profiled = false) {
  const step = createTrainingStep(graph, recipe);
  const session = await Session.create(encodeModel(step.graph), {
    threads: THREADS,
    ...trainingSession,
    ...(profiled ? { profilePrefix: join(tmpdir(), 'archwright-train') } : {}),
  });
  let state = packState(step, graph);
  let done = 0;
  return {
    async round(steps = rates.length) {
      const result = await session.runLoop({
        batch: BATCH,
        order: Uint32Array.from({ length: steps * BATCH }, (_, i) => i),
        stream: [
          {
            name: step.inputs[0].name,
            rowDims: step.inputs[0].rowDims,
            dtype: 'float32',
            source: batches.images,
          },
          { name: step.target.name, rowDims: [], dtype: 'int64', source: batches.labels },
        ],
        state: step.state.map(({ name, next, inPlace }, i) => ({
          name,
          next,
          inPlace,
          value: state[i],
        })),
        perStep: step.perStep(rates.subarray(0, steps), done),
        record: step.record,
      });
      state = result.state;
      done += steps;
      return { losses: [...result.recorded[0]], stepMs: [...result.stepNs].map((ns) => ns / 1e6) };
    },
    /** Weights and running statistics by name, as they are now. */
    weights: () => unpackState(step, state),
    arena: () => session.allocatorStats(),
    /** Milliseconds per step and calls by operator, longest first. */
    profile() {
      const path = session.endProfiling();
      const events = JSON.parse(readFileSync(path, 'utf8'));
      rmSync(path);
      const ops = new Map();
      for (const { name, dur, args } of events) {
        if (!name.endsWith('_kernel_time')) continue;
        const shape = args.output_type_shape
          ?.map((t) => JSON.stringify(Object.values(t)[0]))
          .join();
        for (const key of [args.op_name, `  ${args.op_name} ${shape}`]) {
          const row = ops.get(key) ?? { ms: 0, calls: 0 };
          row.ms += dur / 1000 / done;
          row.calls += 1 / done;
          ops.set(key, row);
        }
      }
      return [...ops].map(([op, row]) => ({ op, ...row })).sort((a, b) => b.ms - a.ms);
    },
    end: () => session.release(),
  };
}
