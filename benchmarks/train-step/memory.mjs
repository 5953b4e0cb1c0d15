/**
 * Peak memory of our training in a process of its own: `node --expose-gc memory.mjs <net> <optimizer>`
 * prints the most resident bytes while the step is built and runs three times, above what was resident
 * before, with weights and batches in memory and a step of the smallest net behind it: what a library
 * sets up once is no part of a step's memory. Linux.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { GraphBuilder } from '../../dist/ir/builder.js';
import { drawWeights } from '../../dist/train/initialize.js';
import { Rng } from '../../dist/util/random.js';
import { startOurs } from './ours.mjs';
import { BATCH, createProblem } from './problem.mjs';

const resident = (field) => {
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)[1]);
};
const [name, optimizer] = process.argv.slice(2);
const problem = createProblem(name, optimizer);
await warmUp(problem);
globalThis.gc();
// From here on the high-water mark is that of the training.
writeFileSync('/proc/self/clear_refs', '5');
const before = resident('VmRSS');
const ours = await startOurs(problem);
await ours.round(3);
const { maxInUseBytes, totalAllocatedBytes } = ours.arena();
console.log(
  JSON.stringify({ peakBytes: resident('VmHWM') - before, maxInUseBytes, totalAllocatedBytes }),
);

async function warmUp({ recipe }) {
  const b = new GraphBuilder('smallest');
  const inputs = [b.input('x', 'float32', ['N', 4]), b.weight('w', [4, 10]), b.weight('b', [10])];
  b.output(b.op('Gemm', inputs));
  const smallest = await startOurs({
    graph: drawWeights(b.build(), new Rng('smallest')),
    recipe,
    rates: Float32Array.of(0.1, 0.1),
    batches: { images: new Float32Array(2 * BATCH * 4), labels: new Int32Array(2 * BATCH) },
  });
  await smallest.round();
  smallest.end();
}
