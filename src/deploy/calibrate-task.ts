/** Calibration, in the runner process: what values took over many runs, as ranges. No tensor leaves it. */
import {
  type HostTensor,
  Session,
  type SessionOptions,
  type TaskContext,
} from '../runtime/runtime.js';
import { Histogram } from './histogram.js';
import { batchesOf, type TrialInputs } from './trial-inputs.js';

export interface CalibrateArgs {
  /** Bytes of an ONNX file in which all of `values` are inputs or outputs. */
  readonly model: Uint8Array;
  /** Names of float32 values. */
  readonly values: readonly string[];
  readonly inputs: TrialInputs;
  readonly options: SessionOptions;
}

/** What a value took. */
export interface ObservedRange {
  readonly min: number;
  readonly max: number;
  /** The part of it whose 255 steps lose least, by mean squared error. */
  readonly clipped: { readonly min: number; readonly max: number };
  /** False where infinities or NaN came too; they count for nothing else. */
  readonly finite: boolean;
}

/** The range of each value, in the order of `values`. */
export async function calibrateTask(
  { model, values, inputs, options }: CalibrateArgs,
  context: TaskContext,
): Promise<ObservedRange[]> {
  const histograms = values.map(() => new Histogram());
  const session = await Session.create(model, options);
  const own = new Set(session.outputs.map(({ name }) => name));
  const asked = values.filter((name) => own.has(name));
  try {
    for (const { feeds } of batchesOf(session, inputs, context)) {
      const results = await session.run(feeds, asked);
      values.forEach((name, i) => {
        const { data } = (results[name] ?? feeds[name]) as HostTensor;
        histograms[i]?.add(data as Float32Array);
      });
    }
  } finally {
    session.release();
  }
  return histograms.map((histogram) => ({
    ...histogram.range,
    clipped: histogram.clippedRange(),
    finite: histogram.isFinite,
  }));
}
