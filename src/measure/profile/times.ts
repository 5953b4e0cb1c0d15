/**
 * From the profiler's events to the time of each kernel in a run of a session that is not profiled.
 *
 * On the host a kernel's event lasts longer than the kernel: while its clock runs, the profiler
 * writes down the shapes and sizes of its tensors. That part is modelled per event, tensor and
 * dimension (`calibrate.ts`), and the model is scaled by one factor per profile, within bounds, so
 * that the kernels leave the latency of the unprofiled session: the profiler's cost differs with the
 * state of the process's heap, by more than the smallest kernels take. Outside of the bounds the sum
 * is left as it is, and does not add up.
 *
 * On a WebGPU device the kernels' time is that of their programs by the device's clock; what the host
 * does meanwhile (encoding, submitting, waiting) is one remainder of the run.
 */
import { mean } from '../statistics.js';
import type { KernelEvent, Profile, ProgramEvent, RunEvents } from './events.js';

/** What the profiler and the runtime take beside the kernels, on the host, microseconds. */
export interface ProfilerCost {
  /** Inside the event of a kernel: each, and for each tensor and dimension written down. */
  readonly perEventUs: number;
  readonly perTensorUs: number;
  readonly perDimUs: number;
  /** The shortest time of a kernel, dispatch included: that of one which does next to nothing. */
  readonly leastKernelUs: number;
  /** ONNX Runtime's own time per run, without any kernel and without profiling. */
  readonly perRunUs: number;
}

/** A kernel averaged over runs. */
export interface KernelTime {
  readonly name: string;
  readonly op: string;
  readonly provider: string;
  /** In a run that is not profiled, its body included; without transfers, launch and waiting. */
  readonly latencyUs: number;
  /** As the profiler recorded it on the host. */
  readonly profiledUs: number;
  /** Time of its programs on the device; null on the host. */
  readonly deviceUs: number | null;
  readonly memory: KernelEvent['memory'];
  readonly body: readonly KernelTime[];
}

export interface ProfileTimes {
  readonly kernels: readonly KernelTime[];
  /** The runtime's own time per run (host), or the time that the device waits (WebGPU). */
  readonly restUs: number;
  /** Runs that were averaged: those that count, with the same kernels as the last. */
  readonly runs: number;
  /** How the modelled cost of the profiler was fitted; null where it was not needed. */
  readonly fit: {
    /** Factor on the cost. */
    readonly scale: number;
    /** Kernels and rest together with the cost as it was calibrated, without that factor. */
    readonly unscaledUs: number;
  } | null;
  /** A run of about the average duration, as it was recorded. */
  readonly sample: { readonly run: RunEvents; readonly programs: readonly ProgramEvent[] };
}

/** The calibration is believed up to these factors. */
const SCALE_BOUNDS = [0.4, 2.5] as const;

/**
 * @param counted Of the runs at the end of the profile, whether each counts; those before warmed up.
 * @param latencyUs Median latency of the unprofiled session.
 */
export function inferTimes(
  profile: Profile,
  counted: readonly boolean[],
  cost: ProfilerCost,
  latencyUs: number,
): ProfileTimes {
  const all = splitPrograms(profile);
  const last = sequenceOf(profile.runs.at(-1)?.kernels ?? []);
  const usual = profile.runs
    .map((run, i) => ({ run, programs: all[i] ?? [] }))
    .slice(-counted.length)
    .filter(({ run }, i) => counted[i] && sequenceOf(run.kernels) === last)
    .sort((a, b) => a.run.durationUs - b.run.durationUs);
  const average = spreadSpikes(usual.map(({ run }) => run.kernels));
  const common = {
    runs: usual.length,
    sample: usual[Math.floor(usual.length / 2)] as (typeof usual)[number],
  };
  if (profile.programs.length === 0) {
    const { kernels, fit } = fitHost(average, cost, latencyUs);
    return { kernels, restUs: cost.perRunUs, fit, ...common };
  }
  const kernels = addDevice(average, usual, cost);
  const wallUs = midmean(usual.map(({ run }) => run.durationUs));
  return { kernels, restUs: Math.max(0, wallUs - sumLatency(kernels)), fit: null, ...common };
}

/** A kernel averaged over runs, before what it stands for is known. */
interface Average extends Omit<KernelTime, 'latencyUs' | 'deviceUs' | 'body'> {
  readonly tensors: number;
  readonly dims: number;
  /** Beside its body. */
  readonly ownUs: number;
  readonly body: readonly Average[];
}

/**
 * Kernels on average. Disturbances hit one kernel in one run and another in the next: each kernel's
 * middle half knows nothing of them, but the middle half of the runs does, as does the latency. So
 * what a run has more than its kernels is spread over them in proportion.
 */
function spreadSpikes(runs: readonly (readonly KernelEvent[])[]): Average[] {
  const total = (kernels: readonly KernelEvent[]) =>
    kernels.reduce((sum, { durationUs }) => sum + durationUs, 0);
  const average = averageKernels(runs);
  const kernelsUs = average.reduce((sum, { profiledUs }) => sum + profiledUs, 0);
  const factor = kernelsUs > 0 ? midmean(runs.map(total)) / kernelsUs : 1;
  const scale = (kernel: Average): Average => ({
    ...kernel,
    profiledUs: factor * kernel.profiledUs,
    ownUs: factor * kernel.ownUs,
    body: kernel.body.map(scale),
  });
  return average.map(scale);
}

