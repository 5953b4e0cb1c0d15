/**
 * The contract of the native addon (`native/`): types only. The single load site is `binding.ts`.
 * Each method of `NativeBinding` mirrors one tagged entry of `native/addon.h`.
 */

import type { ElementType, HostTensor, TensorData } from '../util/tensor.js';
import type { CudaAddon } from './cuda-binding.js';

export type { ElementType, HostTensor, TensorData };

/** An input or output of a loaded model. A symbolic or unknown dimension is −1. */
export interface SessionValue {
  readonly name: string;
  readonly dtype: ElementType;
  readonly dims: readonly number[];
}

export interface SessionOptions {
  /** Intra-op threads, at least 1; inter-op parallelism is off. */
  readonly threads: number;
  readonly optimization: 'none' | 'basic' | 'extended' | 'all';
  /** `cpu` needs no registration; others are appended with their string options. */
  readonly provider: string;
  readonly providerOptions?: Readonly<Record<string, string>>;
  /** Session configuration entries, as in ONNX Runtime's `AddSessionConfigEntry`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Let intra-op threads spin between operators (ONNX Runtime's default is true). */
  readonly spin?: boolean;
  /** Use ONNX Runtime's memory arena (default true). */
  readonly arena?: boolean;
  /**
   * From the second run on, take all memory of a run in one piece (ONNX Runtime's default is true).
   * The pieces of the first run stay in the arena, so the process comes to hold twice as much.
   */
  readonly memoryPattern?: boolean;
  /** Record every node's time; the file's path begins so and `endProfiling` tells it whole. */
  readonly profilePrefix?: string;
  /** Where to write the graph as ONNX Runtime runs it, after its optimisations. */
  readonly optimizedModelPath?: string;
}

declare const sessionBrand: unique symbol;
/** A loaded model. Freed by `releaseSession`, or with the process. */
export interface SessionHandle {
  readonly [sessionBrand]: true;
}

declare const timerBrand: unique symbol;
/** Input sets and outputs bound to preallocated buffers, ready for a timing loop. */
export interface TimerHandle {
  readonly [timerBrand]: true;
}

/** Where bound tensors lie: in the host's memory, or where the provider keeps them. */
export interface Placement {
  readonly inputs: 'host' | 'device';
  readonly outputs: 'host' | 'device';
}

/** What one stretch of the timing loop does. */
export interface TimingPlan {
  readonly samples: number;
  /** Back-to-back runs per sample. */
  readonly group: number;
  /** Bytes that are overwritten before each sample, untimed, so that caches are cold. */
  readonly flushBytes?: number;
  /** A sample begins this long after the one before it began, if that has ended; asleep between. */
  readonly intervalNs?: number;
}

/** One stretch of the timing loop. */
export interface TimingWindow {
  /** One sample per group: nanoseconds of the group ÷ runs in the group. */
  readonly samplesNs: Float64Array;
  /**
   * Of each sample, the part until the last call of the group had returned and before its outputs
   * were waited for, ÷ runs in the group; the same as the sample where all outputs are on the host.
   */
  readonly enqueueNs: Float64Array;
  /** Wall time of the whole window. */
  readonly wallNs: number;
  /** Context switches forced on the timing thread during the window. */
  readonly involuntarySwitches: number;
  /** CPU time that the hypervisor took from this machine during the window (Linux; else 0). */
  readonly stealNs: number;
  /** CPU time of other processes during the window, all cores (Linux; else 0). */
  readonly otherCpuNs: number;
  /** Ticks of the processor's own counter (TSC, CNTVCT) over `wallNs`; 0 where there is none. */
  readonly counterTicks: number;
  /** Clock of the timing thread's core right after the window, from a chain of known length. */
  readonly coreMhz: number;
}

/** What several timers did side by side. */
export interface ConcurrentRuns {
  /** Nanoseconds of each run, per timer. */
  readonly samplesNs: readonly Float64Array[];
  /** From the common start to the end of the last run. */
  readonly wallNs: number;
}

/**
 * A rate to be measured by our own kernels: multiply–adds in float32 or float64 and byte
 * multiply–adds in int8, as operations a second (an addition and a multiplication are two), or bytes
 * a second that a triad over buffers reads and writes.
 */
export type PeakKind = 'float32' | 'float64' | 'int8' | 'bandwidth';

