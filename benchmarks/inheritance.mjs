/**
 * What weight inheritance saves, on a part of Fashion-MNIST.
 *
 * 1. One parent is trained; ten seeded mutations of it are trained with and without its weights, each
 *    for lengths from a ladder, every length with its whole schedule of learning rates: the shortest
 *    one that reaches the parent's accuracy.
 * 2. Whether short scores foretell long ones: Spearman's rank correlation with long training from
 *    scratch (mean of two seeds), for short training with inheritance and from scratch.
 *
 * 3. How much a random edit of a random architecture leaves to inherit.
 *
 *   npm run build && node benchmarks/inheritance.mjs --data path/to/fashion-mnist [--json]
 */
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    mutations: { type: 'string', default: '10' },
    architectures: { type: 'string', default: '12' },
    train: { type: 'string', default: '5000' },
    threads: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
if (options.data === undefined) {
  console.error('--data: expected the folder of the four Fashion-MNIST files, received nothing');
  process.exit(2);
}
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const dist = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href);
const { loadDataset } = await dist('data/data');
const { createConvSpace } = await dist('space/conv');
const { Runner } = await dist('runtime/runner');
const { drawWeights } = await dist('train/initialize');
const { inheritWeights, summarizeInheritance } = await dist('train/inherit');
const { shareDataset, sharedSplit } = await dist('train/shared-images');
const { trainerModule, withWeights } = await dist('train/trainer');
const { Rng } = await dist('util/random');

const RECIPE = { batch: 32, learningRate: 0.003, weightDecay: 0.02, labelSmoothing: 0.05 };
const PARENT = {
  norm: 'batch',
  stem: { width: 8, kernel: 3, stride: 1, activation: 'relu' },
  stages: [
    {
      ...{ block: 'residual', depth: 1, width: 16, stride: 2, kernel: 3, activation: 'relu' },
      squeezeExcite: false,
    },
    {
      ...{ block: 'inverted', depth: 1, width: 24, stride: 2, kernel: 3, activation: 'relu' },
      ...{ squeezeExcite: false, expansion: 3 },
    },
    { block: 'plain', depth: 1, width: 32, stride: 1, kernel: 3, activation: 'relu' },
  ],
  head: { pool: 'average', hidden: 0 },
};
const PARENT_EPOCHS = 3;
const LADDER = [0.25, 0.5, 1, 2, 3, 4];
const SHORT_EPOCHS = 0.5;
const LONG_EPOCHS = 3;
const LONG_SEEDS = 2;
const EDITS = 250;

const log = (text) => console.error(text);
const started = performance.now();
const dataset = await loadDataset({
  kind: 'idx',
  dir: options.data,
  train: Number(options.train),
  search: 4000,
  hidden: 100,
});
const { channels, height, width, classes } = dataset;
const space = createConvSpace({ channels, height, width, classes: classes.length });
const runner = new Runner();
shareDataset(runner, dataset);
const threads = Number(options.threads);

async function train(graph, epochs, seed) {
  const args = {
    graph,
    recipe: RECIPE,
    data: sharedSplit(dataset, 'train'),
    epochs,
    seed,
    threads,
  };
  const result = await runner.call({ module: trainerModule, name: 'trainTask', args });
  if (result.diverged !== undefined) throw new Error(`training diverged (seed ${seed})`);
  return withWeights(graph, result.weights);
}

async function accuracyOf(graph) {
  const args = { graph, data: sharedSplit(dataset, 'search'), threads };
  return (await runner.call({ module: trainerModule, name: 'evaluateTask', args })).accuracy;
}

const trainedAccuracy = async (graph, epochs, seed) => accuracyOf(await train(graph, epochs, seed));
const parentGraph = await train(space.decode(space.parse(PARENT)), PARENT_EPOCHS, 'parent');
const target = await accuracyOf(parentGraph);
log(`parent: ${space.describe(PARENT)}, ${PARENT_EPOCHS} epochs, accuracy ${target}`);

/** A child with drawn weights, and the same with its parent's. */
function childOf(architecture, seed) {
  const drawn = drawWeights(space.decode(architecture), new Rng(`${seed}/drawn`));
  return { drawn, inheritance: inheritWeights(parentGraph, drawn, new Rng(`${seed}/inherit`)) };
}

/** The shortest training that reaches the target; `after` is the accuracy of the one of an epoch. */
async function climb(graph, seed) {
  let after;
  let reached;
  for (const epochs of LADDER) {
    if (reached !== undefined && epochs > 1) break;
    const accuracy = await trainedAccuracy(graph, epochs, seed);
    if (epochs === 1) after = accuracy;
    if (accuracy >= target) reached ??= epochs;
  }
  return { reached: reached ?? null, after };
}

function distinctChildren(count, label, editsOf) {
  const seen = new Set([JSON.stringify(space.parse(PARENT))]);
  const children = [];
  for (let k = 0; children.length < count; k++) {
    const edits = editsOf(children.length);
    const child = space.mutate(space.parse(PARENT), new Rng(`${label} ${k}`), edits);
    if (seen.has(JSON.stringify(child))) continue;
    seen.add(JSON.stringify(child));
    children.push({ architecture: child, edits });
  }
  return children;
}

