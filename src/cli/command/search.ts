import type { Command } from 'commander';
import { parseBudget } from '../budget.js';
import {
  type FinishedSearch,
  resume,
  runNameOf,
  search,
  show,
  type Watcher,
  withOverrides,
} from '../compose.js';
import { loadConfig } from '../config.js';
import { createInterrupt, type OutputOptions, print } from '../output.js';
import { parseWhole } from '../parse.js';
import { createProgress } from '../progress.js';
import { formatSummary } from '../summary-table.js';

interface SearchFlags extends OutputOptions {
  readonly data?: string;
  readonly device?: string;
  readonly budget?: string;
  readonly out?: string;
  readonly seed?: number;
  readonly memory?: string;
}

/** `archwright search`, `resume` and `show`. */
export function addSearchCommands(program: Command): void {
  program
    .command('search')
    .description('search for architectures as a configuration file says')
    .argument('<config>', 'YAML or JSON file, see examples/')
    .option('--data <folder>', 'folder of the data set')
    .option('--device <id>', 'device to measure on')
    .option('--budget <budget>', '180s, 15m, 3h or 200trials')
    .option('--out <folder>', 'folder of the run (default: runs/<name>)')
    .option('--seed <number>', 'seed of everything random', parseWhole('--seed', 0))
    .option('--memory <run>', 'folder of an earlier run whose memory agents start with')
    .option('--json', 'print the run as one JSON document')
    .action(async (path: string, flags: SearchFlags) => {
      const config = withOverrides(await loadConfig(path), {
        dataDir: flags.data,
        device: flags.device,
        budget: flags.budget === undefined ? undefined : parseBudget(flags.budget),
        seed: flags.seed,
        memory: flags.memory,
      });
      const name = config.name ?? runNameOf(path);
      await watch(flags, (watcher) =>
        search({ config: { ...config, name }, out: flags.out, ...watcher }),
      );
    });

  program
    .command('resume')
    .description('continue a run that was interrupted or killed')
    .argument('<run>', 'folder of the run')
    .option('--json', 'print the run as one JSON document')
    .action(async (runDir: string, flags: OutputOptions) => {
      await watch(flags, (watcher) => resume(runDir, watcher));
    });

  program
    .command('show')
    .description('show what a run has come to')
    .argument('<run>', 'folder of the run')
    .option('--json', 'print the run as one JSON document')
    .action((runDir: string, flags: OutputOptions) => {
      print(show(runDir), flags, (summary) => formatSummary(summary, runDir));
    });
}

async function watch(
  flags: OutputOptions,
  work: (watcher: Watcher) => Promise<FinishedSearch>,
): Promise<void> {
  const progress = createProgress(process.stderr, process.stderr.isTTY === true);
  const interrupt = createInterrupt(() => {
    progress.close();
    process.stderr.write('stopping after the current stage; Ctrl-C again to stop at once\n');
  });
  try {
    const { runDir, summary } = await work({
      onEvent: progress.onEvent,
      onTraining: progress.onTraining,
      onWarning: (message) => process.stderr.write(`warning: ${message}\n`),
      signal: interrupt.signal,
    });
    progress.close();
    print(summary, flags, (one) => formatSummary(one, runDir));
    if (summary.status !== 'finished') {
      process.stderr.write(`interrupted; continue with: archwright resume ${runDir}\n`);
      process.exitCode = 1;
    }
  } finally {
    progress.close();
    interrupt.release();
  }
}
