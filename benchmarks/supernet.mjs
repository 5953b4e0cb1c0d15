/**
 * Does the cell supernet find good cells? It is trained on the CIFAR-10 subset, and what it makes most
 * probable is looked up in the published NAS-Bench-201 table: test accuracy after 200 epochs on the
 * whole of CIFAR-10. The table is opened after the training, and nothing is chosen by it.
 *
 *   npm run build && node benchmarks/supernet.mjs --data ../shared/data
 *     [--seconds 75] [--seeds 2] [--seed 1] [--width 8] [--cells 1] [--threads 2] [--batch 32] [--rate 0.03] [--json]
 */
import { parseArgs } from 'node:util';
import { mostProbable } from '../dist/agent/supernet/ranking.js';
import { loadDataset } from '../dist/data/data.js';
import { createDevice } from '../dist/device/ort.js';
import { readTable } from '../dist/evaluate/table/table.js';
import { createCellSpace } from '../dist/space/cell.js';
import { CELL_OPERATIONS } from '../dist/space/cell-architecture.js';
import { createCellSupernet } from '../dist/space/cell-supernet.js';
import { shareDataset, sharedSplit } from '../dist/train/shared-images.js';
import { supernetModule } from '../dist/train/supernet/supernet.js';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    seconds: { type: 'string', default: '75' },
    seeds: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    width: { type: 'string', default: '8' },
    cells: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '32' },
    rate: { type: 'string', default: '0.03' },
    json: { type: 'boolean', default: false },
  },
});

const COLUMN = 'c10_test_200';
const TOP = 10;
const PUBLISHED = { 'DARTS (arXiv 2001.00326)': 54.3, 'GDAS (arXiv 2001.00326)': 93.5 };
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** Place of each value among all, the mean place for equal ones. */
function ranksOf(values) {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) ranks[order[i]] = (from + to - 1) / 2;
  }
  return ranks;
}

function correlation(a, b) {
  const [meanA, meanB] = [mean([...a]), mean([...b])];
  let [cross, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    cross += (a[i] - meanA) * (b[i] - meanB);
    squareA += (a[i] - meanA) ** 2;
    squareB += (b[i] - meanB) ** 2;
  }
  return cross / Math.sqrt(squareA * squareB);
}

const dataset = await loadDataset({
  kind: 'cifar10',
  dir: `${options.data}/cifar10-subset`,
  train: 5000,
  search: 5000,
});
const task = { channels: 3, height: 32, width: 32, classes: 10 };
const space = createCellSpace(task);
const supernet = createCellSupernet(task, {
  width: Number(options.width),
  cells: Number(options.cells),
});
const recipe = {
  optimizer: 'sgd',
  learningRate: 0.1,
  weightDecay: 5e-4,
  clipNorm: 5,
  batch: Number(options.batch),
  crop: 4,
  flip: true,
};

const device = createDevice({ threads: Number(options.threads) });
shareDataset(device.runner, dataset);
const learnt = [];
const firstSeed = Number(options.seed);
for (let seed = firstSeed; seed < firstSeed + Number(options.seeds); seed++) {
  const args = {
    graph: supernet.graph,
    gates: supernet.gates,
    recipe,
    data: sharedSplit(dataset, 'train'),
    validation: sharedSplit(dataset, 'search'),
    length: { epochs: 250, seconds: Number(options.seconds) },
    seed,
    threads: Number(options.threads),
    architectureRate: Number(options.rate),
  };
  const result = await device.lease(() =>
    device.runner.call(
      { module: supernetModule, name: 'supernetTask', args },
      {
        onProgress: ({ update, updates, loss, validationLoss }) => {
          const told = [loss, validationLoss].map((value) => value?.toFixed(3) ?? '-');
          process.stderr.write(`seed ${seed}: ${update}/${updates} loss ${told.join(' / ')}\n`);
        },
      },
    ),
  );
  learnt.push({ seed, ...result });
}
await device.close();

const table = readTable(`${options.data}/nasbench201/accuracy.json.gz`);
const [archAt, scoreAt] = ['arch', COLUMN].map((name) => table.columns.indexOf(name));
const scores = new Map(table.rows.map((row) => [String(row[archAt]), Number(row[scoreAt])]));
const all = [...scores.values()];
const sorted = all.toSorted((a, b) => b - a);

const results = learnt.map(
  ({ seed, probabilities, updates, seconds, losses, validationLosses }) => {
    const top = [];
    for (const choices of mostProbable(probabilities)) {
      top.push(space.fromChoices(choices));
      if (top.length === TOP) break;
    }
    const accuracies = top.map((cell) => scores.get(cell));
    const logs = [...scores.keys()].map((cell) =>
      space
        .choices(cell)
        .reduce((sum, option, e) => sum + Math.log(Math.max(probabilities[e][option], 1e-300)), 0),
    );
    return {
      seed,
      updates,
      seconds,
      firstLoss: mean(losses.slice(0, 20)),
      lastLoss: mean(losses.slice(-20)),
      lastValidationLoss: mean(validationLosses.slice(-20)),
      cell: top[0],
      accuracy: accuracies[0],
      rank: sorted.findIndex((value) => value <= accuracies[0]) + 1,
      topMean: mean(accuracies),
      topBest: Math.max(...accuracies),
      spearman: correlation(ranksOf(logs), ranksOf(all)),
      probabilities,
    };
  },
);

if (options.json) {
  console.log(JSON.stringify({ options, recipe, results }, null, 2));
} else {
  for (const one of results) {
    console.log(
      `seed ${one.seed}: ${one.updates} updates in ${one.seconds.toFixed(0)} s, loss ` +
        `${one.firstLoss.toFixed(2)} → ${one.lastLoss.toFixed(2)}, validation ` +
        `${one.lastValidationLoss.toFixed(2)}`,
    );
    console.log(`  ${one.cell}`);
    console.log(
      `  most probable ${one.accuracy.toFixed(2)} % (place ${one.rank} of ${all.length}), ` +
        `mean of the ${TOP} most probable ${one.topMean.toFixed(2)}, best of them ` +
        `${one.topBest.toFixed(2)}, rank correlation over all cells ${one.spearman.toFixed(2)}`,
    );
    one.probabilities.forEach((shares, e) => {
      const told = shares.map((share, k) => `${CELL_OPERATIONS[k]} ${share.toFixed(2)}`);
      console.log(`  ${space.decisions[e].name}: ${told.join(', ')}`);
    });
  }
  // Best of n drawn without repeats, by its exact expectation.
  let [expected, left] = [0, 1];
  for (const [i, value] of sorted.entries()) {
    const chance = i > all.length - TOP ? 1 : TOP / (all.length - i);
    expected += left * chance * value;
    left *= 1 - chance;
  }
  console.log(`random cell: mean ${mean(all).toFixed(2)}, median ${sorted[7812].toFixed(2)}`);
  console.log(`best of ${TOP} random cells, expected: ${expected.toFixed(2)}`);
  console.log(`best cell of all: ${sorted[0].toFixed(2)}`);
  for (const [name, value] of Object.entries(PUBLISHED)) {
    console.log(`published, ${name}: ${value.toFixed(2)}`);
  }
}
