/**
 * The roofline of a device (Williams, Waterman and Patterson, 2009) and the physics floor that comes
 * of it: no run can be faster than its arithmetic at the peak rate, or than fetching from memory what
 * no cache can hold. A latency below that is an instrument fault.
 *
 * The floor must never cry wolf, so only a share of it is believed, only float32 and float64
 * arithmetic counts (8- and 16-bit units are faster), and bytes count only beyond all caches.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** A peak rate and how it was seen. */
export interface Peak {
  /** Operations or bytes a second in the best of the stretches measured. */
  readonly perSecond: number;
  /** Range from the 10th to the 90th percentile of the stretches ÷ their median. */
  readonly spread: number;
  /** Stretches measured. */
  readonly samples: number;
}

/** Arithmetic that a device may have a unit for. */
export type PeakName = 'float32' | 'float64' | 'tf32' | 'float16' | 'bfloat16' | 'int8';

/** Peak rates of a device with a number of threads. An addition and a multiplication are two. */
export interface Roofline extends Readonly<Partial<Record<PeakName, Peak>>> {
  /**
   * What measured it: our own kernels on the processor, ONNX Runtime's kernels on the device (peaks
   * as reached by them), or the CUDA library.
   */
  readonly source: 'native' | 'onnxruntime' | 'cuda';
  readonly float32: Peak;
  /** Bytes read and written from memory that no cache holds. */
  readonly bandwidth: Peak;
  /** All caches that a run may find its weights in; infinite where that is unknown. */
  readonly cacheBytes: number;
  /** When it was measured, ISO 8601. */
  readonly measuredAt: string;
}

/** What one run must do at the least. */
export interface LeastWork {
  /** Multiply–accumulate operations in float32 or float64; two floating-point operations each. */
  readonly macs: number;
  /** Bytes of weights that every run reads. */
  readonly bytes: number;
}

/**
 * Share of the floor that is believed.
 *
 * Arithmetic: our kernels issue nothing but independent multiply–adds, so nothing can be faster at
 * the same clock, and ONNX Runtime's float32 kernels on the CPU do as many multiplications as the
 * definition of their operator; the quarter allowed for is the clock, which may have been lower when
 * the peak was measured. Where the peak is what ONNX Runtime's own matrix product reaches, another
 * kernel may come nearer to the hardware: half.
 *
 * Memory: a triad also writes, and a plain read may be faster than it by the lines that a write
 * fetches first: half.
 */
const BELIEVED = { native: 0.75, cuda: 0.75, onnxruntime: 0.5, bandwidth: 0.5 } as const;

/** The believed floor of one run, milliseconds. */
export function floorMs(work: LeastWork, roofline: Roofline): number {
  // Float32 products may run as tf32: ONNX Runtime lets them on NVIDIA's GPUs.
  const rate = Math.max(roofline.float32.perSecond, roofline.tf32?.perSecond ?? 0);
  const arithmetic = (BELIEVED[roofline.source] * 2 * work.macs) / rate;
  const uncached = Math.max(0, work.bytes - roofline.cacheBytes);
  const memory = (BELIEVED.bandwidth * uncached) / roofline.bandwidth.perSecond;
  return 1e3 * Math.max(arithmetic, memory);
}

/** Operations for each byte of memory traffic beyond which arithmetic, not memory, is the limit. */
export function ridgePoint(roofline: Roofline, name: PeakName = 'float32'): number {
  return (roofline[name]?.perSecond ?? Number.NaN) / roofline.bandwidth.perSecond;
}

/** The higher peak of each kind: two looks at one device. */
export function mergeRooflines(a: Roofline, b: Roofline): Roofline {
  const higher = (x: Peak | undefined, y: Peak | undefined): Peak | undefined =>
    (y?.perSecond ?? 0) > (x?.perSecond ?? 0) ? y : x;
  const merged: { -readonly [Key in keyof Roofline]: Roofline[Key] } = {
    ...a,
    measuredAt: b.measuredAt,
  };
  for (const name of ['bandwidth', ...peakNames] as const) {
    const peak = higher(a[name], b[name]);
    if (peak !== undefined) merged[name] = peak;
  }
  return merged;
}

/** Kinds of arithmetic in the order they are shown. */
export const peakNames: readonly PeakName[] = [
  'float32',
  'float64',
  'tf32',
  'float16',
  'bfloat16',
  'int8',
];

const cpuRoot = '/sys/devices/system/cpu';

/**
 * Sizes of all data caches of this machine together, as Linux tells them; infinite elsewhere. All
 * of them, since a run may use any core, and levels may be exclusive of each other.
 */
export function readCacheBytes(root: string = cpuRoot): number {
  const caches = new Map<string, number>();
  for (const cpu of entries(root).filter((name) => /^cpu\d+$/.test(name))) {
    for (const index of entries(`${root}/${cpu}/cache`).filter((name) => /^index\d/.test(name))) {
      const read = (name: string) => readText(`${root}/${cpu}/cache/${index}/${name}`);
      if (read('type') === 'Instruction') continue;
      caches.set(`${read('level')} of ${read('shared_cpu_list')}`, parseSize(read('size')));
    }
  }
  const total = [...caches.values()].reduce((sum, bytes) => sum + bytes, 0);
  return total === 0 ? Number.POSITIVE_INFINITY : total;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Bytes that a text such as `32768K` states; 0 where it states none. */
function parseSize(text: string): number {
  const [, digits, unit] = /^(\d+)([KM]?)/.exec(text) ?? [];
  return Number(digits ?? 0) * (unit === 'M' ? 2 ** 20 : unit === 'K' ? 2 ** 10 : 1);
}
