/**
 * Peak memory of our training in a process of its own: `node --expose-gc memory.mjs <net> <optimizer>`
 * prints the most resident bytes while the step is built and runs three times, above what was resident
 * before, with the library loaded and weights and batches in memory. Linux.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadBinding } from '../../dist/runtime/binding.js';
import { startOurs } from './ours.mjs';
import { createProblem } from './problem.mjs';

const resident = (field) => {
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)[1]);
};
const [name, optimizer] = process.argv.slice(2);
const problem = createProblem(name, optimizer);
loadBinding();
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
