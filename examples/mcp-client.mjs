// An outside agent in fifty lines: starts `archwright mcp` on a configuration, reads what is wanted,
// submits a candidate, reads its score, and ends the run. A real agent puts its own idea in place of
// the example that describe_run gives, and submits more than one.
//   npm ci && node examples/mcp-client.mjs [examples/outside-agent.yaml]
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const config = process.argv[2] ?? fileURLToPath(new URL('./outside-agent.yaml', import.meta.url));
const main = fileURLToPath(new URL('cli/main.js', import.meta.resolve('archwright')));

const client = new Client({ name: 'example', version: '1.0.0' });
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [main, 'mcp', config],
  stderr: 'inherit', // the progress of the run
});
await client.connect(transport);

/** Answer of a tool; what a tool refuses is one line. */
async function call(name, args = {}) {
  const { content, isError } = await client.callTool({ name, arguments: args });
  if (isError) throw new Error(`${name}: ${content[0].text}`);
  return JSON.parse(content[0].text);
}

// Human designs are measured first: they set the limits.
let run = await call('describe_run');
while (run.searching.startsWith('human designs')) {
  await sleep(500);
  run = await call('describe_run');
}
const { space, objectives, constraints, budget } = run;
const names = space.decisions.map(({ name }) => name);
console.log(`space ${space.name}: ${names.length} decisions (${names.slice(0, 4).join(', ')}, …)`);
console.log('wanted', JSON.stringify(objectives), 'limits', JSON.stringify(constraints));
console.log('budget', JSON.stringify(budget));

const architecture = space.example;
const { description, duplicate, violations } = await call('check_draft', { architecture });
console.log(`draft ${description}:`, duplicate ?? JSON.stringify(violations));

let trial = await call('submit_candidate', { architecture });
while (trial.state === 'queued' || trial.state === 'evaluating') {
  trial = await call('read_submission', { submission: trial.submission });
}
console.log(`trial ${trial.id} ${trial.state}:`, JSON.stringify(trial.metrics));

// Champions are retrained and the hidden split is opened once; a call waits for a minute at most.
let end = await call('finish_run');
while (end.status !== 'finished') end = await call('finish_run');
for (const { id, holdout } of end.front) console.log(`front: trial ${id}`, JSON.stringify(holdout));
await client.close();
