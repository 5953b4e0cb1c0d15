/** Run in a runner process: what the addon and the library say and do, without risk for the caller. */
import {
  type Feeds,
  findRuntimeLibrary,
  type HostFacts,
  type HostTensor,
  loadBinding,
  Session,
  type SessionOptions,
} from '../runtime/runtime.js';

export interface HostProbe {
  readonly runtimeVersion: string;
  /** Execution providers compiled into the library, by ONNX Runtime's names. */
  readonly providers: readonly string[];
  /** Path of ONNX Runtime's library; the libraries of providers lie beside it. */
  readonly library: string;
  readonly host: HostFacts;
}

export function probeHost(): HostProbe {
  const binding = loadBinding();
  return {
    runtimeVersion: binding.runtimeVersion(),
    providers: binding.availableProviders(),
    library: findRuntimeLibrary(),
    host: binding.hostFacts(),
  };
}

/** A model of one output, and its inputs. */
export interface ProbeModel {
  readonly model: Uint8Array;
  readonly feeds: Feeds;
}

export interface ProviderProbeArgs {
  readonly models: readonly ProbeModel[];
  readonly options: SessionOptions;
}

/**
 * Runs each model on the provider and on the CPU; greatest difference ÷ greatest magnitude of the
 * output. ONNX Runtime is told to refuse a model rather than run a node of it on the CPU.
 */
export async function probeProvider({ models, options }: ProviderProbeArgs): Promise<number[]> {
  const { threads, provider, config } = options;
  const strict = provider === 'cpu' ? {} : { 'session.disable_cpu_ep_fallback': '1' };
  const errors: number[] = [];
  for (const model of models) {
    const output = await runOnce(model, { ...options, config: { ...config, ...strict } });
    const expected = await runOnce(model, { threads, optimization: 'none', provider: 'cpu' });
    errors.push(differenceOf(output, expected));
  }
  return errors;
}

function differenceOf(output: HostTensor, expected: HostTensor): number {
  let scale = 0;
  let error = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const value = Number(expected.data[i]);
    scale = Math.max(scale, Math.abs(value));
    error = Math.max(error, Math.abs(Number(output.data[i]) - value));
  }
  return error / scale;
}

async function runOnce({ model, feeds }: ProbeModel, options: SessionOptions): Promise<HostTensor> {
  const session = await Session.create(model, options);
  try {
    const [output] = Object.values(await session.run(feeds));
    return output as HostTensor;
  } finally {
    session.release();
  }
}

/**
 * Which of these shared libraries the system's loader cannot open, with its complaint. A library
 * that opens is not one of Node's, which is then the complaint.
 */
export function findMissingLibraries(paths: readonly string[]): Record<string, string> {
  const missing: Record<string, string> = {};
  for (const path of paths) {
    try {
      process.dlopen({ exports: {} }, path);
    } catch (error) {
      const { message } = error as Error;
      if (!/did not self-register/.test(message)) missing[path] = message;
    }
  }
  return missing;
}
