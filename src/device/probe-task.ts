/** Run in a runner process: what the addon and the library say, without risk for the caller. */
import { type HostFacts, loadBinding } from '../runtime/runtime.js';

export interface Probe {
  readonly runtimeVersion: string;
  /** Execution providers compiled into the library, by ONNX Runtime's names. */
  readonly providers: readonly string[];
  readonly host: HostFacts;
}

export function probe(): Probe {
  const binding = loadBinding();
  return {
    runtimeVersion: binding.runtimeVersion(),
    providers: binding.availableProviders(),
    host: binding.hostFacts(),
  };
}
