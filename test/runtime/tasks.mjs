/** Tasks for the runner's tests. */
import { threadId } from 'node:worker_threads';
import { Session } from '../../dist/runtime/session.js';

const options = { threads: 1, optimization: 'all', provider: 'cpu' };

export const add = ({ a, b }) => a + b;
export const pid = () => process.pid;
export const environment = (name) => process.env[name];

export async function infer({ model, values }) {
  const session = await Session.create(model, options);
  const data = Float32Array.from(values);
  const { y } = await session.run({ x: { dtype: 'float32', dims: [1, values.length], data } });
  session.release();
  return y;
}

/** Native work without end in sight. */
export async function inferLong({ model, size }, context) {
  const session = await Session.create(model, options);
  const data = new Float32Array(size * size);
  const timer = await session.createTimer([{ x: { dtype: 'float32', dims: [size, size], data } }]);
  context.progress('started');
  await timer.run({ samples: 1_000_000, group: 1 });
}

export function sum(name, context) {
  return context.shared(name).reduce((total, value) => total + Number(value), 0);
}
export function sharedFacts(name, context) {
  const array = context.shared(name);
  return { type: array.constructor.name, shared: array.buffer instanceof SharedArrayBuffer };
}
export function countTo(limit, context) {
  for (let i = 1; i <= limit; i++) context.progress(i);
  return 'counted';
}
export async function both(milliseconds) {
  const start = Date.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return { start, end: Date.now(), thread: threadId };
}

export function fail() {
  const inner = new RangeError('the inner reason');
  throw new TypeError('the outer message', { cause: inner });
}
export const throwText = () => {
  throw 'just text';
};
export const returnFunction = () => () => 1;
export const crash = (signal) => process.kill(process.pid, signal);
export const exit = (code) => process.exit(code);
export const hang = () => {
  for (;;);
};
export const speakAndDie = () => {
  process._rawDebug('last words');
  process.kill(process.pid, 'SIGSEGV');
};
export function eatMemory() {
  const held = [];
  for (;;) held.push(new Uint8Array(8 * 2 ** 20).fill(1));
}
export function eatHeap() {
  const held = [];
  for (;;) held.push({ text: `${held.length}` });
}
