/** Windows for `clock-fault.test.ts`, as JSON on standard output. Arguments: the model, how many. */
import { readFileSync } from 'node:fs';
import { Session } from '../../../dist/runtime/session.js';

const [path, count] = process.argv.slice(2);
const session = await Session.create(readFileSync(path), {
  threads: 1,
  optimization: 'all',
  provider: 'cpu',
});
const x = { dtype: 'float32', dims: [1, 2], data: Float32Array.of(1, 2) };
const timer = await session.createTimer([{ x }]);
const windows = [];
for (let i = 0; i < Number(count); i++) {
  const { counterTicks, wallNs } = await timer.run({ samples: 20, group: 1, intervalNs: 5e6 });
  windows.push({ counterTicks, wallNs });
}
console.log(JSON.stringify(windows));
