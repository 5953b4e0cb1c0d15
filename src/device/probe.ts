/**
 * Whether a device is usable: a small network runs on it, in a process of its own, and gives what
 * the CPU gives. A provider that would leave a node to the CPU is not usable; a crash or a hang of a
 * driver ends the probe's process only.
 */
import { errorMessage, UsageError } from '../errors.js';
import { GraphBuilder } from '../ir/builder.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { Runner, type SessionOptions } from '../runtime/runtime.js';
import { Rng } from '../util/random.js';
import type { Device, DeviceFacts, DeviceListing } from './device.js';
import { explainFailure, explainMissing } from './diagnosis.js';
import { describeHardware, listNvidiaGpus } from './hardware.js';
import type { HostProbe, ProbeModel, ProviderProbeArgs } from './probe-task.js';
import { type DeviceName, encodeOptions, parseDeviceName, providerIds } from './provider.js';

/** A driver may compile shaders or engines in its first run; past this it hangs. */
const probeTimeoutMs = 60_000;
/** float16 and TF32 keep ten bits; a wrong result is wrong by far more. */
const tolerance = 0.02;
/** Faults of ONNX Runtime's providers, each with a model that shows it where it is there. */
const knownFaults: readonly { readonly fault: string; readonly model: () => ProbeModel }[] = [
  {
    // github.com/microsoft/onnxruntime/issues/29651: with layout NHWC, which is WebGPU's default.
    fault:
      'convolutions from 6, 9, 15, 18 … channels (multiples of 3, not of 4) to a multiple of 4 give ' +
      'wrong results (ONNX Runtime issue 29651); on webgpu, the option layout=NCHW avoids it',
    model: () => convolution(6, 16),
  },
];
const taskModule = new URL('probe-task.js', import.meta.url).href;

/** What the addon and ONNX Runtime's library say of themselves and of this machine. */
export function callHostProbe(runner: Runner): Promise<HostProbe> {
  const task = { module: taskModule, name: 'probeHost', args: null };
  return runner.call<HostProbe>(task, { timeoutMs: probeTimeoutMs });
}

/** Every device that this version knows, probed at the same time; never rejects. */
export async function listDevices(): Promise<DeviceListing[]> {
  let host: HostProbe;
  try {
    host = await withRunner(callHostProbe);
  } catch (error) {
    const fix = 'see `archwright doctor`, or reinstall: npm ci';
    return [{ id: 'cpu', usable: false, reason: errorMessage(error), fix }];
  }
  const more = listNvidiaGpus().flatMap((_, i) => (i === 0 ? [] : [`cuda:${i}`, `tensorrt:${i}`]));
  return Promise.all(
    [...providerIds, ...more].map((id) => {
      const name = parseDeviceName(id, 'device');
      const threads = host.host.availableCores;
      return examine(name, host, { threads, optimization: 'all', ...encodeOptions(name, {}) });
    }),
  );
}

/**
 * Throws `UsageError` with the reason and what to do, if the device is not usable as it is set. Gives
 * what it computes wrongly, see `DeviceListing`.
 */
export async function checkUsable(device: Device): Promise<readonly string[]> {
  const name = parseDeviceName(device.id, 'device');
  if (name.provider === 'cpu') return [];
  const found = await examine(name, await withRunner(callHostProbe), device.sessionOptions());
  if (found.usable) return found.faults;
  throw new UsageError(`device ${found.id}: not usable here: ${found.reason}; ${found.fix}`);
}

async function examine(
  name: DeviceName,
  host: HostProbe,
  options: SessionOptions,
): Promise<DeviceListing> {
  const { id, provider } = name;
  const missing = explainMissing(provider, host);
  if (missing !== undefined) return { id, usable: false, ...missing };
  let faults: readonly string[];
  try {
    const [error, ...more] = await withRunner((runner) => callProviderProbe(runner, options));
    if (!isSmall(error)) {
      const reason = `its result differs from the CPU's by ${(100 * (error as number)).toFixed(1)} %`;
      return { id, usable: false, reason, fix: "update the device's driver" };
    }
    faults = knownFaults.flatMap(({ fault }, i) => (isSmall(more[i]) ? [] : [fault]));
  } catch (error) {
    const why = await explainFailure(provider, errorMessage(error), findMissing);
    return { id, usable: false, ...why };
  }
  const facts: DeviceFacts = {
    id,
    provider: options.provider,
    threads: options.threads,
    runtimeVersion: host.runtimeVersion,
    ...describeHardware(name, host.host),
    host: host.host,
  };
  return { id, usable: true, facts, faults };
}

function callProviderProbe(runner: Runner, options: SessionOptions): Promise<number[]> {
  const models = [convolution(8, 8), ...knownFaults.map(({ model }) => model())];
  const args: ProviderProbeArgs = { models, options };
  const task = { module: taskModule, name: 'probeProvider', args };
  return runner.call<number[]>(task, { timeoutMs: probeTimeoutMs });
}

/** A convolution of 3×3 with ReLU behind it, drawn at random. */
function convolution(inputs: number, outputs: number): ProbeModel {
  const dims = [1, inputs, 12, 12];
  const rng = new Rng('device-probe');
  const draw = (count: number) => Float32Array.from({ length: count }, () => rng.normal());
  const builder = new GraphBuilder('probe');
  const image = builder.input('image', 'float32', dims);
  const kernel = builder.initializer({
    name: 'kernel',
    role: 'weight',
    dtype: 'float32',
    dims: [outputs, inputs, 3, 3],
    data: draw(outputs * inputs * 9),
  });
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  builder.output(builder.op('Relu', [builder.op('Conv', [image, kernel], attributes)]), 'features');
  return {
    model: encodeModel(builder.build()),
    feeds: { image: { dtype: 'float32', dims, data: draw(inputs * 144) } },
  };
}

function isSmall(error: number | undefined): boolean {
  return error !== undefined && error <= tolerance; // NaN is not
}

/** Which shared libraries cannot be opened, tried in a process of its own. */
function findMissing(paths: readonly string[]): Promise<Record<string, string>> {
  const task = { module: taskModule, name: 'findMissingLibraries', args: paths };
  return withRunner((runner) => runner.call(task, { timeoutMs: probeTimeoutMs }));
}

async function withRunner<T>(work: (runner: Runner) => Promise<T>): Promise<T> {
  const runner = new Runner();
  try {
    return await work(runner);
  } finally {
    await runner.close();
  }
}
