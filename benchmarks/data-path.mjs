/**
 * What the data path of training costs: gathering, normalising and augmenting a batch inside the loop,
 * beside the step that it feeds, and the same changes written with PyTorch's tensor operations, on a
 * whole batch at once and image by image as a `Dataset` does it. Rounds run in turns, and the least of
 * them counts: other work on the machine only adds.
 *
 *   npm run build && node benchmarks/data-path.mjs [--python /usr/bin/python3] [--rounds 7]
 *     [--nets lenet,resnet] [--threads 2]
 *
 * Needs a Python with CPU PyTorch; says so where there is none.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '7' },
    threads: { type: 'string', default: '2' },
    nets: { type: 'string', default: 'lenet,resnet' },
  },
});
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const ROWS = 10_000;
const BATCH = 64;
const STEPS = 10;
const THREADS = Number(options.threads);
const dist = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href);
const { createLenet } = await dist('space/baseline/lenet');
const { createResnet } = await dist('space/baseline/resnet');
const { drawWeights } = await dist('train/initialize');
const { createTrainingStep, trainingSession } = await dist('train/step');
const { packState } = await dist('train/flat-state');
const { resolveRecipe } = await dist('train/recipe');
const { encodeModel } = await dist('ir/onnx/encode');
const { Session } = await dist('runtime/session');
const { Rng } = await dist('util/random');

const torch = spawnSync(options.python, ['-c', 'import torch; print(torch.__version__)']);
if (torch.status !== 0) {
  console.error(
    `${options.python} has no PyTorch: nothing to compare with (--python names another)`,
  );
  process.exit(1);
}

const shapes = [
  { channels: 1, height: 28, width: 28, classes: 10 },
  { channels: 3, height: 32, width: 32, classes: 10 },
];
const nets = { lenet: createLenet, resnet: createResnet };
const crop = { cropPixels: 4, flip: true };
const changes = {
  normalise: {},
  'crop, flip': { augment: crop },
  'crop, flip, cut-out': { augment: { ...crop, cutoutPixels: 8 } },
  'crop, flip, cut-out, mixup': { augment: { ...crop, cutoutPixels: 8 }, alpha: 0.4 },
};

/** A round gives milliseconds per batch: of the inputs, and of the step that they feed. */
async function startOurs(task, net, { augment, alpha = 0 }) {
  const rng = new Rng('data-path');
  const recipe = resolveRecipe({ optimizer: 'sgd', batch: BATCH, mixup: alpha });
  const graph = drawWeights(nets[net](task), rng.fork('weights'));
  const step = createTrainingStep(graph, recipe);
  const session = await Session.create(encodeModel(step.graph), {
    threads: THREADS,
    ...trainingSession,
  });
  const { channels, height, width } = task;
  const pixels = ROWS * channels * height * width;
  const source = Uint8Array.from({ length: pixels }, () => rng.integer(256));
  const labels = Uint8Array.from({ length: ROWS }, () => rng.integer(task.classes));
  const affine = {
    scale: new Float32Array(channels).fill(1 / 64),
    shift: new Float32Array(channels).fill(-2),
  };
  const [{ name, rowDims }] = step.inputs;
  const { mixed, target } = step;
  const mixup = mixed && {
    alpha,
    share: mixed.share,
    partners: [{ stream: target.name, input: mixed.labels }],
  };
  const state = packState(step, graph);
  let done = 0;
  return {
    async round() {
      const { wallNs, inputNs } = await session.runLoop({
        batch: BATCH,
        order: Uint32Array.from({ length: STEPS * BATCH }, () => rng.integer(ROWS)),
        stream: [
          { name, rowDims, dtype: 'float32', source, ...affine },
          { name: target.name, rowDims: [], dtype: 'int64', source: labels },
        ],
        ...(augment && {
          augment: { ...augment, ...(mixup && { mixup }), stream: name, seed: 1, firstStep: done },
        }),
        state: step.state.map(({ name, next }, i) => ({ name, next, value: state[i] })),
        perStep: step.perStep(new Float32Array(STEPS).fill(1e-4), done),
        record: step.record,
      });
      done += STEPS;
      return { inputMs: inputNs / 1e6 / STEPS, stepMs: (wallNs - inputNs) / 1e6 / STEPS };
    },
    end: () => session.release(),
  };
}

/** A round gives milliseconds per batch of each pipeline. */
function startTorch(task) {
  const script = new URL('data_path_torch.py', import.meta.url).pathname;
  const spec = JSON.stringify({
    ...task,
    rows: ROWS,
    batch: BATCH,
    steps: STEPS,
    threads: THREADS,
  });
  const child = spawn(options.python, [script, spec], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async round() {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error('PyTorch ended early');
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

const least = (values) => Math.min(...values);
const round = (value) => Number(value.toPrecision(3));
const ourRows = [];
const torchRows = [];
for (const task of shapes) {
  const image = `${task.height}×${task.width}×${task.channels}`;
  const runs = [];
  for (const net of options.nets.split(',')) {
    for (const [what, change] of Object.entries(changes)) {
      runs.push({ net, what, ours: await startOurs(task, net, change), times: [] });
    }
  }
  const peer = startTorch(task);
  const peerTimes = [];
  for (let i = 0; i <= Number(options.rounds); i++) {
    for (const { ours, times } of runs) times.push(await ours.round());
    peerTimes.push(await peer.round());
  }
  peer.end();
  for (const { net, what, ours, times } of runs) {
    ours.end();
    const inputMs = least(times.map((time) => time.inputMs));
    const stepMs = least(times.map((time) => time.stepMs));
    ourRows.push({
      image,
      net,
      inputs: what,
      'µs a batch': round(1e3 * inputMs),
      'step ms': round(stepMs),
      'share %': round((100 * inputMs) / (inputMs + stepMs)),
    });
  }
  for (const pipeline of Object.keys(peerTimes[0])) {
    const us = 1e3 * least(peerTimes.map((times) => times[pipeline]));
    const changed = pipeline.startsWith('normalise') ? 'normalise' : 'crop, flip';
    const ours = ourRows.find((row) => row.image === image && row.inputs === changed);
    torchRows.push({
      image,
      PyTorch: pipeline,
      'µs a batch': round(us),
      'times ours': round(us / ours['µs a batch']),
    });
  }
}
console.log(
  `batch ${BATCH}, ${THREADS} thread(s) for steps and PyTorch; PyTorch ${String(torch.stdout).trim()}`,
);
console.table(ourRows);
console.table(torchRows);
