/**
 * Memory that a model takes. `processPeakBytes` is by how much the process's resident size grew, at
 * its highest, over what it was just before the model was loaded, while the model was loaded and run.
 * It contains weights (twice for a moment, while they are packed), activations, input and output
 * buffers, and pages of ONNX Runtime that were touched for the first time. It means something in a
 * fresh process only: one that has freed memory before hands that out again without growing.
 * Where the peak cannot be reset (outside Linux) it counts from the start of the process.
 *
 * JavaScript's own memory is kept out, since its collector comes and goes by megabytes: nothing of it
 * happens within `measureGrowth`, which first waits until what happened before has settled.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadBinding } from '../runtime/runtime.js';

/**
 * Environment of a process whose peak is to be told. By itself, glibc moves the size from which on a
 * block gets pages of its own, and gives them back, by what was freed before: the same model then
 * peaks up to a fifth higher, by other amounts from process to process. Naming the size, here the one
 * that glibc begins with, keeps it. What runs need comes from
 * ONNX Runtime's arena, so their time should not change: on five models no difference beyond noise
 * was seen.
 */
export const steadyAllocation = { MALLOC_MMAP_THRESHOLD_: String(128 * 1024) } as const;

/** Memory seen while a model was loaded and run. */
export interface RunMemory {
  /** ONNX Runtime's arena at its highest: weights it copied, activations, workspaces. */
  readonly arenaPeakBytes: number;
  /** Of that, what was there once the model was loaded, before it ran: its weights. */
  readonly arenaLoadedBytes: number;
  readonly processPeakBytes: number;
  /** The provider's own memory at its highest; null on the CPU and where the provider is silent. */
  readonly devicePeakBytes: number | null;
}

/** What native work did to the resident size of this process. */
export interface Growth<T> {
  readonly value: T;
  /** At its highest, over the size before. */
  readonly peakBytes: number;
  /** At the end, over the size before; negative where it shrank. */
  readonly keptBytes: number;
}

/** Time in which collecting and compiling of JavaScript in the background come to rest. */
export const SETTLE_MS = 50;

/** Runs native `work` after a rest of `settleMs`, and tells how this process grew. */
export async function measureGrowth<T>(
  work: () => Promise<T>,
  settleMs: number,
): Promise<Growth<T>> {
  const binding = loadBinding();
  if (settleMs > 0) await sleep(settleMs);
  binding.resetPeakMemory();
  const before = binding.memoryUse().residentBytes;
  const value = await work();
  const { residentBytes, peakResidentBytes } = binding.memoryUse();
  return {
    value,
    peakBytes: Math.max(0, peakResidentBytes - before),
    keptBytes: residentBytes - before,
  };
}
