/** One run of a model under ONNX Runtime's profiler, in the runner process: where each kernel ran. */
import { errorMessage } from '../errors.js';
import { createInputSets, type InputDims } from '../measure/inputs.js';
import { type KernelEvent, parseProfile } from '../measure/profile/events.js';
import { ProfileFiles } from '../measure/profile/files.js';
import { Session, type SessionOptions } from '../runtime/runtime.js';
import { Rng } from '../util/random.js';

export interface PlaceArgs {
  /** Bytes of an ONNX file. */
  readonly model: Uint8Array;
  readonly dims: InputDims;
  readonly options: SessionOptions;
  /** An existing folder for what ONNX Runtime writes. */
  readonly folder: string;
}

export interface PlaceResult {
  readonly kernels: readonly Pick<KernelEvent, 'name' | 'op' | 'provider'>[];
  /** The graph as ONNX Runtime runs it, an ONNX file; null where the provider's cannot be written. */
  readonly runtimeModel: Uint8Array | null;
}

/** Runs the model once on random inputs. Throws what ONNX Runtime refuses. */
export async function placeTask({ model, dims, options, folder }: PlaceArgs): Promise<PlaceResult> {
  const files = new ProfileFiles(folder);
  const { session, runtimeModel } = await open(model, options, files);
  try {
    const [feeds = {}] = createInputSets(session.inputs, dims, 1, new Rng(0));
    await session.run(feeds);
    const [run] = parseProfile(files.takeText(session.endProfiling())).runs;
    const kernels = (run?.kernels ?? []).map(({ name, op, provider }) => ({ name, op, provider }));
    return { kernels, runtimeModel };
  } finally {
    session.release();
  }
}

async function open(model: Uint8Array, options: SessionOptions, files: ProfileFiles) {
  const profiled = { ...options, profilePrefix: files.prefix() };
  const optimizedModelPath = `${files.prefix()}.onnx`;
  try {
    const session = await Session.create(model, { ...profiled, optimizedModelPath });
    return { session, runtimeModel: files.take(optimizedModelPath) };
  } catch (error) {
    // A provider that compiles parts of the graph cannot write it; any other fault comes again.
    if (!/compiled|serializ/i.test(errorMessage(error))) throw error;
    return { session: await Session.create(model, profiled), runtimeModel: null };
  }
}
