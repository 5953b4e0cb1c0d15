/** The composition root of a search: here, and only here, implementations are chosen. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { createExternalAgent, EXTERNAL_AGENT, Inbox } from '../agent/external.js';
import { createOperators } from '../agent/operators.js';
import { createSupernetAgent } from '../agent/supernet/supernet.js';
import { parseDeviceName } from '../device/provider.js';
import { UsageError } from '../errors.js';
import { writeDurably } from '../evaluate/artifacts.js';
import type { Ledger } from '../ledger/ledger.js';
import { isLocked } from '../ledger/lock.js';
import { createLedger, openLedger, readLedger } from '../ledger/sqlite.js';
import type { OpenRun } from '../mcp/run.js';
import type { SearchEvent } from '../search/events.js';
import { runSearch } from '../search/search.js';
import type { SearchSettings } from '../search/settings.js';
import { type RunSummary, summarizeRun } from '../search/summary.js';
import type { TrainProgress } from '../train/trainer.js';
import type { Json } from '../trial/trial.js';
import { VERSION } from '../util/version.js';
import { createAgent } from './agents.js';
import { type parseBudget, parseDuration } from './budget.js';
import { parseConfig } from './config.js';
import type { Config, ConfigInput } from './config-schema.js';
import { type Laboratory, openLaboratory } from './laboratory.js';
import { type CreateLlmAgent, loadLlm } from './llm.js';
import { carryMemory } from './run-memory.js';
import { requireSupernet } from './supernet.js';

export { VERSION };

/** What stands above the configuration file. */
export interface Overrides {
  readonly dataDir?: string | undefined;
  readonly device?: string | undefined;
  readonly budget?: ReturnType<typeof parseBudget> | undefined;
  readonly seed?: number | undefined;
  /** Folder of an earlier run to remember. */
  readonly memory?: string | undefined;
}

export interface Watcher {
  readonly onEvent?: (event: SearchEvent) => void;
  readonly onTraining?: (progress: TrainProgress) => void;
  /** What the device is known to compute wrongly, a line each. */
  readonly onWarning?: (message: string) => void;
  /** Aborting it ends the run after the current stage; it can be resumed. */
  readonly signal?: AbortSignal;
  /** Where the proposals of the agent `external` come from; without it the agent has none. */
  readonly inbox?: Inbox;
  /** Gets the run before its first step. */
  readonly onOpen?: (run: OpenRun) => void;
}

export interface SearchRequest extends Watcher {
  readonly config: ConfigInput;
  /** Folder of the run; by default `runs/<name>`, with a number behind it if that one is taken. */
  readonly out?: string | undefined;
}

export interface FinishedSearch {
  readonly runDir: string;
  readonly summary: RunSummary;
}

/** The configuration with flags in place of what they override. */
export function withOverrides(config: Config, overrides: Overrides): Config {
  const { dataDir, device, budget, seed, memory } = overrides;
  if (device !== undefined) parseDeviceName(device, '--device');
  if (device !== undefined && config.data.kind === 'table') {
    throw new UsageError('--device: a table (data.kind: table) is read, nothing is measured');
  }
  return {
    ...config,
    seed: seed ?? config.seed,
    memory: memory === undefined ? config.memory : { from: memory },
    // Options belong to a provider: they go with the kind that they were written for.
    device:
      device === undefined || device === config.device.kind
        ? config.device
        : { ...config.device, kind: device, options: undefined },
    data: dataDir === undefined ? config.data : withData(config.data, resolve(dataDir)),
    budget:
      budget === undefined
        ? config.budget
        : {
            reserve: config.budget.reserve,
            eta: config.budget.eta,
            ...('seconds' in budget ? { time: `${budget.seconds}s` } : { trials: budget.trials }),
          },
  };
}

function withData(data: Config['data'], path: string): Config['data'] {
  if (data.kind === 'table') return { ...data, file: path };
  if (data.kind !== 'glyphs') return { ...data, dir: path };
  throw new UsageError('--data: the generated data set (data.kind: glyphs) takes no folder');
}

/** Name of a run by its configuration file. */
export function runNameOf(configPath: string): string {
  return basename(configPath, extname(configPath)).replaceAll(/[^\w.-]/g, '-');
}

/**
 * Runs a search from its configuration to its end (or until `signal`), and leaves the run's folder
 * with ledger, resolved configuration, front and exported models.
 */