/** State of a training graph: the output `next` of one step is the input `name` of the next. */
export interface StateTensor {
  readonly name: string;
  readonly next: string;
  /** Before the first step. */
  readonly value: HostTensor;
  /**
   * Keeps the state in the memory of `value`, which then is the result, instead of two buffers of its
   * own. Only for models that read the state no more once `next` is being made.
   */
  readonly inPlace?: boolean;
}

/**
 * Rows of a data set streamed into an input, one batch a step.
 * The input has dims `[batch, ...rowDims]` and any element type. Its source is the array type of that
 * element type, or narrower:
 * - float32: also `Uint8Array`;
 * - int64: also `Uint8Array`, `Uint16Array`, `Int32Array`;
 * - int32: also `Uint8Array`, `Uint16Array`.
 *
 * A bool input takes every byte but 0 as true.
 */
export interface StreamInput {
  readonly name: string;
  readonly rowDims: readonly number[];
  readonly dtype: ElementType;
  readonly source: TensorData;
  /**
   * For a float32 input: `value × scale[c] + shift[c]`, c being the first dimension of a row; one entry
   * each stands for all channels.
   */
  readonly scale?: Float32Array;
  readonly shift?: Float32Array;
}

/**
 * Random changes of the images of each batch, drawn anew for every step. In this order: crop and flip
 * of the raw pixels, normalisation (the stream's `scale` and `shift`), cut-out, mixup. What is left
 * out is not done.
 *
 * Draws are a function of (`seed`, number of the step, place in the batch) and of nothing else: a
 * training that goes on at step t draws what it would have drawn without the stop, however its steps
 * are divided among requests. `draws.h` of `kernels/cpu/` documents the generator.
 */
export interface Augmentation {
  /** Name of the stream that is changed: a float32 input with rows of `[channels, height, width]`. */
  readonly stream: string;
  /** Whole number from 0 to 2^32 − 1. */
  readonly seed: number;
  /** Number of the request's first step in the whole training, from 0. */
  readonly firstStep: number;
  /**
   * Each image is shifted by −n … n pixels in both directions, equally likely. What comes in from
   * outside is black: raw 0, before normalisation, as in torchvision's `RandomCrop(padding=n)`.
   * At most the shorter side.
   */
  readonly cropPixels?: number;
  /** Mirror every image left to right with probability ½. */
  readonly flip?: boolean;
  /**
   * Side of a square that is set to 0 after normalisation, the mean of the data. Its centre is any
   * pixel, equally likely; what lies outside the image is cut off (arXiv 1708.04552). At most the shorter side.
   */
  readonly cutoutPixels?: number;
  /** Mixes the batch with a permutation of itself (arXiv 1710.09412). */
  readonly mixup?: Mixup;
}

/** Every image becomes λ·itself + (1 − λ)·its partner, with one λ ~ Beta(α, α) per step. */
export interface Mixup {
  /** α, above 0: 1 is uniform, less leaves most batches nearly unmixed. */
  readonly alpha: number;
  /** Scalar (rank 0) float32 input that gets λ. */
  readonly share: string;
  /** Inputs that get the partners' rows of a stream, such as their labels. */
  readonly partners: readonly MixupPartner[];
}

export interface MixupPartner {
  /** Name of a stream of the request, other than the augmented one. */
  readonly stream: string;
  /** Input of the same element type and dims. */
  readonly input: string;
}

export interface LoopRequest {
  readonly batch: number;
  /** Row numbers, `steps × batch` of them. */
  readonly order: Uint32Array;
  readonly stream: readonly StreamInput[];
  readonly augment?: Augmentation;
  readonly state: readonly StateTensor[];
  /** Scalar (rank 0) float32 inputs with one value per step, such as the learning rate. */
  readonly perStep: readonly { readonly name: string; readonly values: Float32Array }[];
  /** Scalar (rank 0) float32 outputs to be recorded each step. */
  readonly record: readonly string[];
  /** Stop after the step in which the first recorded output is not finite or exceeds this. */
  readonly limit?: number;
}

export interface LoopResult {
  readonly steps: number;
  /** One array of `steps` values per entry of `record`. */
  readonly recorded: readonly Float32Array[];
  /** Final value of each state tensor, in the order of the request; of one in place its own `value`. */
  readonly state: readonly HostTensor[];
  readonly stopped: 'finished' | 'limit';
  readonly wallNs: number;
  /** Of `wallNs`, the time in which no step ran because its inputs were being made. */
  readonly inputNs: number;
  /** Wall time of each step, inputs included. */
  readonly stepNs: Float64Array;
}

