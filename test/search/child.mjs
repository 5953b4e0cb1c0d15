/** Runs or resumes the analytic search in `argv[2]`, a line on standard output for every event. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createLedger, openLedger } from '../../dist/ledger/sqlite.js';
import { runSearch } from '../../dist/search/search.js';
import { createAgents, createAnalytic, operators, settings } from './analytic.mjs';

const folder = process.argv[2];
const path = join(folder, 'ledger.sqlite');
const ledger = existsSync(path)
  ? openLedger(path)
  : createLedger(path, { name: 'killed', config: {}, seed: 11, version: '0' });
const evaluator = createAnalytic({ sideLog: join(folder, 'side.log'), sleepMs: 1 });
const { status } = await runSearch({
  ledger,
  evaluator,
  operators,
  settings,
  createAgents,
  clock: evaluator.clock,
  onEvent: ({ kind }) => process.stdout.write(`${kind}\n`),
});
ledger.close();
process.stdout.write(`${status}\n`);