export async function search(request: SearchRequest): Promise<FinishedSearch> {
  const config = parseConfig(request.config);
  const name = config.name ?? 'search';
  const runDir = resolve(request.out ?? freeFolder(join('runs', name)));
  if (config.agents.includes(EXTERNAL_AGENT) && request.inbox === undefined) {
    throw new UsageError(
      `agents: ${EXTERNAL_AGENT}: expected archwright mcp, which takes its proposals, received a search`,
    );
  }
  // Whatever can be wrong with the input shows before there is a folder.
  requireSupernet(config);
  const llm = await loadLlm(config);
  const laboratory = await openLaboratory(config, request.onWarning ?? ignore);
  await mkdir(runDir, { recursive: true });
  const { seed } = config;
  const ledger = createLedger(join(runDir, 'ledger.sqlite'), {
    name,
    config: config as unknown as Json,
    seed,
    version: VERSION,
  });
  await writeDurably(join(runDir, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  return work({ ledger, config, laboratory, llm, runDir }, request);
}

/** Continues a run that was interrupted or killed. */
export async function resume(runDir: string, watcher: Watcher = {}): Promise<FinishedSearch> {
  const folder = resolve(runDir);
  const ledger = openLedger(ledgerPath(folder));
  const config = ledger.run.config as unknown as Config;
  const llm = await loadLlm(config);
  const laboratory = await openLaboratory(config, watcher.onWarning ?? ignore);
  return work({ ledger, config, laboratory, llm, runDir: folder }, watcher);
}

/** What a run has come to, from its ledger alone. */
export function show(runDir: string): RunSummary {
  const path = ledgerPath(resolve(runDir));
  const ledger = readLedger(path);
  try {
    return summarizeRun(ledger, isLocked(path));
  } finally {
    ledger.close();
  }
}

/** Opens the ledger of a run's folder to read it; the caller closes it. */
export function openToRead(runDir: string): Ledger {
  return readLedger(ledgerPath(resolve(runDir)));
}

function ledgerPath(runDir: string): string {
  const path = join(runDir, 'ledger.sqlite');
  if (!existsSync(path)) {
    throw new UsageError(`${runDir}: expected the folder of a run, found no ledger.sqlite in it`);
  }
  return path;
}

interface Work {
  readonly ledger: Ledger;
  readonly config: Config;
  readonly laboratory: Laboratory;
  readonly llm: CreateLlmAgent | undefined;
  readonly runDir: string;
}

async function work(
  { ledger, config, laboratory, llm, runDir }: Work,
  watcher: Watcher,
): Promise<FinishedSearch> {
  try {
    const { space, clock } = laboratory;
    const evaluator = laboratory.createEvaluator({
      name: ledger.run.name,
      runDir,
      ...(watcher.onTraining && { onProgress: watcher.onTraining }),
    });
    const operators = createOperators(space);
    const inbox = watcher.inbox ?? closedInbox();
    watcher.onOpen?.({
      ledger,
      evaluator,
      space,
      operators,
      settings: settingsOf(config),
      limits: config.guard,
      inbox,
      readModel: laboratory.readModel,
      profile: (architecture) => laboratory.profile(evaluator, architecture),
    });
    const remembered = carryMemory(ledger, config, openToRead, watcher.onWarning ?? ignore);
    await runSearch({
      ledger,
      evaluator,
      operators,
      settings: settingsOf(config),
      createAgents: (problem, view) => {
        const known = { ...problem, ...(remembered && { remembered }) };
        return config.agents.map((agent) =>
          createAgent(agent, known, {
            external: () => createExternalAgent(inbox, view),
            llm: () => llm?.({ problem: known, view, space, evaluator }),
            supernet: () => {
              const train = laboratory.createSupernetTrainer?.(watcher.onTraining);
              return train && createSupernetAgent(problem, view, train);
            },
          }),
        );
      },
      ...(watcher.onEvent && { onEvent: watcher.onEvent }),
      ...(watcher.signal && { signal: watcher.signal }),
      ...(clock && { clock }),
    });
    const summary = summarizeRun(ledger, false);
    const front = { schema: 'archwright.front/1', front: summary.front };
    await writeDurably(join(runDir, 'front.json'), `${JSON.stringify(front, null, 2)}\n`);
    return { runDir, summary };
  } finally {
    ledger.close();
    await laboratory.close();
  }
}

const ignore = (): void => {};

/** For a run that goes on without whoever proposed in it: what was handed in is still evaluated. */
function closedInbox(): Inbox {
  const inbox = new Inbox();
  inbox.close('nobody proposes from outside; archwright mcp takes proposals');
  return inbox;
}

function settingsOf({ objectives, constraints, budget, guard }: Config): SearchSettings {
  const { time, trials, reserve, eta } = budget;
  const seconds = time === undefined ? undefined : parseDuration(time);
  return {
    objectives,
    limits: constraints.map(({ metric, max, min }) => ({
      metric,
      ...(max !== undefined && { max }),
      ...(min !== undefined && { min }),
    })),
    budget: {
      reserve,
      ...(seconds !== undefined && { seconds }),
      ...(trials !== undefined && { trials }),
    },
    promotion: { eta },
    acceptance: { k: guard.sigmas, rounds: guard.seeds, champions: guard.champions },
  };
}

function freeFolder(path: string): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? path : `${path}-${number}`;
    if (!existsSync(candidate)) return candidate;
  }
}
