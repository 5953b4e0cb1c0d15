// A table of our own: random architectures of the conv space, measured here on one thread of the CPU.
// The file is written after every architecture, and continued where it ended.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createDevice } from '../../dist/device/ort.js';
import { encodeModel } from '../../dist/ir/onnx/encode.js';
import { measureLatencyBriefly } from '../../dist/measure/measure.js';
import { createGraphEncoder, featuresOf } from '../../dist/measure/predictor.js';
import { createConvSpace } from '../../dist/space/conv.js';
import { deployGraph } from '../../dist/train/deploy.js';
import { drawWeights } from '../../dist/train/initialize.js';
import { Rng } from '../../dist/util/random.js';

const SECONDS_EACH = 1;
const CLASSES = Array.from({ length: 10 }, (_, i) => String(i));
const COLUMN = 'cpu_1_thread_latency_ms';

/** Measures what `out` has not yet of `count` architectures; the table with its features. */
export async function measureConvSpace(count, { out, image, seed }, log) {
  const [channels, height, width] = image.split('x').map(Number);
  const space = createConvSpace({ channels, height, width, classes: CLASSES.length });
  const rows = readRows(out, { image, seed });
  const device = createDevice({ threads: 1 });
  try {
    for (let index = rows.length; index < count; index++) {
      const architecture = space.sample(new Rng(`${seed}/architecture/${index}`));
      const model = encodeModel(deployed(space, architecture));
      const { p50Ms } = await measureLatencyBriefly(device, model, { seconds: SECONDS_EACH });
      rows.push([index, architecture, p50Ms]);
      writeRows(out, { image, seed }, rows);
      log(`${index + 1} of ${count}: ${p50Ms.toFixed(4)} ms  ${space.describe(architecture)}`);
    }
  } finally {
    await device.close();
  }
  const measured = rows.slice(0, count);
  const works = measured.map(([, architecture]) =>
    featuresOf(deployed(space, space.parse(architecture)), { N: 1 }),
  );
  return {
    name: out,
    space: 'conv',
    flops: works.map(({ cost }) => cost.macs),
    columns: [[COLUMN, measured.map(([, , latency]) => latency)]],
    encode(train) {
      const encoder = createGraphEncoder(
        train.map((i) => works[i]),
        'latency',
      );
      return { schema: encoder.schema, features: works.map((work) => encoder.encode(work)) };
    },
  };
}

function deployed(space, architecture) {
  return deployGraph(drawWeights(space.decode(architecture), new Rng(0)), { classes: CLASSES });
}

function readRows(path, meta) {
  if (!existsSync(path)) return [];
  const table = JSON.parse(readFileSync(path, 'utf8'));
  for (const key of Object.keys(meta)) {
    if (table.meta[key] === meta[key]) continue;
    throw new Error(
      `${path}: expected a table of ${key} ${meta[key]}, found ${table.meta[key]}; choose another --out`,
    );
  }
  return table.rows;
}

function writeRows(path, meta, rows) {
  const columns = ['index', 'architecture', COLUMN];
  writeFileSync(`${path}.part`, `${JSON.stringify({ meta, columns, rows })}\n`);
  renameSync(`${path}.part`, path);
}
