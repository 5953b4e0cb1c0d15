/**
 * The instrument beside a plain loop: is our p50 at or below that of a loop over `onnxruntime-node`,
 * and does it scatter less from process to process?
 *
 *   npm run build && node benchmarks/bench-vs-plain.mjs [--processes 10] [--threads 1] [--seconds 2]
 *
 * Each figure is the p50 of a fresh process; the two kinds alternate, so that both see the same
 * machine. Same model bytes, threads, optimisation level and sampling time for both. The plain loop
 * warms up for a quarter of that time, feeds one input and times `await session.run` by the clock.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createCpuDevice } from '../dist/device/ort.js';
import { GraphBuilder } from '../dist/ir/builder.js';
import { encodeModel } from '../dist/ir/onnx/encode.js';
import { measureModel } from '../dist/measure/measure.js';
import { median, quantile } from '../dist/measure/statistics.js';
import { Rng } from '../dist/util/random.js';

const models = {
  small: { channels: 3, size: 32, stages: [24, 48], depth: 2 },
  large: { channels: 3, size: 64, stages: [32, 64, 128], depth: 6 },
};

/** A plain convolutional net: stages of `depth` 3×3 convolutions, halving the size in between. */
function buildModel({ channels, size, stages, depth }) {
  const rng = new Rng('bench-vs-plain');
  const builder = new GraphBuilder('bench-vs-plain');
  const weight = (name, dims) => {
    const fanIn = dims.slice(1).reduce((product, dim) => product * dim, 1);
    const draw = () => rng.normal() * Math.sqrt(2 / fanIn);
    const data = Float32Array.from({ length: fanIn * dims[0] }, draw);
    return builder.initializer({ name, role: 'weight', dtype: 'float32', dims, data });
  };
  let value = builder.input('image', 'float32', [1, channels, size, size]);
  let width = channels;
  stages.forEach((out, stage) => {
    for (let layer = 0; layer < depth; layer++) {
      const stride = stage > 0 && layer === 0 ? 2 : 1;
      const kernel = weight(`kernel.${stage}.${layer}`, [out, width, 3, 3]);
      const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [stride, stride] };
      value = builder.op('Relu', [builder.op('Conv', [value, kernel], attributes)]);
      width = out;
    }
  });
  const pooled = builder.op('Flatten', [builder.op('GlobalAveragePool', [value])]);
  const logits = builder.op('Gemm', [pooled, weight('head', [10, width])], { transB: 1 });
  builder.output(logits, 'logits');
  return encodeModel(builder.build());
}

/** p50 by Archwright, milliseconds. */
async function timeOurs(bytes, threads, seconds) {
  const device = createCpuDevice({ threads });
  try {
    // An interval that is never narrow enough: the whole time is used, as by the plain loop.
    const options = { seconds, relativeHalfWidth: 0 };
    const { latencyMs, correctedMs } = await measureModel(device, bytes, options);
    return { p50: latencyMs.p50, corrected: correctedMs.p50 };
  } finally {
    await device.close();
  }
}

/** p50 by a plain loop, milliseconds. */
async function timePlain(bytes, threads, seconds) {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const [{ name, shape }] = session.inputMetadata;
  const rng = new Rng('plain');
  const count = shape.reduce((product, dim) => product * dim, 1);
  const data = Float32Array.from({ length: count }, () => rng.normal());
  const feeds = { [name]: new Tensor('float32', data, shape) };
  const start = performance.now();
  const warm = start + 250 * seconds;
  const end = start + 1e3 * seconds;
  const samples = [];
  for (;;) {
    const before = performance.now();
    await session.run(feeds);
    const after = performance.now();
    if (before > warm) samples.push(after - before);
    if (after > end) return { p50: median(samples) };
  }
}

/** One measurement in a process of its own. */
function runChild(kind, path, { threads, seconds }) {
  const output = execFileSync(
    process.execPath,
    [fileURLToPath(import.meta.url), '--child', kind, '--model', path, '--threads', threads].concat(
      ['--seconds', seconds],
    ),
    { env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' }, encoding: 'utf8' },
  );
  return JSON.parse(output);
}

function printSummary(name, values) {
  const sorted = [...values].sort((a, b) => a - b);
  const us = (ms) => `${(1e3 * ms).toFixed(1)} µs`;
  const iqr = quantile(sorted, 0.75) - quantile(sorted, 0.25);
  const range = sorted.at(-1) - sorted[0];
  console.log(
    `  ${name.padEnd(15)} median ${us(median(values))}, IQR ${us(iqr)}, max − min ${us(range)}`,
  );
  console.log(`    ${values.map((value) => (1e3 * value).toFixed(1)).join(' ')}`);
}

const { values: flags } = parseArgs({
  options: {
    processes: { type: 'string', default: '10' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '2' },
    child: { type: 'string' },
    model: { type: 'string' },
  },
});

if (flags.child !== undefined) {
  const time = flags.child === 'ours' ? timeOurs : timePlain;
  const bytes = new Uint8Array(readFileSync(flags.model));
  console.log(JSON.stringify(await time(bytes, Number(flags.threads), Number(flags.seconds))));
} else {
  const folder = mkdtempSync(join(tmpdir(), 'bench-vs-plain-'));
  try {
    for (const [name, shape] of Object.entries(models)) {
      const path = join(folder, `${name}.onnx`);
      writeFileSync(path, buildModel(shape));
      const ours = [];
      const plain = [];
      for (let i = 0; i < Number(flags.processes); i++) {
        ours.push(runChild('ours', path, flags));
        plain.push(runChild('plain', path, flags));
      }
      console.log(
        `${name} model, ${flags.threads} thread(s), ${flags.processes} processes each, p50:`,
      );
      printSummary(
        'ours',
        ours.map(({ p50 }) => p50),
      );
      printSummary(
        'ours, corrected',
        ours.map(({ corrected }) => corrected),
      );
      printSummary(
        'plain loop',
        plain.map(({ p50 }) => p50),
      );
      const ratio = median(ours.map(({ p50 }) => p50)) / median(plain.map(({ p50 }) => p50));
      console.log(`  ours ÷ plain loop ${ratio.toFixed(4)}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
