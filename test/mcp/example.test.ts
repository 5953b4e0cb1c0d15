/** The example client, against a server that reads a table, so that it takes a moment. */
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { readLedger } from '../../src/ledger/sqlite.js';
import { temporaryFolder, writeConfig } from '../end-to-end/cli.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('connects, reads the space, submits a candidate and prints its score', async () => {
  const rows = [1, 2, 3].flatMap((depth) => [16, 32].map((width) => [depth, width, depth / 10]));
  const lines = rows.map(([depth, width, score]) => `${depth},${width},${score},${score}`);
  writeFileSync(join(folder, 'own.csv'), `depth,width,val,test\n${lines.join('\n')}\n`);
  const config = writeConfig(folder, {
    name: 'served',
    space: { kind: 'columns', decisions: ['depth', 'width'] },
    data: { kind: 'table', file: 'own.csv', guide: 'val', report: 'test' },
    objectives: [{ metric: 'accuracy', direction: 'maximize' }],
    budget: { trials: 3, eta: 1 },
  });
  const example = fileURLToPath(new URL('../../examples/mcp-client.mjs', import.meta.url));
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [example, config], { cwd: folder });
  expect(stdout).toContain('space columns: 2 decisions (depth, width, …)');
  const score = /^trial 1 complete: \{"accuracy":(0\.[123])\}$/m.exec(stdout)?.[1];
  expect(stdout).toContain(`front: trial 1 {"accuracy":${score},"interval":null,"samples":null}`);
  const ledger = readLedger(join(folder, 'runs/served/ledger.sqlite'));
  const [trial] = ledger.trials();
  expect(trial).toMatchObject({ agent: 'external', metrics: { accuracy: Number(score) } });
  ledger.close();
});
