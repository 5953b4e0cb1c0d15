// A graph built, checked, counted, measured and searched for from JavaScript.
//   npm ci && node examples/library.mjs
import {
  createConvSpace,
  createDevice,
  encodeModel,
  GraphBuilder,
  inferCost,
  measureModel,
  printGraph,
  Rng,
  search,
  verify,
} from 'archwright';

// A graph of one's own, in the terms of ONNX.
const builder = new GraphBuilder('tiny');
const image = builder.input('image', 'float32', ['N', 1, 28, 28]);
const weight = new Float32Array(8 * 9).fill(0.1);
const kernel = builder.initializer({
  name: 'kernel',
  role: 'weight',
  dtype: 'float32',
  dims: [8, 1, 3, 3],
  data: weight,
});
const features = builder.op('Relu', [builder.op('Conv', [image, kernel], { pads: [1, 1, 1, 1] })]);
builder.output(builder.op('GlobalAveragePool', [features]), 'pooled');
const graph = builder.build();
verify(graph);
console.log(printGraph(graph).slice(0, 300));
console.log(inferCost(graph, { N: 1 }).macs, 'multiply-accumulates');

// Measured on this machine.
const device = createDevice({ threads: 1 });
const { latencyMs, memory } = await measureModel(device, encodeModel(graph), { seconds: 1 });
await device.close();
console.log(`p50 ${latencyMs.p50} ms, ${memory.processPeakBytes} bytes in a fresh process`);

// A random point of the search space.
const space = createConvSpace({ channels: 1, height: 28, width: 28, classes: 10 });
console.log(space.describe(space.sample(new Rng(1))));

// A whole search, small enough to watch.
const { runDir, summary } = await search({
  config: {
    name: 'library',
    data: { kind: 'glyphs', train: 640, search: 300, hidden: 300 },
    train: { epochs: { short: 1, long: 1 } },
    device: { measureSeconds: 0.3 },
    budget: { trials: 4 },
    guard: { champions: 1, seeds: 2 },
  },
  onEvent: (event) => {
    if (event.kind === 'trial-ended') console.log(event.trial.description, event.trial.metrics);
  },
});
console.log(runDir, summary.front.length, 'on the front');
