/** One run of a model under ONNX Runtime's profiler, in the runner process: where each kernel ran. */
import { createInputSets, type InputDims } from '../measure/inputs.js';
import { type KernelEvent, parseProfile } from '../measure/profile/events.js';
import { ProfileFiles } from '../measure/profile/files.js';
import { openProfiled, type ProfileResult } from '../measure/profile/profile-task.js';
import type { SessionOptions } from '../runtime/runtime.js';
import { Rng } from '../util/random.js';

export interface PlaceArgs {
  /** Bytes of an ONNX file. */
  readonly model: Uint8Array;
  readonly dims: InputDims;
  readonly session: SessionOptions;
  /** An existing folder for what ONNX Runtime writes. */
  readonly folder: string;
}

export interface PlaceResult {
  readonly kernels: readonly Pick<KernelEvent, 'name' | 'op' | 'provider'>[];
  readonly runtimeModel: ProfileResult['runtimeModel'];
}

/** Runs the model once on random inputs. Throws what ONNX Runtime refuses. */
export async function placeTask(args: PlaceArgs): Promise<PlaceResult> {
  const files = new ProfileFiles(args.folder);
  const { session, runtimeModel } = await openProfiled(args, files);
  try {
    const [feeds = {}] = createInputSets(session.inputs, args.dims, 1, new Rng(0));
    await session.run(feeds);
    const [run] = parseProfile(files.takeText(session.endProfiling())).runs;
    const kernels = (run?.kernels ?? []).map(({ name, op, provider }) => ({ name, op, provider }));
    return { kernels, runtimeModel };
  } finally {
    session.release();
  }
}
