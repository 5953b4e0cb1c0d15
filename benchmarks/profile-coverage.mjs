/**
 * Do the times of a profile add up to the latency? For every model and device: the sum over the
 * profile ÷ the latency of its own unprofiled session, and ÷ the p50 of `measureModel` in another
 * process; how many nodes there are, what became of them, and by what factor the calibrated cost of
 * the profiler was fitted, with what the sum would have been without it.
 *
 *   npm run build && node benchmarks/profile-coverage.mjs [--devices cpu,webgpu] [--threads 1]
 *     [--seconds 3] [--models folder] [--only name] [--json]
 *
 * WebGPU without a GPU: name SwiftShader's driver in VK_DRIVER_FILES.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatTable } from '../dist/cli/table.js';
import { createDevice } from '../dist/device/ort.js';
import { measureModel } from '../dist/measure/measure.js';
import { profileModel } from '../dist/measure/profile.js';

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: 'cpu' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
    models: {
      type: 'string',
      default: fileURLToPath(new URL('../../shared/data/onnx-models/', import.meta.url)),
    },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
/** Sizes that a model needs and that no convention tells. */
const dims = { 'silero-vad-16k-op15.onnx': { sequence: 512 } };

async function cover(device, file) {
  const model = new Uint8Array(readFileSync(join(values.models, file)));
  const options = { seconds, ...(dims[file] && { dims: dims[file] }) };
  const { profile } = await profileModel(device, model, options);
  const { latencyMs } = await measureModel(device, model, options);
  const count = (fate) => profile.nodes.filter((node) => node.fate === fate).length;
  return {
    model: file,
    device: device.id,
    latencyMs: profile.latencyMs.p50,
    profiledMs: profile.profiledMs,
    totalMs: profile.totalMs,
    restMs: profile.rest.latencyMs,
    coverage: profile.coverage,
    coverageOfBench: profile.totalMs / latencyMs.p50,
    costScale: profile.profilerCost?.scale ?? null,
    unscaledCoverage: profile.profilerCost?.unscaledCoverage ?? null,
    nodes: profile.nodes.length,
    fates: ['kernel', 'fused', 'folded', 'removed'].map(count),
    kernels: profile.kernels.length,
    added: profile.kernels.filter(({ kind }) => kind !== 'node').length,
    flags: profile.flags,
  };
}

const rows = [];
for (const id of values.devices.split(',')) {
  const device = createDevice({ id, threads: Number(values.threads) });
  try {
    for (const file of readdirSync(values.models)) {
      if (!file.endsWith('.onnx') || !file.includes(values.only)) continue;
      process.stderr.write(`${id} ${file}\n`);
      rows.push(await cover(device, file));
    }
  } finally {
    await device.close();
  }
}

const number = (title, value, digits) => ({
  title,
  value: (row) => (value(row) === null ? '–' : value(row).toFixed(digits)),
  align: 'right',
});
process.stdout.write(
  values.json
    ? `${JSON.stringify({ schema: 'archwright.profile-coverage/1', seconds, rows }, null, 2)}\n`
    : `${formatTable(
        [
          { title: 'model', value: ({ model }) => model.replace('.onnx', '') },
          { title: 'device', value: ({ device }) => device },
          number('latency ms', (row) => row.latencyMs, 4),
          number('profiled', (row) => row.profiledMs, 4),
          number('sum ÷ latency', (row) => row.coverage, 3),
          number('sum ÷ bench', (row) => row.coverageOfBench, 3),
          number('rest ms', (row) => row.restMs, 4),
          number('cost ×', (row) => row.costScale, 2),
          number('sum at × 1', (row) => row.unscaledCoverage, 2),
          number('nodes', (row) => row.nodes, 0),
          { title: 'kernel/fused/folded/removed', value: ({ fates }) => fates.join('/') },
          number('kernels', (row) => row.kernels, 0),
          number('added', (row) => row.added, 0),
        ],
        rows,
      )}\n`,
);
