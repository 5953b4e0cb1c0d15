/**
 * Memory as it is predicted and as it is measured, for the models of a folder: what the planner
 * expects of activations beside what ONNX Runtime's arena took to run, and how well the process peak
 * repeats when a model is measured first, and again after all the others.
 *
 *   npm run build && node benchmarks/memory.mjs [--models ../shared/data/onnx-models] [--json]
 *
 * Flags: --device (default cpu), --threads (default 1), --rounds: times that every model is measured
 * (default 2; the peaks of all rounds are compared).
 *
 * The arena counts whole chunks: a block that it already has is not split unless it is more than
 * twice as large as what is asked for, so its peak may be up to twice the bytes in use.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes, formatTable } from '../dist/cli/table.js';
import { createDevice } from '../dist/device/ort.js';
import { measureModel } from '../dist/measure/measure.js';

const { values: flags } = parseArgs({
  options: {
    models: { type: 'string', default: '../shared/data/onnx-models' },
    device: { type: 'string', default: 'cpu' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});

/** Shapes that a model's file leaves open and its authors prescribe. */
const shapes = { 'silero-vad-16k-op15.onnx': { input: [1, 512] } };

if (!existsSync(flags.models)) {
  console.error(`${flags.models}: expected a folder of ONNX models; give --models`);
  process.exit(2);
}
const files = readdirSync(flags.models).filter((name) => name.endsWith('.onnx'));
const device = createDevice({ id: flags.device, threads: Number(flags.threads) });
const seen = new Map(files.map((file) => [file, []]));
try {
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const file of files) {
      const bytes = new Uint8Array(readFileSync(join(flags.models, file)));
      const options = { seconds: 0.05, ...(file in shapes && { shapes: shapes[file] }) };
      const { memory } = await measureModel(device, bytes, options);
      seen.get(file).push(memory);
      console.error(`round ${round + 1}: ${file} ${formatBytes(memory.processPeakBytes)}`);
    }
  }
} finally {
  await device.close();
}

const rows = [...seen].map(([model, memories]) => {
  const peaks = memories.map(({ processPeakBytes }) => processPeakBytes);
  const [{ arenaPeakBytes, arenaLoadedBytes, ...first }] = memories;
  return {
    model,
    ...first,
    arenaPeakBytes,
    arenaLoadedBytes,
    arenaRunBytes: arenaPeakBytes - arenaLoadedBytes,
    processPeaksBytes: peaks,
    processPeakSpread: Math.max(...peaks) / Math.min(...peaks) - 1,
  };
});
if (flags.json) {
  console.log(JSON.stringify({ schema: 'archwright.memory-benchmark/1', rows }, null, 2));
} else {
  const bytes = (title, key) => ({ title, value: (row) => formatBytes(row[key]), align: 'right' });
  const columns = [
    { title: 'model', value: ({ model }) => model },
    bytes('weights', 'weightsBytes'),
    bytes('folded', 'foldedBytes'),
    bytes('activations predicted', 'activationPeakBytes'),
    bytes('arena, to run', 'arenaRunBytes'),
    bytes('arena peak', 'arenaPeakBytes'),
    bytes('process peak', 'processPeakBytes'),
    {
      title: 'its spread',
      value: ({ processPeakSpread }) => `${(100 * processPeakSpread).toFixed(2)} %`,
      align: 'right',
    },
  ];
  console.log(formatTable(columns, rows));
}
