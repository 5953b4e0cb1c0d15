/** Programs for `supervisor.test.ts`, each in a process of its own. Argument: the program. */
import { Runner } from '../../dist/runtime/runner.js';

const module = new URL('tasks.mjs', import.meta.url).href;
const runner = new Runner();
const program = process.argv[2];
await runner.call({ module, name: 'pid', args: null });
process.stdout.write(`${runner.pid}\n`);
if (program === 'busy') {
  await runner.call({ module, name: 'hang', args: null });
} else if (program === 'idle') {
  await new Promise((resolve) => setTimeout(resolve, 60_000));
} else if (program === 'exit') {
  runner.call({ module, name: 'hang', args: null }).catch(() => {});
  process.exit(7);
}
// Otherwise: nothing left to do, with the runner's process still there.