const mutations = [];
for (const [i, { architecture }] of distinctChildren(
  Number(options.mutations),
  'mutation',
  () => 1,
).entries()) {
  const { drawn, inheritance } = childOf(architecture, i);
  const row = {
    child: space.describe(architecture),
    ...summarizeInheritance(inheritance),
    before: await accuracyOf(inheritance.graph),
    inherited: await climb(inheritance.graph, `climb ${i}`),
    scratch: await climb(drawn, `climb ${i}`),
  };
  mutations.push(row);
  log(`${i + 1}: ${row.child}: ${row.inherited.reached} against ${row.scratch.reached} epochs`);
}

const architectures = [];
for (const [i, { architecture, edits }] of distinctChildren(
  Number(options.architectures),
  'rank',
  (n) => 1 + (n % 4),
).entries()) {
  const { drawn, inheritance } = childOf(architecture, `rank ${i}`);
  const long = [];
  for (let seed = 0; seed < LONG_SEEDS; seed++) {
    const bare = drawWeights(space.decode(architecture), new Rng(`long ${seed}`));
    long.push(await trainedAccuracy(bare, LONG_EPOCHS, `long ${seed}`));
  }
  const row = {
    child: space.describe(architecture),
    edits,
    share: inheritance.share,
    inherited: await trainedAccuracy(inheritance.graph, SHORT_EPOCHS, 'short'),
    scratch: await trainedAccuracy(drawn, SHORT_EPOCHS, 'short'),
    long,
  };
  architectures.push(row);
  log(`${i + 1}: ${row.child}: ${row.inherited} ${row.scratch} ${row.long}`);
}
await runner.close();

/** Mean share of the weights, and share of the children whose outputs are their parent's. */
function coverage() {
  const results = Array.from({ length: EDITS }, (_, k) => {
    const rng = new Rng(`edit ${k}`);
    const architecture = space.sample(rng);
    const parent = drawWeights(space.decode(architecture), rng.fork('parent'));
    const child = drawWeights(space.decode(space.mutate(architecture, rng)), rng.fork('child'));
    return inheritWeights(parent, child, rng.fork('inherit'));
  });
  const mean = (value) => results.reduce((sum, one) => sum + value(one), 0) / EDITS;
  return {
    edits: EDITS,
    share: mean(({ share }) => share),
    preserved: mean(({ isPreserved }) => Number(isPreserved)),
  };
}

/** Mean ranks of equal values. */
function ranksOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

function spearman(a, b) {
  const [x, y] = [ranksOf(a), ranksOf(b)];
  const mean = (x.length - 1) / 2;
  const dot = (p, q) => p.reduce((sum, value, i) => sum + (value - mean) * (q[i] - mean), 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

const longMeans = architectures.map(({ long }) => long.reduce((a, b) => a + b, 0) / long.length);
const column = (key) => architectures.map((row) => row[key]);
const rank = {
  inherited: spearman(column('inherited'), longMeans),
  scratch: spearman(column('scratch'), longMeans),
  seeds: spearman(...[0, 1].map((seed) => architectures.map(({ long }) => long[seed]))),
};
const report = {
  parent: { architecture: space.describe(PARENT), epochs: PARENT_EPOCHS, accuracy: target },
  mutations,
  architectures,
  rank,
  coverage: coverage(),
  seconds: (performance.now() - started) / 1000,
};
if (options.json) console.log(JSON.stringify(report, null, 2));
else print(report);

function print({ parent, coverage, seconds }) {
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const line = (cells) => console.log(`| ${cells.join(' | ')} |`);
  const table = (head, rows) => {
    line(head);
    line(head.map(() => '---'));
    rows.forEach(line);
    console.log('');
  };
  // A bar would end a cell of the table.
  const nameOf = (child) => `\`${child.replaceAll(' | ', ', ')}\``;
  const kinds = ['copied', 'widened', 'kernel-embedded', 'deepened', 'partial', 'drawn'];
  console.log(
    `Parent: \`${parent.architecture}\`, ${parent.epochs} epochs: ${percent(parent.accuracy)}.\n`,
  );
  table(
    [
      'child',
      'inherited',
      'outputs kept',
      'before',
      'epochs with',
      'without',
      '1 epoch with',
      'without',
    ],
    mutations.map((row) => [
      nameOf(row.child),
      `${percent(row.share)}: ${kinds
        .filter((kind) => row[kind] > 0)
        .map((kind) => `${row[kind]} ${kind}`)
        .join(', ')}`,
      row.preserved ? 'yes' : 'no',
      percent(row.before),
      row.inherited.reached ?? `> ${LADDER.at(-1)}`,
      row.scratch.reached ?? `> ${LADDER.at(-1)}`,
      percent(row.inherited.after),
      percent(row.scratch.after),
    ]),
  );
  table(
    [
      'architecture',
      'edits',
      'share',
      'short, inherited',
      'short, scratch',
      'long, scratch (two seeds)',
    ],
    architectures.map((row) => [
      nameOf(row.child),
      row.edits,
      percent(row.share),
      percent(row.inherited),
      percent(row.scratch),
      row.long.map(percent).join(', '),
    ]),
  );
  console.log(
    `${coverage.edits} random edits of random architectures: ${percent(coverage.share)} of the weights ` +
      `inherited on average, the same outputs for ${percent(coverage.preserved)}.\n`,
  );
  const rounded = (value) => value.toFixed(2);
  console.log(
    `Spearman with long training from scratch: ${rounded(rank.inherited)} inherited, ` +
      `${rounded(rank.scratch)} from scratch; of the two seeds of long training with each other ` +
      `${rounded(rank.seeds)}. ${Math.round(seconds)} s.`,
  );
}
