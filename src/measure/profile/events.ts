/**
 * What ONNX Runtime's profiler wrote: an array of Chrome trace events, each recorded when it ended.
 * `Node` events are kernels on the host's clock, `Session` events the runs around them, `Api` events
 * programs on a WebGPU device's clock, named `<node>&<operator>&<program>`. Times are whole
 * microseconds, rounded down.
 */
import { InternalError } from '../../errors.js';

/** A kernel that ran. */
export interface KernelEvent {
  /** Name of its node in the graph as ONNX Runtime runs it. */
  readonly name: string;
  readonly op: string;
  /** Execution provider, such as `CPUExecutionProvider`. */
  readonly provider: string;
  readonly startUs: number;
  readonly durationUs: number;
  /** Tensors and dimensions that the profiler wrote down while the kernel's clock ran. */
  readonly tensors: number;
  readonly dims: number;
  readonly memory: EventMemory;
  /** Kernels of its body that ran, and the time around them; for If, Loop and Scan. */
  readonly body: KernelEvent[];
  readonly bodyUs: number;
}

/** Bytes, as ONNX Runtime states them. */
export interface EventMemory {
  readonly inputBytes: number;
  readonly weightBytes: number;
  readonly outputBytes: number;
  /** Memory of the host's arena in use after the kernel, its change, its peak during the kernel. */
  readonly inUseBytes: number | null;
  readonly inUseChangeBytes: number | null;
  readonly inUsePeakBytes: number | null;
}

/** One run of the model. */
export interface RunEvents {
  readonly startUs: number;
  readonly durationUs: number;
  readonly kernels: readonly KernelEvent[];
}

/** A program on the device. */
export interface ProgramEvent {
  readonly node: string;
  readonly program: string;
  readonly startUs: number;
  readonly durationUs: number;
}

export interface Profile {
  readonly runs: readonly RunEvents[];
  /** In the order of execution, all runs together. */
  readonly programs: readonly ProgramEvent[];
}

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

const KERNEL_SUFFIX = '_kernel_time';

/** Parses the file's text. Throws `InternalError` for what is no profile. */
export function parseProfile(text: string): Profile {
  const runs: RunEvents[] = [];
  const programs: ProgramEvent[] = [];
  let kernels: KernelEvent[] = [];
  /** Bodies that ended and whose If, Loop or Scan has not ended yet. */
  let bodies: { readonly startUs: number; readonly us: number; readonly kernels: KernelEvent[] }[] =
    [];
  for (const { cat, name, ts, dur, args = {} } of parseEvents(text)) {
    if (cat === 'Api') {
      const [node = name, , program = name] = name.split('&');
      programs.push({ node, program, startUs: ts, durationUs: dur });
    } else if (cat === 'Node' && name.endsWith(KERNEL_SUFFIX)) {
      const own = bodies.filter(({ startUs }) => startUs >= ts);
      bodies = bodies.filter(({ startUs }) => startUs < ts);
      const { tensors, dims } = countShapes(args);
      kernels.push({
        name: name.slice(0, -KERNEL_SUFFIX.length),
        op: String(args.op_name),
        provider: String(args.provider),
        startUs: ts,
        durationUs: dur,
        tensors,
        dims,
        memory: readMemory(args),
        body: own.flatMap((body) => body.kernels),
        bodyUs: own.reduce((sum, { us }) => sum + us, 0),
      });
    } else if (name === 'SequentialExecutor::Execute') {
      const own = kernels.filter(({ startUs }) => startUs >= ts);
      kernels = kernels.filter(({ startUs }) => startUs < ts);
      bodies.push({ startUs: ts, us: dur, kernels: own });
    } else if (name === 'model_run') {
      const own = bodies.flatMap((body) => body.kernels);
      runs.push({ startUs: ts, durationUs: dur, kernels: own });
      bodies = [];
      kernels = [];
    }
  }
  return { runs, programs };
}

function parseEvents(text: string): readonly TraceEvent[] {
  let events: unknown;
  try {
    events = JSON.parse(text);
  } catch (cause) {
    throw new InternalError('expected the profile to be JSON', { cause });
  }
  if (!Array.isArray(events)) throw new InternalError('expected the profile to be an array');
  return events;
}

/** Shapes are written as `[{"float":[1,3]},{"int64":[]}]`. */
function countShapes(args: Readonly<Record<string, unknown>>): { tensors: number; dims: number } {
  let tensors = 0;
  let dims = 0;
  for (const list of [args.input_type_shape, args.output_type_shape]) {
    if (!Array.isArray(list)) continue;
    for (const shape of list.flatMap((tensor: object) => Object.values(tensor))) {
      tensors++;
      if (Array.isArray(shape)) dims += shape.length;
    }
  }
  return { tensors, dims };
}

function readMemory(args: Readonly<Record<string, unknown>>): EventMemory {
  const stated = (key: string): number | null =>
    args[key] === undefined ? null : Number(args[key]);
  return {
    inputBytes: stated('activation_size') ?? 0,
    weightBytes: stated('parameter_size') ?? 0,
    outputBytes: stated('output_size') ?? 0,
    inUseBytes: stated('mem_bytes_in_use'),
    inUseChangeBytes: stated('mem_in_use_delta'),
    inUsePeakBytes: stated('mem_in_use_peak'),
  };
}
