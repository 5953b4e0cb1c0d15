/**
 * The physics floor: no run can be faster than its arithmetic at the machine's peak rate, or than
 * fetching from memory what no cache can hold. A latency below that is an instrument fault.
 *
 * Peaks are measured on the same sessions and threads as the candidate: a large matrix product, and
 * an element-wise sum of tensors much larger than the caches. The test must never cry wolf, so
 * - a peak is the best of many runs that are short beside a time slice, since other processes may be
 *   running; and half the floor is allowed for: kernels may come nearer to the hardware than these do
 *   (in float32, ONNX Runtime's CPU kernels do as many multiplications as the definition of their
 *   operator; a fast algorithm would do down to 4/9 of them);
 * - only float32 and float64 arithmetic is to be counted in `macs`: 8- and 16-bit units are faster;
 * - bytes count only beyond the last-level cache, and not at all where its size is unknown.
 */
import { readFileSync } from 'node:fs';
import { GraphBuilder } from '../ir/builder.js';
import { encodeModel } from '../ir/onnx/encode.js';

/** Peak rates of a machine with a number of threads. */
export interface Roofline {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Last-level cache that a process can see; infinite where it is unknown. */
  readonly cacheBytes: number;
}

/** What one run must do at the least. */
export interface LeastWork {
  /** Multiply–accumulate operations in float32 or float64; two floating-point operations each. */
  readonly macs: number;
  /** Bytes of weights that every run reads. */
  readonly bytes: number;
}

/** A model that runs at a peak rate, and what one run of it does. */
export interface Probe {
  readonly model: Uint8Array;
  readonly work: number;
}

/** Share of the computed floor that is believed. */
const MARGIN = 0.5;

/** The believed floor of one run, milliseconds. */
export function floorMs(work: LeastWork, roofline: Roofline): number {
  const arithmetic = (2 * work.macs) / roofline.flopsPerSecond;
  const uncached = Math.max(0, work.bytes - roofline.cacheBytes);
  return MARGIN * 1e3 * Math.max(arithmetic, uncached / roofline.bytesPerSecond);
}

/** Side of the matrices on one thread: a run of some 0.3 ms, short beside a time slice. */
const MATRIX_SIDE = 256;

/**
 * Matrix product with the same work per thread whatever their number; `work` in floating-point
 * operations.
 */
export function createArithmeticProbe(threads: number): Probe {
  const size = 16 * Math.round((MATRIX_SIDE * Math.cbrt(threads)) / 16);
  const builder = new GraphBuilder('peak-arithmetic');
  const a = builder.input('a', 'float32', [size, size]);
  // A weight, so that it is packed at load as a model's are.
  const weight = builder.initializer({
    name: 'b',
    role: 'weight',
    dtype: 'float32',
    dims: [size, size],
    data: new Float32Array(size * size).fill(1 / size),
  });
  builder.output(builder.op('MatMul', [a, weight]), 'c');
  return { model: encodeModel(builder.build()), work: 2 * size ** 3 };
}

/** Sum of two inputs of `count` floats; `work` in bytes read and written. */
export function createBandwidthProbe(count: number): Probe {
  const builder = new GraphBuilder('peak-bandwidth');
  const a = builder.input('a', 'float32', [count]);
  const b = builder.input('b', 'float32', [count]);
  builder.output(builder.op('Add', [a, b]), 'c');
  return { model: encodeModel(builder.build()), work: 3 * 4 * count };
}

/** Size of the largest cache of the first core, as Linux tells it; infinite elsewhere. */
export function readCacheBytes(): number {
  let largest = 0;
  for (let index = 0; index < 8; index++) {
    const size = readCacheSize(`/sys/devices/system/cpu/cpu0/cache/index${index}/size`);
    largest = Math.max(largest, size);
  }
  return largest === 0 ? Number.POSITIVE_INFINITY : largest;
}

/** Bytes that a file such as `32768K` states; 0 where it cannot be read. */
function readCacheSize(path: string): number {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return 0;
  }
  const [, digits, unit] = /^(\d+)([KM]?)/.exec(text) ?? [];
  return Number(digits ?? 0) * (unit === 'M' ? 2 ** 20 : unit === 'K' ? 2 ** 10 : 1);
}
