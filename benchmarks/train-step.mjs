/**
 * One training step here and in PyTorch: the same nets, weights, batches and recipe, two threads each.
 * Compares the losses of the first 20 steps and the median step times of rounds run in turns. A net
 * of many ReLU6 over batch norms is chaotic in float32, so PyTorch's own distance from its float64 run
 * stands beside the distance between the two.
 *
 *   npm run build && node benchmarks/train-step.mjs [--python /usr/bin/python3] [--nets lenet,resnet]
 *     [--rounds 5] [--optimizer sgd]
 *
 * Needs a Python with CPU PyTorch; says so where there is none.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    nets: { type: 'string', default: 'lenet,resnet,mobilenet' },
    rounds: { type: 'string', default: '5' },
    optimizer: { type: 'string', default: 'sgd' },
    json: { type: 'boolean', default: false },
  },
});
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const STEPS = 20;
const BATCH = 64;
const THREADS = 2;
const TASK = { channels: 1, height: 28, width: 28, classes: 10 };

const dist = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href);
const { createLenet } = await dist('space/baseline/lenet');
const { createResnet } = await dist('space/baseline/resnet');
const { createMobileNet } = await dist('space/baseline/mobilenet');
const { createConvNext } = await dist('space/baseline/convnext');
const { drawWeights } = await dist('train/initialize');
const { packState } = await dist('train/flat-state');
const { createTrainingStep } = await dist('train/step');
const { resolveRecipe } = await dist('train/recipe');
const { encodeModel } = await dist('ir/onnx/encode');
const { Session } = await dist('runtime/session');
const { Rng } = await dist('util/random');

const nets = {
  lenet: createLenet,
  resnet: createResnet,
  mobilenet: createMobileNet,
  convnext: createConvNext,
};

const torch = spawnSync(options.python, ['-c', 'import torch; print(torch.__version__)']);
if (torch.status !== 0) {
  console.error(
    `${options.python} has no PyTorch: nothing to compare with (--python names another)`,
  );
  process.exit(1);
}
const recipe = resolveRecipe({
  optimizer: options.optimizer,
  batch: BATCH,
  labelSmoothing: 0.1,
  clipNorm: 5,
});
const rates = Float32Array.from(
  { length: STEPS },
  (_, i) => (0.1 * recipe.learningRate * (i + 1)) / STEPS,
);

/** Images with a class-dependent pattern under noise, so that there is something to learn. */
function drawBatches(rng) {
  const pixels = TASK.height * TASK.width;
  const patterns = Array.from({ length: TASK.classes * pixels }, () => rng.normal());
  const labels = Int32Array.from({ length: STEPS * BATCH }, () => rng.integer(TASK.classes));
  const images = new Float32Array(labels.length * pixels);
  for (let i = 0; i < images.length; i++) {
    const label = labels[Math.floor(i / pixels)];
    images[i] = 0.5 * patterns[label * pixels + (i % pixels)] + rng.normal();
  }
  return { images, labels };
}

/** The graph and all floats in a form that Python reads without an ONNX library. */
function writeProblem(folder, graph, batches) {
  const chunks = [];
  let offset = 0;
  const place = (name, role, dims, data) => {
    chunks.push(Float32Array.from(data, Number));
    offset += data.length;
    return { name, role, dims, offset: offset - data.length };
  };
  const { images, labels } = batches;
  const tensors = [
    ...graph.initializers.map(({ name, role, dims, dtype, data }) =>
      place(name, dtype === 'int64' ? 'int' : role, dims, data),
    ),
    place('images', 'constant', [labels.length, TASK.channels, TASK.height, TASK.width], images),
    place('labels', 'int', [labels.length], labels),
  ];
  const { nodes, outputs } = graph;
  const spec = {
    nodes,
    output: outputs[0].name,
    tensors,
    recipe,
    rates: [...rates],
    threads: THREADS,
  };
  writeFileSync(join(folder, 'graph.json'), JSON.stringify(spec));
  writeFileSync(
    join(folder, 'data.bin'),
    Buffer.concat(chunks.map((c) => new Uint8Array(c.buffer))),
  );
}

async function startTorch(folder, dtype) {
  const script = new URL('train_torch.py', import.meta.url).pathname;
  const child = spawn(options.python, [script, folder, dtype], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async round() {
      child.stdin.write(`${STEPS}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('PyTorch ended early');
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

async function startOurs(graph, batches) {
  const step = createTrainingStep(graph, recipe);
  const session = await Session.create(encodeModel(step.graph), {
    threads: THREADS,
    optimization: 'all',
    provider: 'cpu',
  });
  let state = packState(step, graph);
  let done = 0;
  return {
    async round() {
      const result = await session.runLoop({
        batch: BATCH,
        order: Uint32Array.from(batches.labels, (_, i) => i),
        stream: [
          {
            name: step.inputs[0].name,
            rowDims: step.inputs[0].rowDims,
            dtype: 'float32',
            source: batches.images,
          },
          { name: step.target.name, rowDims: [], dtype: 'int64', source: batches.labels },
        ],
        state: step.state.map(({ name, next }, i) => ({ name, next, value: state[i] })),
        perStep: step.perStep(rates, done),
        record: step.record,
      });
      state = result.state;
      done += STEPS;
      return { losses: [...result.recorded[0]], stepMs: [...result.stepNs].map((ns) => ns / 1e6) };
    },
    end: () => session.release(),
  };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const distance = (a, b) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));
const rows = [];
for (const name of options.nets.split(',')) {
  const rng = new Rng(name);
  const graph = drawWeights(nets[name](TASK), rng.fork('weights'));
  const batches = drawBatches(rng.fork('data'));
  const folder = mkdtempSync(join(tmpdir(), 'archwright-train-'));
  try {
    writeProblem(folder, graph, batches);
    const ours = await startOurs(graph, batches);
    const theirs = await startTorch(folder, 'float32');
    const exact = await startTorch(folder, 'float64');
    const times = { ours: [], theirs: [] };
    let lossDifference = 0;
    let torchDifference = 0;
    for (let round = 0; round <= Number(options.rounds); round++) {
      const a = await ours.round();
      const b = await theirs.round();
      if (round === 0) {
        lossDifference = distance(a.losses, b.losses);
        torchDifference = distance(b.losses, (await exact.round()).losses);
        exact.end();
        continue; // the first round also warms both up
      }
      times.ours.push(...a.stepMs);
      times.theirs.push(...b.stepMs);
    }
    ours.end();
    theirs.end();
    rows.push({
      net: name,
      oursMs: median(times.ours),
      oursMinMs: Math.min(...times.ours),
      torchMs: median(times.theirs),
      torchMinMs: Math.min(...times.theirs),
      ratio: median(times.ours) / median(times.theirs),
      lossDifference,
      torchDifference,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
if (options.json) console.log(JSON.stringify(rows));
else {
  console.log(
    `PyTorch ${String(torch.stdout).trim()}, ${THREADS} threads each, batch ${BATCH}, ${recipe.optimizer}`,
  );
  console.table(
    rows.map(({ net, lossDifference, torchDifference, ...rest }) => ({
      net,
      ...Object.fromEntries(
        Object.entries(rest).map(([key, value]) => [key, Number(value.toFixed(2))]),
      ),
      lossDifference: lossDifference.toExponential(1),
      'float32 to float64 in PyTorch': torchDifference.toExponential(1),
    })),
  );
}
