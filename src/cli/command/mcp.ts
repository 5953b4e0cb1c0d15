import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { EXTERNAL_AGENT, Inbox } from '../../agent/external.js';
import { UsageError } from '../../errors.js';
import { ServedRun } from '../../mcp/run.js';
import { type Serving, serveHttp, serveStdio } from '../../mcp/serve.js';
import { createMcpServer } from '../../mcp/tools.js';
import {
  type FinishedSearch,
  openToRead,
  resume,
  runNameOf,
  search,
  type Watcher,
} from '../compose.js';
import { loadConfig } from '../config.js';
import type { Config } from '../config-schema.js';
import { createInterrupt } from '../output.js';
import { parseWhole } from '../parse.js';
import { createProgress } from '../progress.js';

interface McpFlags {
  readonly out?: string;
  readonly http?: number;
  readonly tokenEnv?: string;
}

/** `archwright mcp`. */
export function addMcpCommand(program: Command): void {
  program
    .command('mcp')
    .description('let an outside agent search, over the Model Context Protocol')
    .argument('<config>', 'YAML or JSON file, see examples/')
    .option('--out <folder>', 'folder of the run; one that was interrupted goes on')
    .option('--http <port>', 'serve HTTP on 127.0.0.1 instead of stdio', parseWhole('--http', 0))
    .option('--token-env <name>', 'environment variable with the token for HTTP')
    .action(async (path: string, flags: McpFlags) => {
      const token = tokenOf(flags);
      const config = { name: runNameOf(path), ...withExternal(await loadConfig(path)) };
      await serve(config, flags, token);
    });
}

/** The outside agent is the only one, unless the configuration has it among others. */
function withExternal(config: Config): Config {
  return config.agents.includes(EXTERNAL_AGENT) ? config : { ...config, agents: [EXTERNAL_AGENT] };
}

function tokenOf({ http, tokenEnv }: McpFlags): string {
  if ((http === undefined) !== (tokenEnv === undefined)) {
    throw new UsageError('--http: expected --http and --token-env together, received one of them');
  }
  const token = tokenEnv === undefined ? '' : process.env[tokenEnv];
  if (token === undefined) {
    throw new UsageError(`--token-env: expected a variable that is set, received ${tokenEnv}`);
  }
  return token;
}

async function serve(config: Config, { out, http }: McpFlags, token: string): Promise<void> {
  const progress = createProgress(process.stderr, false);
  const tell = (line: string) => process.stderr.write(`${line}\n`);
  const leave = new AbortController();
  const interrupt = createInterrupt(() => tell('stopping after the current stage'));
  const inbox = new Inbox();
  let run: ServedRun | undefined;
  let serving: Promise<Serving> | undefined;
  const watcher: Watcher = {
    inbox,
    signal: AbortSignal.any([leave.signal, interrupt.signal]),
    onWarning: (message) => tell(`warning: ${message}`),
    onEvent: (event) => {
      progress.onEvent(event);
      run?.onEvent(event);
    },
    onOpen: (open) => {
      const served = new ServedRun(open);
      run = served;
      const create = () => createMcpServer(served, work);
      serving = http === undefined ? serveStdio(create) : serveHttp(create, http, token);
      serving.then(
        ({ left, place }) => {
          tell(`serving on ${place}`);
          void left.then(() => leave.abort());
        },
        () => leave.abort(),
      );
    },
  };
  const work = begin(config, out, watcher);
  try {
    const { runDir, summary } = await work;
    tell(`run ${runDir} (${summary.status})`);
    if (summary.status !== 'finished') tell(`continue with the same command, --out ${runDir}`);
  } finally {
    run?.end('the run has ended; archwright show tells its outcome');
    // Calls that wait for the end are answered before the connection closes.
    await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
    await (await serving)?.close();
    process.stdin.destroy();
    interrupt.release();
  }
}

/** Time for the last answers to leave. */
const FAREWELL_MS = 500;

/** A new run, or the one in `out` where it is the same. */
async function begin(
  config: Config,
  out: string | undefined,
  watcher: Watcher,
): Promise<FinishedSearch> {
  if (out === undefined || !existsSync(join(out, 'ledger.sqlite'))) {
    return search({ config, out, ...watcher });
  }
  const ledger = openToRead(out);
  const recorded = ledger.run.config;
  ledger.close();
  if (!isDeepStrictEqual(recorded, JSON.parse(JSON.stringify(config)))) {
    throw new UsageError(
      `--out: expected an empty folder or a run of the same configuration, received ${out}`,
    );
  }
  return resume(out, watcher);
}
