/**
 * Programs for `exit.test.ts`, run in a process of their own: what they leave behind is looked at.
 * Arguments: the program, the path of a model with input `x` of `[1, 2]`.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { Session } from '../../dist/runtime/session.js';

const [program, path] = isMainThread ? process.argv.slice(2) : workerData;
const options = { threads: 2, optimization: 'all', provider: 'cpu' };
const x = { dtype: 'float32', dims: [1, 2], data: Float32Array.of(1, 2) };

async function use() {
  const session = await Session.create(readFileSync(path), options);
  const timer = await session.createTimer([{ x }]);
  await timer.run({ samples: 100, group: 1 });
  const { y } = await session.run({ x });
  if (y.data[0] !== 9.5) throw new Error(`wrong result ${y.data[0]}`);
  return { session, timer };
}

function sockets() {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

if (!isMainThread) {
  await use();
} else if (program === 'natural') {
  await use(); // neither session nor timer is released
} else if (program === 'exit') {
  await use();
  process.exit(0);
} else if (program === 'workers') {
  const exits = [1, 2].map(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: ['', path] });
        worker.on('error', reject).on('exit', resolve);
      }),
  );
  await use();
  const codes = await Promise.all(exits);
  await use();
  console.log(JSON.stringify(codes));
} else if (program === 'sockets') {
  const before = sockets();
  const held = await use();
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log(JSON.stringify([before, sockets()]));
  held.session.release();
} else {
  throw new Error(`no program ${program}`);
}