/** ONNX Runtime's arena statistics of a session; all zero when the arena is off. */
export interface AllocatorStats {
  readonly inUseBytes: number;
  readonly maxInUseBytes: number;
  readonly totalAllocatedBytes: number;
  readonly allocations: number;
}

export interface MemoryUse {
  readonly residentBytes: number;
  /** Highest resident size so far (VmHWM; since the last reset). */
  readonly peakResidentBytes: number;
}

export interface HostFacts {
  readonly cpuModel: string;
  readonly logicalCores: number;
  /** Cores that this process may run on (affinity mask and cgroup quota). */
  readonly availableCores: number;
  readonly totalMemoryBytes: number;
  /** Current frequency in MHz, 0 where the system does not tell. */
  readonly frequencyMhz: number;
  /** Instruction set extensions that matter here, such as avx2, fma, avx512f. */
  readonly features: readonly string[];
  readonly platform: string;
}

declare const lockBrand: unique symbol;
/** A lock on a file, held until it is released or the process ends, however it ends. */
export interface LockHandle {
  readonly [lockBrand]: true;
}

/** What the addon offers without ONNX Runtime. */
export interface HostBinding {
  /** The CUDA measuring library; `cuda.ts` opens it. */
  readonly cuda: CudaAddon;
  hostFacts(): HostFacts;
  memoryUse(): MemoryUse;
  /** Sets the peak back to the present resident size (Linux; a no-op that returns false elsewhere). */
  resetPeakMemory(): boolean;
  /** Takes the lock of the file at `path`, which then holds this process's id; null if it is taken. */
  tryLock(path: string): LockHandle | null;
  unlock(lock: LockHandle): void;
  /**
   * Rates of `repetitions` stretches of about 10 ms each, on `threads` threads at once. `bytes` is
   * the size of the buffers of `bandwidth`, all threads together. An empty array where this
   * processor has no such unit (`int8` without VNNI or the like).
   */
  measurePeak(
    kind: PeakKind,
    threads: number,
    repetitions: number,
    bytes: number,
  ): Promise<Float64Array>;
}

/**
 * Methods that return a promise run off the JavaScript thread; until it settles, the typed arrays
 * that were passed must be neither written nor transferred.
 */
export interface NativeBinding extends HostBinding {
  /** Version of the ONNX Runtime library that was opened, such as `1.30.0`. */
  runtimeVersion(): string;
  /** Execution providers compiled into the library. */
  availableProviders(): string[];
  createSession(model: Uint8Array, options: SessionOptions): Promise<SessionHandle>;
  sessionInputs(session: SessionHandle): SessionValue[];
  sessionOutputs(session: SessionHandle): SessionValue[];
  /** Time that parsing and optimising the model took. */
  sessionLoadNs(session: SessionHandle): number;
  /** Of the host's arena, or of the memory where the provider keeps inputs; zero where not told. */
  allocatorStats(session: SessionHandle, memory: 'host' | 'device'): AllocatorStats;
  /** Ends profiling; path of the file, Chrome trace events as JSON. */
  endProfiling(session: SessionHandle): string;
  releaseSession(session: SessionHandle): void;
  /** One run. Outputs in the order asked for. */
  run(
    session: SessionHandle,
    feeds: Readonly<Record<string, HostTensor>>,
    outputs: readonly string[],
  ): Promise<HostTensor[]>;
  /** Copies every input set into bound buffers; all sets must agree in shapes. Runs the model twice. */
  createTimer(
    session: SessionHandle,
    inputSets: readonly Readonly<Record<string, HostTensor>>[],
    placement: Placement,
  ): Promise<TimerHandle>;
  /** Time of the timer's first run; the session's cold run if nothing ran before. */
  timerFirstRunNs(timer: TimerHandle): number;
  /** Samples by plan, input sets in rotation. */
  runTimer(timer: TimerHandle, plan: TimingPlan): Promise<TimingWindow>;
  /** Runs timers side by side, a thread each, until `durationNs` are over; at least one run each. */
  runTimersTogether(timers: readonly TimerHandle[], durationNs: number): Promise<ConcurrentRuns>;
  /** Output of the last timed run: which input set it used, and its outputs. */
  timerOutputs(timer: TimerHandle): { inputSet: number; outputs: HostTensor[] };
  releaseTimer(timer: TimerHandle): void;
  /** Runs a step graph once per batch of `order`, state rebound from outputs to inputs. */
  runLoop(session: SessionHandle, request: LoopRequest): Promise<LoopResult>;
}
