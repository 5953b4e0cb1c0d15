/**
 * Memory that a model takes. `processPeakBytes` is by how much the process's resident size grew, at
 * its highest, over what it was just before the model was loaded, while the model was loaded and run.
 * It contains weights (twice for a moment, while they are packed), activations, input and output
 * buffers, and pages of ONNX Runtime that were touched for the first time. It means something in a
 * fresh process only: one that has freed memory before hands that out again without growing.
 * Where the peak cannot be reset (outside Linux) it counts from the start of the process.
 */
import { loadBinding } from '../runtime/runtime.js';

/** Memory seen while a model was loaded and run. */
export interface RunMemory {
  /** ONNX Runtime's arena at its highest: weights it copied, activations, workspaces. */
  readonly arenaPeakBytes: number;
  readonly processPeakBytes: number;
  /** The provider's own memory at its highest; null on the CPU and where the provider is silent. */
  readonly devicePeakBytes: number | null;
}

/** The growth of this process's peak resident size while `work` ran, and what `work` returned. */
export async function measureGrowth<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly bytes: number }> {
  const binding = loadBinding();
  binding.resetPeakMemory();
  const before = binding.memoryUse().residentBytes;
  const value = await work();
  return { value, bytes: Math.max(0, binding.memoryUse().peakResidentBytes - before) };
}