function averageKernels(runs: readonly (readonly KernelEvent[])[]): Average[] {
  const [first = []] = runs;
  return first.map(({ name, op, provider, memory, tensors, dims }, i) => {
    const events = runs.map((run) => run[i] as KernelEvent);
    return {
      name,
      op,
      provider,
      memory,
      tensors,
      dims,
      profiledUs: midmean(events.map(({ durationUs }) => durationUs)),
      ownUs: midmean(events.map(({ durationUs, bodyUs }) => durationUs - bodyUs)),
      body: averageKernels(events.map(({ body }) => body)),
    };
  });
}

function withoutCost(kernel: Average, cost: ProfilerCost, scale: number): KernelTime {
  const { name, op, provider, profiledUs, memory, tensors, dims } = kernel;
  const body = kernel.body.map((inner) => withoutCost(inner, cost, scale));
  const written = cost.perEventUs + tensors * cost.perTensorUs + dims * cost.perDimUs;
  const ownUs = Math.max(cost.leastKernelUs, kernel.ownUs - scale * written);
  const latencyUs = ownUs + sumLatency(body);
  return { name, op, provider, latencyUs, profiledUs, deviceUs: null, memory, body };
}

/** Finds the factor on `cost` with which kernels and rest take `latencyUs`, by bisection. */
function fitHost(
  average: readonly Average[],
  cost: ProfilerCost,
  latencyUs: number,
): Pick<ProfileTimes, 'kernels' | 'fit'> {
  const at = (scale: number) => average.map((kernel) => withoutCost(kernel, cost, scale));
  let [low, high] = SCALE_BOUNDS as readonly [number, number];
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (sumLatency(at(middle)) + cost.perRunUs > latencyUs) low = middle;
    else high = middle;
  }
  const unscaledUs = sumLatency(at(1)) + cost.perRunUs;
  return { kernels: at(high), fit: { scale: high, unscaledUs } };
}

type RunWithPrograms = ProfileTimes['sample'];

/** Gives kernels the time of their programs; those on the host keep theirs. */
function addDevice(
  average: readonly Average[],
  runs: readonly RunWithPrograms[],
  cost: ProfilerCost,
): KernelTime[] {
  const kernels = average.map((kernel) => withoutCost(kernel, cost, 1));
  const flat = flatten(kernels);
  const perRun = runs.map(({ programs }) => {
    const totals = new Float64Array(flat.length);
    let at = 0;
    for (const { node, durationUs } of programs) {
      // Programs come in the order of their kernels; one that starts anew is looked for from the top.
      let found = flat.findIndex(({ name }, i) => i >= at && name === node);
      if (found < 0) found = flat.findIndex(({ name }) => name === node);
      if (found < 0) continue;
      at = found;
      totals[found] = (totals[found] as number) + durationUs;
    }
    return totals;
  });
  let next = 0;
  const place = (kernel: KernelTime): KernelTime => {
    const onHost = kernel.provider === 'CPUExecutionProvider';
    const i = next++;
    const own = midmean(perRun.map((totals) => totals[i] as number));
    const body = kernel.body.map(place);
    const deviceUs = onHost
      ? null
      : own + body.reduce((sum, { deviceUs }) => sum + (deviceUs ?? 0), 0);
    // The host time of a body counts where its own kernels are on the host.
    const latencyUs = body.length > 0 ? own + sumLatency(body) : onHost ? kernel.latencyUs : own;
    return { ...kernel, deviceUs, latencyUs, body };
  };
  return kernels.map(place);
}

/** Programs by run. Runs repeat the same programs; where they do not, the clocks tell them apart. */
export function splitPrograms({ runs, programs }: Profile): (readonly ProgramEvent[])[] {
  const key = ({ node, program }: ProgramEvent) => `${node}&${program}`;
  const keys = programs.map(key);
  // The first run may have more, such as weights that are laid out once.
  const least = Math.max(1, runs.length - 1);
  for (let period = Math.floor(programs.length / runs.length); period > 0; period--) {
    const from = programs.length - period * least;
    const repeats = keys.every((k, i) => i < from + period || k === keys[i - period]);
    if (!repeats) continue;
    return runs.map((_, i) => {
      const end = programs.length - period * (runs.length - 1 - i);
      return programs.slice(Math.max(0, end - period), Math.max(0, end));
    });
  }
  return runs.map(({ startUs }, i) => {
    const nextUs = runs[i + 1]?.startUs ?? Number.POSITIVE_INFINITY;
    return programs.filter((program) => program.startUs >= startUs && program.startUs < nextUs);
  });
}

function sequenceOf(kernels: readonly KernelEvent[]): string {
  return kernels.map(({ name, body }) => `${name}(${sequenceOf(body)})`).join(',');
}

function flatten(kernels: readonly KernelTime[]): KernelTime[] {
  return kernels.flatMap((kernel) => [kernel, ...flatten(kernel.body)]);
}

function sumLatency(kernels: readonly { readonly latencyUs: number }[]): number {
  return kernels.reduce((sum, { latencyUs }) => sum + latencyUs, 0);
}

/** Mean of the middle half: robust, and finer than the whole microseconds of the events. */
function midmean(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const trimmed = Math.floor(sorted.length / 4);
  return mean(sorted.slice(trimmed, sorted.length - trimmed));
}
