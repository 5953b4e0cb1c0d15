/** Measures the roofline of a device in this process, or takes it from the user's cache. */
import { listNvidiaGpus } from '../device/hardware.js';
import { providers } from '../device/provider.js';
import { findVulkan } from '../device/vulkan.js';
import { loadHost, openCuda, type SessionOptions } from '../runtime/runtime.js';
import { VERSION } from '../util/version.js';
import {
  floorMs,
  type LeastWork,
  mergeRooflines,
  type Roofline,
  readCacheBytes,
} from './roofline.js';
import { readCachedRoofline, writeCachedRoofline } from './roofline-cache.js';
import { measureCudaRoofline } from './roofline-cuda.js';
import { probeArithmetic, probeBandwidth, summarizePeak } from './roofline-probe.js';

/** Stretches (of about 10 ms) of each native micro-benchmark. */
const REPETITIONS = 30;
/** Buffers of the native bandwidth test, beside the caches: this often as large, within limits. */
const BUFFER_FACTOR = 4;
const MIN_BUFFER_BYTES = 2 ** 26;
const MAX_BUFFER_BYTES = 2 ** 30;
/** Peaks are measured anew this often before a latency is called impossible. */
const ATTEMPTS = 3;

/** Which device a roofline is of: what sessions with these options run on. */
type RooflineDevice = Pick<SessionOptions, 'provider' | 'providerOptions' | 'threads'>;

/**
 * The roofline of the device that sessions with `options` run on. Taken from the user's cache where
 * it is not stale; else measured, which takes one or two seconds with the device to itself, and kept.
 * `fresh` measures in any case. Throws `ArchwrightError` where the device cannot be used.
 */
export async function measureRoofline(
  options: SessionOptions,
  { fresh = false }: { readonly fresh?: boolean } = {},
): Promise<Roofline> {
  const key = rooflineKey(options);
  const cached = fresh ? undefined : readCachedRoofline(key);
  if (cached !== undefined) return cached;
  const measured = await measureOn(options);
  writeCachedRoofline(key, measured);
  return measured;
}

/**
 * Whether `work` can be done in `ms` milliseconds with these session options. Before that is denied,
 * the peaks are measured anew, ours and what ONNX Runtime reaches, several times; the best counts.
 */
export async function isPossible(
  ms: number,
  work: LeastWork,
  options: SessionOptions,
): Promise<boolean> {
  let roofline = await measureRoofline(options);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (ms >= floorMs(work, roofline)) return true;
    roofline = mergeRooflines(roofline, await measureOn(options));
    // ONNX Runtime may use units that our kernels know nothing of, such as a matrix extension.
    if (roofline.source !== 'onnxruntime') {
      const float32 = await probeArithmetic(options);
      const bandwidth = await probeBandwidth(options);
      roofline = mergeRooflines(roofline, { ...roofline, float32, bandwidth });
    }
    writeCachedRoofline(rooflineKey(options), roofline);
  }
  return ms >= floorMs(work, roofline);
}

async function measureOn(options: SessionOptions): Promise<Roofline> {
  if (options.provider === providers.cpu.session) return measureProcessor(options.threads);
  const cuda = openCuda();
  if (options.provider === providers.cuda.session && cuda.usable) {
    const measured = await measureCudaRoofline(cuda, cudaNumber(options));
    if (measured !== undefined) return measured;
  }
  // TensorRT among the others: it may compute float32 models in float16 or int8, and then its own
  // matrix product does too.
  return measureThroughSessions(options);
}

/** The GPU that a session runs on: the provider's option, by default the first. */
export function cudaNumber({ providerOptions = {} }: RooflineDevice): number {
  return Number(providerOptions[providers.cuda.numberKey ?? ''] ?? 0);
}

async function measureProcessor(threads: number): Promise<Roofline> {
  const host = loadHost();
  const cacheBytes = readCacheBytes();
  const known = Number.isFinite(cacheBytes) ? BUFFER_FACTOR * cacheBytes : 0;
  const bytes = Math.min(MAX_BUFFER_BYTES, Math.max(MIN_BUFFER_BYTES, known));
  const measure = (kind: 'float32' | 'float64' | 'int8' | 'bandwidth') =>
    host.measurePeak(kind, threads, REPETITIONS, bytes);
  const float32 = summarizePeak(await measure('float32'));
  const float64 = summarizePeak(await measure('float64'));
  const int8 = await measure('int8');
  const bandwidth = summarizePeak(await measure('bandwidth'));
  return {
    source: 'native',
    float32,
    float64,
    ...(int8.length > 0 && { int8: summarizePeak(int8) }),
    bandwidth,
    cacheBytes,
    measuredAt: new Date().toISOString(),
  };
}

/** As ONNX Runtime's kernels reach it; a GPU's caches are not told, so its floor counts no bytes. */
async function measureThroughSessions(options: SessionOptions): Promise<Roofline> {
  const float16 = await probeArithmetic(options, 'float16').catch(() => undefined);
  return {
    source: 'onnxruntime',
    float32: await probeArithmetic(options),
    ...(float16 !== undefined && { float16 }),
    bandwidth: await probeBandwidth(options),
    cacheBytes: Number.POSITIVE_INFINITY,
    measuredAt: new Date().toISOString(),
  };
}

/** Everything that a roofline may differ by. */
function rooflineKey({ provider, providerOptions = {}, threads }: RooflineDevice): string {
  const { cpuModel } = loadHost().hostFacts();
  const given = Object.entries(providerOptions).sort(([a], [b]) => (a < b ? -1 : 1));
  const hardware = [openCuda().usable, ...listNvidiaGpus(), ...findVulkan().named];
  return JSON.stringify({ provider, given, threads, cpuModel, hardware, version: VERSION });
}
