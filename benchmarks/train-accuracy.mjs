/**
 * Is what is learned the same as in PyTorch? The same weights, batches and recipe on real images, a
 * fixed number of steps, accuracy on test images; several seeds, each with its own weights and order.
 *
 *   npm run build && node benchmarks/train-accuracy.mjs --data ../shared/data
 *     [--python /usr/bin/python3] [--nets resnet20,lenet] [--seeds 3] [--steps 250,600]
 *
 * ResNet-20 learns the CIFAR-10 subset, LeNet-5 Fashion-MNIST. Float32 sums are ordered differently, so
 * the losses part after some steps as two runs of one program would; what must agree is the accuracy,
 * within the spread over seeds.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadDataset } from '../dist/data/data.js';
import { withData } from '../dist/ir/graph.js';
import { encodeModel } from '../dist/ir/onnx/encode.js';
import { Session } from '../dist/runtime/session.js';
import { createLenet } from '../dist/space/baseline/lenet.js';
import { createResnet } from '../dist/space/baseline/resnet.js';
import { drawWeights } from '../dist/train/initialize.js';
import { resolveRecipe } from '../dist/train/recipe.js';
import { createSchedule } from '../dist/train/schedule.js';
import { normalizedRows } from '../dist/train/shared-images.js';
import { Rng } from '../dist/util/random.js';
import { startOurs } from './train-step/ours.mjs';
import { BATCH, THREADS, writeProblem } from './train-step/problem.mjs';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    nets: { type: 'string', default: 'lenet,resnet20' },
    seeds: { type: 'string', default: '3' },
    steps: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
process.env.ORT_DISABLE_TELEMETRY ??= '1';
const torchScript = fileURLToPath(new URL('train_torch.py', import.meta.url));

const nets = {
  lenet: {
    create: createLenet,
    data: { kind: 'idx', dir: `${options.data}/fashion-mnist` },
    steps: 800,
  },
  resnet20: {
    create: (task) => createResnet(task, 3),
    data: { kind: 'cifar10', dir: `${options.data}/cifar10-subset`, search: 1000 },
    steps: 250,
  },
};

/** Rows of a split, normalised. */
function rowsOf(dataset, split, order) {
  const { channels, height, width } = dataset;
  const size = channels * height * width;
  const pixels = new Uint8Array(order.length * size);
  order.forEach((row, i) => {
    pixels.set(dataset[split].images.subarray(row * size, (row + 1) * size), i * size);
  });
  const { data } = normalizedRows(dataset, pixels, 0, order.length);
  return { images: data, labels: Int32Array.from(order, (row) => dataset[split].labels[row]) };
}

function createRun({ create, steps }, dataset, seed) {
  const { channels, height, width, classes } = dataset;
  const rng = new Rng(seed);
  const recipe = resolveRecipe({ optimizer: 'sgd', learningRate: 0.1, batch: BATCH, clipNorm: 5 });
  const order = [];
  for (let epoch = 0; order.length < steps * BATCH; epoch++) {
    order.push(
      ...rng
        .fork('order')
        .fork(epoch)
        .shuffle([...dataset.train.labels.keys()]),
    );
  }
  return {
    graph: drawWeights(
      create({ channels, height, width, classes: classes.length }),
      rng.fork('weights'),
    ),
    recipe,
    rates: createSchedule(steps, Math.floor(dataset.train.count / BATCH), recipe),
    rowDims: [channels, height, width],
    batches: rowsOf(dataset, 'train', order.slice(0, steps * BATCH)),
    test: rowsOf(dataset, 'hidden', [...dataset.hidden.labels.keys()]),
  };
}

async function trainOurs(run) {
  const ours = await startOurs(run);
  const { losses } = await ours.round();
  const trained = withData(run.graph, ours.weights());
  ours.end();
  const session = await Session.create(encodeModel(trained), {
    threads: THREADS,
    optimization: 'all',
    provider: 'cpu',
  });
  const { images, labels } = run.test;
  const size = run.rowDims.reduce((product, dim) => product * dim, 1);
  let right = 0;
  for (let from = 0; from < labels.length; from += 250) {
    const rows = Math.min(250, labels.length - from);
    const data = images.slice(from * size, (from + rows) * size);
    const { logits } = await session.run({
      image: { dtype: 'float32', dims: [rows, ...run.rowDims], data },
    });
    const classes = logits.dims[1];
    for (let row = 0; row < rows; row++) {
      const own = logits.data.subarray(row * classes, (row + 1) * classes);
      if (own.indexOf(Math.max(...own)) === labels[from + row]) right++;
    }
  }
  session.release();
  return { losses, accuracy: right / labels.length };
}

function trainTheirs(run) {
  const folder = mkdtempSync(join(tmpdir(), 'archwright-accuracy-'));
  try {
    writeProblem(folder, run);
    const output = execFileSync(options.python, [torchScript, folder, 'float32', 'accuracy'], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    return JSON.parse(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (options.data === undefined) {
  console.error('expected --data <folder with fashion-mnist and cifar10-subset>');
  process.exit(2);
}
const names = options.nets.split(',');
const steps = options.steps?.split(',').map(Number);
const percent = (values) => values.map((value) => `${(100 * value).toFixed(2)}`).join(' ');
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const rows = [];
for (const [i, name] of names.entries()) {
  const net = { ...nets[name], ...(steps && { steps: steps[i] }) };
  const dataset = await loadDataset(net.data);
  const row = { net: name, steps: net.steps, ours: [], theirs: [], firstLosses: 0 };
  for (let seed = 0; seed < Number(options.seeds); seed++) {
    const run = createRun(net, dataset, seed);
    const ours = await trainOurs(run);
    const theirs = trainTheirs(run);
    row.ours.push(ours.accuracy);
    row.theirs.push(theirs.accuracy);
    const apart = ours.losses.slice(0, 10).map((loss, k) => Math.abs(loss - theirs.losses[k]));
    row.firstLosses = Math.max(row.firstLosses, ...apart);
  }
  rows.push(row);
}
if (options.json) console.log(JSON.stringify(rows));
else {
  for (const { net, steps: count, ours, theirs, firstLosses } of rows) {
    console.log(`${net}, ${count} steps of ${BATCH}, test accuracy by seed in %:`);
    console.log(`  ours     ${percent(ours)}   mean ${percent([mean(ours)])}`);
    console.log(`  PyTorch  ${percent(theirs)}   mean ${percent([mean(theirs)])}`);
    console.log(`  losses of the first 10 steps differ by up to ${firstLosses.toExponential(1)}`);
  }
}
