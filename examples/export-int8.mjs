// The best net of a small search, in float16 and in int8: what that costs and brings, measured here.
//   npm ci && node examples/export-int8.mjs
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createDevice,
  decodeModel,
  exportModel,
  loadDataset,
  measureVariants,
  search,
} from 'archwright';

const { runDir } = await search({
  config: {
    name: 'export-int8',
    data: { kind: 'glyphs', train: 3000, search: 500, hidden: 500 },
    train: { epochs: { short: 1, long: 1 } },
    device: { measureSeconds: 0.3 },
    budget: { trials: 4 },
    guard: { champions: 1, seeds: 2 },
  },
});

// One file per format, calibrated on generated images.
for (const format of ['fp32', 'fp16', 'int8']) {
  const written = await exportModel(runDir, {
    out: join(runDir, `best-${format}.onnx`),
    ...(format === 'fp16' && { fp16: true }),
    ...(format === 'int8' && { int8: true, calibrate: 'glyphs' }),
  });
  console.log(`${written.onnx}: ${written.bytes} bytes, ${written.format}`);
}

// Both forms beside the model: outputs, accuracy on images that were not calibrated on, latency.
const bytes = new Uint8Array(readFileSync(join(runDir, 'best-fp32.onnx')));
const dataset = await loadDataset({ kind: 'glyphs', train: 3000, search: 500, hidden: 500 });
const device = createDevice({ threads: 1 });
const { original, variants } = await measureVariants(device, decodeModel(bytes), bytes, {
  data: { dataset },
  seconds: 3,
});
await device.close();
console.log(`float32: ${original.accuracy.correct} of ${original.accuracy.count} right`);
for (const variant of variants) {
  if (!variant.made) {
    console.log(`${variant.name}: ${variant.reason}`);
    continue;
  }
  const { name, accuracy, error, latency } = variant;
  console.log(
    `${name}: ${accuracy.correct} right, SQNR ${error.sqnrDb?.toFixed(1)} dB, ` +
      `latency × ${latency.ratio.toFixed(2)} [${latency.ci95.map((end) => end.toFixed(2)).join(', ')}]`,
  );
}
