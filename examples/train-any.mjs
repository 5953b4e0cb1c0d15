// Training of any ONNX file from JavaScript: a model with two inputs, frozen in part, with a loss of
// its own, on arrays in a folder. The same at the command line: `npx archwright train --help`.
//   npm ci && node examples/train-any.mjs
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeModel, GraphBuilder, Rng, trainModel } from 'archwright';

const folder = mkdtempSync(join(tmpdir(), 'archwright-'));
const rng = new Rng(1);
const normals = (count) => Float32Array.from({ length: count }, () => 0.3 * rng.normal());

// Somebody's model: it embeds one of 12 places, joins it with three readings, and predicts a value.
const b = new GraphBuilder('theirs');
const weight = (name, dims) => {
  const data = normals(dims.reduce((x, y) => x * y, 1));
  return b.initializer({ name, role: 'weight', dtype: 'float32', dims, data });
};
b.input('place', 'int64', ['N']);
b.input('readings', 'float32', ['N', 3]);
const embedded = b.op('Gather', [weight('embedding', [12, 4]), 'place']);
const joined = b.op('Concat', [embedded, 'readings'], { axis: 1 });
const hidden = b.op('Tanh', [b.op('Gemm', [joined, weight('w1', [7, 16]), weight('b1', [16])])]);
b.output(b.op('Gemm', [hidden, weight('w2', [16, 1]), weight('b2', [1])]), 'value');
writeFileSync(join(folder, 'theirs.onnx'), encodeModel(b.build()));

// Its loss: log cosh of the error, as a graph with the inputs `prediction` and `target`.
const loss = new GraphBuilder('log-cosh');
for (const name of ['prediction', 'target']) loss.input(name, 'float32', ['N', 1]);
const error = loss.op('Sub', ['prediction', 'target']);
const terms = loss.op('Log', [loss.op('Cosh', [error])]);
loss.output(loss.op('ReduceMean', [terms], { keepdims: 0 }), 'loss');
writeFileSync(join(folder, 'log-cosh.onnx'), encodeModel(loss.build()));

// Data: a NumPy file for each input, named like it, and `target.npy`.
const COUNT = 2000;
const places = BigInt64Array.from({ length: COUNT }, () => BigInt(rng.integer(12)));
const readings = normals(COUNT * 3);
const targets = Float32Array.from(
  places,
  (place, i) => Math.sin(Number(place)) + readings[3 * i] - readings[3 * i + 2] ** 2,
);
mkdirSync(join(folder, 'data'));
writeNpy('place', '<i8', [COUNT], places);
writeNpy('readings', '<f4', [COUNT, 3], readings);
writeNpy('target', '<f4', [COUNT, 1], targets);

const result = await trainModel(join(folder, 'theirs.onnx'), {
  data: join(folder, 'data'),
  loss: join(folder, 'log-cosh.onnx'),
  freeze: ['b1'],
  epochs: 60,
  batch: 32,
  learningRate: 0.02,
  schedule: 'one-cycle',
  warmupFraction: 0.3,
  ema: 0.98,
  patience: 8,
  out: join(folder, 'ours.onnx'),
  plot: join(folder, 'curve.svg'),
});
console.log(`${result.steps} of ${result.planned} updates`);
console.log('loss', result.curve.losses[0], '→', result.scores.hidden.loss, 'on the hidden split');
console.log(result.onnx, result.plot);

function writeNpy(name, descr, dims, data) {
  const shape = `(${dims.map((dim) => `${dim},`).join('')})`;
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}}`;
  const text = `\x93NUMPY\x01\x00\x76\x00${header.padEnd(117)}\n`;
  const body = Buffer.from(data.buffer);
  writeFileSync(
    join(folder, 'data', `${name}.npy`),
    Buffer.concat([Buffer.from(text, 'latin1'), body]),
  );
}
