/** Pure: what becomes of events, with numbers that can be checked by hand. */
import { describe, expect, it } from 'vitest';
import { InternalError } from '../../../src/errors.js';
import { parseProfile } from '../../../src/measure/profile/events.js';
import {
  inferTimes,
  type ProfilerCost,
  splitPrograms,
} from '../../../src/measure/profile/times.js';

const cost: ProfilerCost = {
  perEventUs: 1,
  perTensorUs: 0.5,
  perDimUs: 0,
  leastKernelUs: 0.1,
  perRunUs: 2,
};

interface Loose {
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly cat?: string;
  readonly provider?: string;
}

const event = ({ name, ts, dur, cat = 'Node', provider = 'CPUExecutionProvider' }: Loose) => ({
  cat,
  name: cat === 'Node' ? `${name}_kernel_time` : name,
  ts,
  dur,
  ph: 'X',
  args: {
    op_name: 'Op',
    provider,
    input_type_shape: [{ float: [1, 3] }],
    output_type_shape: [{ float: [2] }],
    activation_size: '12',
    output_size: '8',
  },
});

/** A run from `at`: kernels `a` (of `a` µs) and `loop` with `inner` in its body. */
function createRun(at: number, a: number) {
  return [
    event({ name: 'a', ts: at + 1, dur: a }),
    event({ name: 'inner', ts: at + a + 5, dur: 6 }),
    event({ name: 'SequentialExecutor::Execute', ts: at + a + 4, dur: 10, cat: 'Session' }),
    event({ name: 'loop', ts: at + a + 2, dur: 15 }),
    event({ name: 'SequentialExecutor::Execute', ts: at, dur: a + 20, cat: 'Session' }),
    event({ name: 'model_run', ts: at, dur: a + 22, cat: 'Session' }),
  ];
}

const parse = (events: readonly unknown[]) => parseProfile(JSON.stringify(events));

describe('parseProfile', () => {
  it('puts kernels into runs, and kernels of bodies into their node', () => {
    const { runs } = parse([...createRun(100, 9), ...createRun(200, 7)]);
    expect(runs.map(({ startUs }) => startUs)).toEqual([100, 200]);
    expect(runs[0]?.kernels.map(({ name }) => name)).toEqual(['a', 'loop']);
    const [a, loop] = runs[0]?.kernels ?? [];
    expect(a).toMatchObject({ durationUs: 9, tensors: 2, dims: 3, bodyUs: 0, body: [] });
    expect(a?.memory).toMatchObject({ inputBytes: 12, outputBytes: 8, inUsePeakBytes: null });
    expect(loop).toMatchObject({ bodyUs: 10, body: [{ name: 'inner', durationUs: 6 }] });
  });

  it('refuses what is no profile', () => {
    expect(() => parseProfile('[{"cat"')).toThrow(InternalError);
    expect(() => parseProfile('{}')).toThrow(InternalError);
  });
});

describe('inferTimes on the host', () => {
  // The events of `a` (9), `loop` without its body (5) and `inner` (6), each with 2 µs of profiler.
  const profile = parse(Array.from({ length: 8 }, (_, i) => createRun(100 * i, 9)).flat());
  const counted = Array.from({ length: 6 }, () => true);

  it('takes the calibrated cost off where that leaves the latency', () => {
    const times = inferTimes(profile, counted, cost, 16);
    expect(times.fit?.scale).toBeCloseTo(1, 3);
    expect(times.fit?.unscaledUs).toBeCloseTo(16, 9);
    expect(times.runs).toBe(6);
    expect(times.kernels.map(({ latencyUs }) => latencyUs)).toEqual([
      expect.closeTo(7, 2),
      expect.closeTo(7, 2),
    ]);
    expect(times.kernels[1]?.body[0]?.latencyUs).toBeCloseTo(4, 2);
    expect(times.restUs).toBe(2);
  });

  it('scales the cost, and takes no kernel for faster than one that does nothing', () => {
    const times = inferTimes(profile, counted, cost, 2 + 2.2);
    expect(times.fit?.scale).toBeGreaterThan(1);
    const total = times.kernels.reduce((sum, { latencyUs }) => sum + latencyUs, times.restUs);
    expect(total).toBeGreaterThan(4.2); // beyond the bounds of the scale: it does not add up
  });

  it('does not add up where the profile is of something else', () => {
    for (const latencyUs of [1, 100]) {
      const times = inferTimes(profile, counted, cost, latencyUs);
      const total = times.kernels.reduce((sum, kernel) => sum + kernel.latencyUs, times.restUs);
      expect(Math.abs(total / latencyUs - 1)).toBeGreaterThan(0.25);
    }
  });

  it('leaves out runs that do not count or that ran other kernels', () => {
    const slow = parse([
      ...createRun(0, 9),
      ...createRun(100, 60),
      ...createRun(200, 9).slice(1),
      ...createRun(300, 9),
    ]);
    const times = inferTimes(slow, [true, false, true, true], cost, 16);
    expect(times.runs).toBe(2);
    expect(times.kernels[0]?.profiledUs).toBe(9);
  });
});

describe('inferTimes on a device', () => {
  const gpu = 'WebGpuExecutionProvider';
  const run = (at: number) => [
    event({ name: 'a', ts: at + 1, dur: 3, provider: gpu }),
    event({ name: 'b', ts: at + 5, dur: 12 }),
    event({ name: 'c', ts: at + 20, dur: 70, provider: gpu }),
    event({ name: 'SequentialExecutor::Execute', ts: at, dur: 95, cat: 'Session' }),
    event({ name: 'model_run', ts: at, dur: 100, cat: 'Session' }),
  ];
  const program = (name: string, ts: number, dur: number) => event({ name, ts, dur, cat: 'Api' });
  const programs = (at: number) => [
    program('a&Conv&Pack', at + 2, 10),
    program('a&Conv&Conv', at + 12, 20),
    program('c&Relu&Relu', at + 40, 25),
  ];
  const starts = [0, 200, 400, 600];

  it('gives kernels the time of their programs, and the rest of the run its own line', () => {
    const profile = parse([...starts.flatMap(run), ...starts.flatMap(programs)]);
    const { kernels, restUs, fit } = inferTimes(profile, [true, true, true], cost, 100);
    expect(kernels.map(({ latencyUs }) => latencyUs)).toEqual([30, 10, 25]);
    expect(kernels.map(({ deviceUs }) => deviceUs)).toEqual([30, null, 25]);
    expect(restUs).toBe(35);
    expect(fit).toBeNull();
  });

  it('knows the programs of a run by their repetition, else by the clock', () => {
    const first = program('a&Conv&Weights', 1, 5);
    const repeated = parse([...starts.flatMap(run), first, ...starts.flatMap(programs)]);
    expect(splitPrograms(repeated).map((list) => list.length)).toEqual([3, 3, 3, 3]);
    const odd = starts.flatMap((at, i) => programs(at).slice(i % 2));
    expect(splitPrograms(parse([...starts.flatMap(run), ...odd])).map((l) => l.length)).toEqual([
      3, 2, 3, 2,
    ]);
  });
});
