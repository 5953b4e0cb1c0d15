/** What both sides train: a net with weights, batches, a recipe and learning rates. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawWeights } from '../../dist/train/initialize.js';
import { resolveRecipe } from '../../dist/train/recipe.js';
import { Rng } from '../../dist/util/random.js';
import { CLASSES, nets } from './nets.mjs';
import { torchNodes } from './torch-nodes.mjs';

export const BATCH = 64;
export const THREADS = 2;

/** The same for the same net and optimiser, in every process. */
export function createProblem(name, optimizer) {
  const net = nets[name];
  if (net === undefined) throw new Error(`--nets: expected ${Object.keys(nets)}, received ${name}`);
  const recipe = resolveRecipe({ optimizer, batch: BATCH, labelSmoothing: 0.1, clipNorm: 5 });
  const rates = Float32Array.from(
    { length: net.steps },
    (_, i) => (0.1 * recipe.learningRate * (i + 1)) / net.steps,
  );
  const rng = new Rng(name);
  const graph = drawWeights(net.create(), rng.fork('weights'));
  return { name, graph, recipe, rates, ...net, batches: drawBatches(net, rng.fork('data')) };
}

/** Rows with a class-dependent pattern under noise, so that there is something to learn. */
function drawBatches({ rowDims, steps }, rng) {
  const row = rowDims.reduce((product, dim) => product * dim, 1);
  const patterns = Array.from({ length: CLASSES * row }, () => rng.normal());
  const labels = Int32Array.from({ length: steps * BATCH }, () => rng.integer(CLASSES));
  const images = new Float32Array(labels.length * row);
  for (let i = 0; i < images.length; i++) {
    images[i] = 0.5 * patterns[labels[Math.floor(i / row)] * row + (i % row)] + rng.normal();
  }
  return { images, labels };
}

/** The graph and all floats in a form that Python reads without an ONNX library. */
export function writeProblem(folder, { graph, batches, test, recipe, rates, rowDims }) {
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
    place('images', 'constant', [labels.length, ...rowDims], images),
    place('labels', 'int', [labels.length], labels),
    ...(test === undefined
      ? []
      : [
          place('test.images', 'constant', [test.labels.length, ...rowDims], test.images),
          place('test.labels', 'int', [test.labels.length], test.labels),
        ]),
  ];
  const spec = {
    nodes: torchNodes(graph),
    output: graph.outputs[0].name,
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
