/**
 * A profile as a Chrome trace (the "JSON object format" of the Trace Event Format), to be opened in
 * chrome://tracing or Perfetto. Two rows of the average run, by the user's names: kernels with their
 * estimated times end to end; and a run as the profiler recorded it. A third where a device told the
 * times of its programs.
 */
import type { KernelEvent } from './events.js';
import type { BodyKernel, KernelProfile, ProfileReport } from './report.js';
import type { ProfileTimes } from './times.js';

/** A complete event (`X`): times in microseconds; or the name of a row (`M`). */
export interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly ph: 'X' | 'M';
  readonly pid: 1;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface Trace {
  readonly displayTimeUnit: 'ns';
  readonly traceEvents: readonly TraceEvent[];
}

const ESTIMATED = 1;
const RECORDED = 2;
const DEVICE = 3;

export function createTrace(
  { kernels }: ProfileReport,
  { kernels: times, restUs, sample }: ProfileTimes,
): Trace {
  const names = new Map(times.map(({ name }, i) => [name, kernels[i] as KernelProfile]));
  const title = (name: string) => names.get(name)?.name ?? name;
  const { startUs } = sample.run;
  const device = sample.programs.map((program) =>
    slice(
      title(program.node),
      program.program,
      DEVICE,
      program.startUs - startUs,
      program.durationUs,
    ),
  );
  return {
    displayTimeUnit: 'ns',
    traceEvents: [
      row(ESTIMATED, 'estimated, not profiled'),
      row(RECORDED, 'as recorded with the profiler'),
      ...(device.length > 0 ? [row(DEVICE, 'programs by the clock of the device')] : []),
      ...layOut(kernels, restUs),
      ...record(sample.run.kernels, startUs, title),
      ...device,
    ],
  };
}

function layOut(kernels: readonly KernelProfile[], restUs: number): TraceEvent[] {
  let at = 0;
  const events = kernels.flatMap((kernel) => {
    const { name, kind, op, provider, nodes, profiledMs, flops, bytes, rooflineShare, memory } =
      kernel;
    const args = { op, provider, nodes, profiledMs, flops, bytes, rooflineShare, ...memory };
    const start = at;
    at += 1e3 * kernel.latencyMs;
    const own = slice(
      kind === 'node' ? name : `(added) ${name}`,
      op,
      ESTIMATED,
      start,
      at - start,
      args,
    );
    return [own, ...layOutBody(kernel.body, start)];
  });
  return [...events, slice('(run)', 'run', ESTIMATED, at, restUs)];
}

function layOutBody(body: readonly BodyKernel[], start: number): TraceEvent[] {
  let at = start;
  return body.flatMap(({ name, op, provider, latencyMs, body: inner }) => {
    const begin = at;
    at += 1e3 * latencyMs;
    return [
      slice(name, op, ESTIMATED, begin, at - begin, { op, provider }),
      ...layOutBody(inner, begin),
    ];
  });
}

function record(
  kernels: readonly KernelEvent[],
  startUs: number,
  title: (name: string) => string,
): TraceEvent[] {
  return kernels.flatMap(({ name, op, provider, startUs: at, durationUs, body }) => [
    slice(title(name), op, RECORDED, at - startUs, durationUs, { op, provider }),
    ...record(body, startUs, title),
  ]);
}

function slice(
  name: string,
  cat: string,
  tid: number,
  ts: number,
  dur: number,
  args: TraceEvent['args'] = {},
): TraceEvent {
  return { name, cat, ph: 'X', pid: 1, tid, ts, dur, args };
}

function row(tid: number, name: string): TraceEvent {
  return { name: 'thread_name', cat: '__metadata', ph: 'M', pid: 1, tid, ts: 0, args: { name } };
}
