/**
 * Every model of a folder on several devices through the command line: `bench` and `profile` run,
 * outputs equal those of plain `onnxruntime-node` (CPU), and the profile's times add up.
 *
 *   npm run build && node benchmarks/real-models.mjs <folder> [--devices cpu,webgpu]
 *     [--seconds 3] [--threads 1] [--models part,of,names] [--shape part:input=1,512] [--json]
 *
 * `--shape` (repeatable) fixes an input of the models whose name contains `part`.
 *
 * `difference`: largest |ours − plain| over all outputs ÷ largest |plain| of that output.
 * `nodes ÷ bench`: the sum of the profile's per-node times ÷ the p50 of `bench`, which is taken in
 * another process. `coverage`: the same sum ÷ the unprofiled latency that the profile took itself.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createDevice } from '../dist/device/ort.js';
import { runModel } from '../dist/device/run.js';
import { decodeModel } from '../dist/ir/onnx/decode.js';
import { compareOutputs } from '../dist/measure/compare-outputs.js';
import { resolveInputs } from '../dist/measure/dims.js';
import { createInputSets } from '../dist/measure/inputs.js';
import { Rng } from '../dist/util/random.js';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    devices: { type: 'string', default: 'cpu,webgpu' },
    seconds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '1' },
    models: { type: 'string', default: '' },
    shape: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('usage: node benchmarks/real-models.mjs <folder>');
process.env.ORT_DISABLE_TELEMETRY ??= '1';

/** Shapes for a model, as `name=1,2` each. */
const shapesOf = (model) =>
  flags.shape.flatMap((given) => {
    const [part, shape] = given.split(':');
    return model.includes(part) ? [shape] : [];
  });

function command(name, path, device) {
  const options = ['--device', device, '--threads', flags.threads, '--seconds', flags.seconds];
  for (const shape of shapesOf(path)) options.push('--shape', shape);
  const stdio = ['ignore', 'pipe', 'pipe'];
  const encoding = 'utf8';
  const args = [cli, name, path, ...options, '--json'];
  return JSON.parse(execFileSync(process.execPath, args, { encoding, stdio, maxBuffer: 2 ** 28 }));
}

/** Inputs by name, as `bench` draws them. */
function drawInputs(bytes, model) {
  const graph = decodeModel(bytes);
  const shapes = Object.fromEntries(
    shapesOf(model).map((shape) => {
      const [name, dims] = shape.split('=');
      return [name, dims.split(',').map(Number)];
    }),
  );
  const { dims } = resolveInputs(graph, { shapes });
  const inputs = graph.inputs.map(({ name, dtype }) => ({ name, dtype, dims: dims[name] }));
  return createInputSets(inputs, dims, 1, new Rng(0))[0];
}

async function runPlain(bytes, feeds) {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const tensors = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, data, dims }]) => [
      name,
      new Tensor(dtype, data, dims),
    ]),
  );
  return session.run(tensors);
}

/** Largest relative difference; NaN equals NaN, which some models give for random inputs. */
function largestDifference(ours, plain) {
  const tensors = Object.fromEntries(
    Object.entries(plain).map(([name, { type, dims, data }]) => [
      name,
      { dtype: type, dims, data },
    ]),
  );
  const difference = compareOutputs(ours, tensors);
  return (difference.comparable ? difference.maxRelDifference : null) ?? Number.POSITIVE_INFINITY;
}

async function examine(name, device) {
  const path = join(folder, name);
  const bytes = new Uint8Array(readFileSync(path));
  const feeds = drawInputs(bytes, name);
  const target = createDevice({ id: device, threads: Number(flags.threads) });
  let difference;
  try {
    const ours = await runModel(target, bytes, feeds);
    difference = largestDifference(ours, await runPlain(bytes, feeds));
  } finally {
    await target.close();
  }
  const [bench] = command('bench', path, device).results;
  const profile = command('profile', path, device);
  return {
    model: name,
    device,
    difference,
    benchMs: bench.latencyMs.p50,
    flags: bench.flags,
    nodesMs: profile.totalMs,
    nodesPerBench: profile.totalMs / bench.latencyMs.p50,
    coverage: profile.coverage,
    arenaPeakBytes: bench.memory.arenaPeakBytes,
    activationPeakBytes: bench.memory.activationPeakBytes,
  };
}

const rows = [];
const wanted = flags.models.split(',');
const names = readdirSync(folder).filter(
  (name) => name.endsWith('.onnx') && wanted.some((part) => name.includes(part)),
);
for (const device of flags.devices.split(',')) {
  for (const name of names) {
    let row;
    try {
      row = await examine(name, device);
    } catch (error) {
      row = { model: name, device, error: String(error.stderr ?? error.message).trim() };
    }
    rows.push(row);
    if (flags.json) continue;
    console.log(
      `${device.padEnd(7)} ${name.padEnd(32)} ` +
        (row.error ??
          `difference ${row.difference.toExponential(1)}, bench ${row.benchMs.toPrecision(4)} ms, ` +
            `nodes ÷ bench ${row.nodesPerBench.toFixed(3)}, coverage ${row.coverage.toFixed(3)} ` +
            `${row.flags.join(' ')}`),
    );
  }
}
if (flags.json) console.log(JSON.stringify({ schema: 'archwright.real-models/1', rows }, null, 2));
