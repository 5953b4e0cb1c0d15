/**
 * Two trainings one after the other with two threads each, against the same two at once with one thread
 * each, in turns. A round counts only where the rest of the machine took little of the cores; `cores
 * used` shows what each way got.
 *
 *   npm run build && node benchmarks/side-by-side.mjs [--nets lenet,resnet,mobilenet] [--rounds 8]
 *     [--steps 50] [--minutes 5]
 *
 * Linux. A machine that is never quiet gives no rounds, and so no answer.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    nets: { type: 'string', default: 'lenet,resnet,mobilenet' },
    rounds: { type: 'string', default: '8' },
    steps: { type: 'string', default: '50' },
    minutes: { type: 'string', default: '5' },
  },
});
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const dist = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href);
const { Runner } = await dist('runtime/runner');
const { trainerModule: module } = await dist('train/trainer');
const { createLenet } = await dist('space/baseline/lenet');
const { createResnet } = await dist('space/baseline/resnet');
const { createMobileNet } = await dist('space/baseline/mobilenet');
const { Rng } = await dist('util/random');

/** Share of one core that others may take in a round that counts. */
const OTHERS = 0.12;
const BATCH = 64;
const TASK = { channels: 1, height: 28, width: 28, classes: 10 };
const nets = { lenet: createLenet, resnet: createResnet, mobilenet: createMobileNet };
const count = BATCH * Number(options.steps);
const rng = new Rng('side-by-side');
const runner = new Runner({ threads: 2 });
runner.share(
  'images',
  Uint8Array.from({ length: count * 784 }, () => rng.integer(256)),
);
runner.share(
  'labels',
  Uint8Array.from({ length: count }, () => rng.integer(10)),
);
const data = { ...TASK, images: 'images', labels: 'labels', count, mean: [0.5], std: [0.25] };

const TICKS = 100; // a second, of Linux's /proc
const fields = (text) => text.trim().split(/\s+/).map(Number);
const busySeconds = () => {
  const [user, nice, system, , , irq, softIrq, steal] = fields(
    readFileSync('/proc/stat', 'utf8').split('\n')[0].slice(3),
  );
  return (user + nice + system + irq + softIrq + steal) / TICKS;
};
const runnerSeconds = () => {
  const after = fields(readFileSync(`/proc/${runner.pid}/stat`, 'utf8').split(') ')[1].slice(1));
  return (after[10] + after[11]) / TICKS;
};

async function timed(work) {
  const [busy, own, start] = [busySeconds(), runnerSeconds(), performance.now()];
  const here = process.cpuUsage();
  await work();
  const wall = (performance.now() - start) / 1e3;
  const cpu = runnerSeconds() - own;
  const { user, system } = process.cpuUsage(here);
  return { wall, cpu, others: (busySeconds() - busy - cpu - (user + system) / 1e6) / wall };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const rows = [];
for (const net of options.nets.split(',')) {
  const graph = nets[net](TASK);
  const train = (threads, seed) => {
    const args = { graph, recipe: { batch: BATCH }, data, epochs: 1, seed, threads };
    return runner.call({ module, name: 'trainTask', args });
  };
  const ways = {
    'one after the other, 2 threads': async () => {
      await train(2, 1);
      await train(2, 2);
    },
    'side by side, 1 thread each': () => Promise.all([train(1, 1), train(1, 2)]),
  };
  await Promise.all([train(1, 0), train(1, 0)]); // both workers load the addon
  const kept = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  const end = performance.now() + Number(options.minutes) * 6e4;
  const isDone = () => Object.values(kept).every((times) => times.length >= Number(options.rounds));
  while (!isDone() && performance.now() < end) {
    for (const [way, work] of Object.entries(ways)) {
      const time = await timed(work);
      if (time.others <= OTHERS) kept[way].push(time);
    }
  }
  for (const [way, times] of Object.entries(kept)) {
    const of = (key) => (times.length === 0 ? null : median(times.map((time) => time[key])));
    const [wall, cpu] = [of('wall'), of('cpu')];
    const cores = wall && cpu / wall;
    rows.push({
      net,
      way,
      rounds: times.length,
      seconds: wall,
      'CPU seconds': cpu,
      'cores used': cores,
    });
  }
}
console.table(rows);
await runner.close();
