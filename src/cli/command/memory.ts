import type { Command } from 'commander';
import { type Scope, scopes } from '../../memory/scope.js';
import { formatMemory, TEXT_BYTES } from '../../memory/text.js';
import { openToRead } from '../compose.js';
import { type OutputOptions, print } from '../output.js';
import { parseChoice, parseWhole } from '../parse.js';
import { memoryOf } from '../run-memory.js';

interface MemoryFlags extends OutputOptions {
  readonly scope: Scope;
  readonly trial?: number;
  readonly bytes?: number;
}

/** `archwright memory`. */
export function addMemoryCommand(program: Command): void {
  program
    .command('memory')
    .description('what a run has learned: effects of changes, failures, lessons')
    .argument('<run>', 'folder of the run')
    .option('--scope <scope>', scopes.join(', '), parseChoice('--scope', scopes), 'global')
    .option('--trial <id>', 'trial that the scope is seen from', parseWhole('--trial', 1))
    .option('--bytes <count>', 'most bytes of the output', parseWhole('--bytes', 256))
    .option('--json', 'print one JSON document')
    .action((runDir: string, { scope, trial, bytes, json }: MemoryFlags) => {
      const ledger = openToRead(runDir);
      try {
        const { memory, context } = memoryOf(ledger, {
          scope,
          ...(trial !== undefined && { trial }),
          ...(json === true && bytes !== undefined && { maxBytes: bytes }),
        });
        print(memory, { json: json === true }, () =>
          formatMemory(memory, context, bytes ?? TEXT_BYTES),
        );
      } finally {
        ledger.close();
      }
    });
}
