/** The memory of a run from its ledger, and what a later run takes over of it. */
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../errors.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Effect } from '../memory/effects.js';
import { type Memory, type MemoryContext, type MemoryOptions, remember } from '../memory/memory.js';
import { EVENT } from '../search/journal.js';
import { BASELINE_AGENT } from '../search/pipeline.js';
import { type RunSummary, summarizeRun } from '../search/summary.js';
import type { Json } from '../trial/trial.js';
import type { Config } from './config-schema.js';
import { choosingOf } from './spaces.js';

export interface RunMemory {
  readonly memory: Memory;
  readonly context: MemoryContext;
}

/** What the run of `ledger` has learned. */
export function memoryOf(ledger: Ledger, options: MemoryOptions = {}): RunMemory {
  const summary = summarizeRun(ledger, false);
  const { objectives, constraints } = summary;
  const { space } = ledger.run.config as unknown as Config;
  const trials = ledger.trials().filter(({ agent }) => agent !== BASELINE_AGENT);
  const architectures = trials.map(({ architecture }) => architecture);
  const context = { choosing: choosingOf(space, architectures), objectives, constraints };
  const memory = remember(trials, context, { noise: noiseOf(summary), ...options });
  return { memory, context };
}

/** Standard deviation of retrainings, pooled over the retested; 0 before there are any. */
function noiseOf({ acceptance }: RunSummary): number {
  let squares = 0;
  let freedom = 0;
  for (const { scores } of acceptance?.scores ?? []) {
    const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
    squares += scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
    freedom += scores.length - 1;
  }
  return freedom === 0 ? 0 : Math.sqrt(squares / freedom);
}

/** Metrics that hold on one device alone. */
const DEVICE_METRICS = ['latencyMs', 'arenaPeakBytes', 'processPeakBytes'];

/**
 * Effects of the run that `config.memory` names, `undefined` where it names none. They are recorded
 * in the ledger when they are taken over, so that a resumed run needs the earlier one no more.
 * @param openRun opens the ledger of a run's folder to read it.
 */
export function carryMemory(
  ledger: Ledger,
  config: Config,
  openRun: (folder: string) => Ledger,
  onWarning: (message: string) => void,
): readonly Effect[] | undefined {
  if (config.memory === undefined) return undefined;
  const recorded = ledger.events().find(({ kind }) => kind === EVENT.memory)?.payload;
  if (recorded !== undefined) {
    return (recorded as unknown as { readonly effects: readonly Effect[] }).effects;
  }
  const { from } = config.memory;
  const earlier = openRun(from);
  try {
    const given = earlier.run.config as unknown as Config;
    if (!isSame(given.space, config.space)) {
      throw new UsageError(
        `memory.from: expected a run in the space ${config.space.kind}, received ${from}, ` +
          `which searched the space ${given.space.kind}`,
      );
    }
    const foreign = foreignMetrics(given, config);
    const effects = memoryOf(earlier).memory.effects.filter((one) => !foreign.has(one.metric));
    if (effects.length === 0) {
      throw new UsageError(
        `memory.from: expected a run in which trials were made from others, received ${from}, ` +
          'whose memory holds no effect that applies here',
      );
    }
    if (foreign.size > 0) {
      onWarning(`memory of ${from}: effects on ${[...foreign].join(', ')} do not apply here`);
    }
    const payload = { from, effects } as unknown as Json;
    ledger.recordEvent({ kind: EVENT.memory, key: '', payload, elapsedSeconds: 0 });
    return effects;
  } finally {
    earlier.close();
  }
}

/** Whether two parts of configurations are the same, one of which may come from a ledger. */
function isSame(a: object, b: object): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
}

/** What was measured elsewhere, learned on other data or read from another table says nothing here. */
function foreignMetrics(earlier: Config, own: Config): ReadonlySet<string> {
  const { measureSeconds: _, ...device } = own.device;
  const { measureSeconds: __, ...earlierDevice } = earlier.device;
  const isTable = [own, earlier].some(({ data }) => data.kind === 'table');
  if (isTable && !isSame(own.data, earlier.data)) return new Set(['accuracy', ...DEVICE_METRICS]);
  return new Set([
    ...(isSame(device, earlierDevice) ? [] : DEVICE_METRICS),
    ...(isSame(own.data, earlier.data) ? [] : ['accuracy']),
  ]);
}
