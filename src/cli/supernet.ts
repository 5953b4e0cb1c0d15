/** The supernet agent of a run: what trains its supernet, and where. */
import {
  SUPERNET_AGENT,
  supernetDefaults,
  type TrainingCall,
  type TrainSupernet,
} from '../agent/supernet/supernet.js';
import type { Dataset } from '../data/data.js';
import type { Device } from '../device/device.js';
import { InternalError, UsageError } from '../errors.js';
import { measureOptionLatencies } from '../evaluate/option-latency.js';
import type { Space } from '../space/space.js';
import { sharedSplit } from '../train/shared-images.js';
import type { LatencyTable } from '../train/supernet/distribution.js';
import {
  type SupernetArgs,
  type SupernetLength,
  type SupernetProgress,
  type SupernetResult,
  supernetModule,
} from '../train/supernet/supernet.js';
import type { TrainProgress } from '../train/trainer.js';
import type { Json } from '../trial/trial.js';
import { parseDuration } from './budget.js';
import type { Config } from './config-schema.js';
import { ANY_TASK, createSpace, spaceKinds } from './spaces.js';

export type SupernetConfig = Extract<Config['agents'][number], { readonly kind: 'supernet' }>;

/** What the training needs of the run around it. The trainer's runner must share the data set. */
export interface SupernetContext {
  readonly config: Config;
  readonly recipe: SupernetArgs['recipe'];
  readonly space: Space<Json>;
  readonly dataset: Dataset;
  /** Where candidates are measured. */
  readonly device: Device;
  /** Where they are trained. */
  readonly trainer: Device;
  readonly onTraining: ((progress: TrainProgress) => void) | undefined;
}

/** What a repeated training must have in common with the first one. */
interface Plan {
  readonly updates: number;
  readonly table: LatencyTable | null;
}

/** Throws `UsageError` where the agent is asked for and there is nothing that it could train. */
export function requireSupernet({ agents, space, data }: Config): void {
  if (entryOf(agents) === undefined) return;
  if (data.kind === 'table') {
    throw new UsageError(`agents: ${SUPERNET_AGENT}: expected data to train on, received a table`);
  }
  const kinds = spaceKinds.filter((kind) => createSpace(kind, ANY_TASK).supernet !== undefined);
  if (kinds.some((kind) => kind === space.kind)) return;
  throw new UsageError(
    `agents: ${SUPERNET_AGENT}: expected a space that has a supernet (space.kind: ` +
      `${kinds.join(' or ')}), received ${space.kind}`,
  );
}

/** The part of a run that trains its supernet, on its training and search splits. */
export function createSupernetTrainer(context: SupernetContext): TrainSupernet {
  const { config, recipe, space, dataset, device, trainer, onTraining } = context;
  const entry = entryOf(config.agents);
  const supernet = space.supernet?.();
  if (entry === undefined || supernet === undefined) {
    throw new InternalError('the supernet agent was not checked');
  }
  return async ({ seed, limitMs, plan, onPlan, signal }: TrainingCall) => {
    const started = performance.now();
    const known = plan as unknown as Plan | undefined;
    const table =
      limitMs === undefined
        ? null
        : (known?.table ??
          (await measureOptionLatencies(device, space, supernet, {
            classes: dataset.classes,
            ...(signal && { signal }),
          })));
    const measuredSeconds = (performance.now() - started) / 1e3;
    const args: SupernetArgs = {
      graph: supernet.graph,
      gates: supernet.gates,
      recipe,
      data: sharedSplit(dataset, 'train'),
      validation: sharedSplit(dataset, 'search'),
      length: known ?? lengthOf(entry, config, measuredSeconds),
      seed,
      threads: trainer.threads,
      ...(table !== null && limitMs !== undefined && { latency: { table, limitMs } }),
    };
    const task = { module: supernetModule, name: 'supernetTask', args };
    const onProgress = (value: unknown) => {
      const { update, updates, loss } = value as SupernetProgress;
      if (update === 0) onPlan({ updates, table } satisfies Plan as unknown as Json);
      else if (loss !== undefined) onTraining?.({ step: update, steps: updates, loss });
    };
    const result = await trainer.lease(() =>
      trainer.runner.call<SupernetResult>(task, { onProgress, ...(signal && { signal }) }),
    );
    const { probabilities, updates, validationLosses, expectedMs } = result;
    return {
      probabilities,
      seconds: (performance.now() - started) / 1e3,
      detail: {
        updates,
        validationLoss: lastOf(validationLosses),
        ...(expectedMs !== undefined && { expectedMs }),
      },
    };
  };
}

/** The agent's entry, with its defaults where only its name was given. */
function entryOf(agents: Config['agents']): SupernetConfig | undefined {
  for (const agent of agents) {
    if (agent === SUPERNET_AGENT) return { kind: SUPERNET_AGENT, ...supernetDefaults };
    if (typeof agent === 'object' && agent.kind === SUPERNET_AGENT) return agent;
  }
  return undefined;
}

/** Its epochs; where time is the budget, no more than its share of that allows. */
function lengthOf(
  { share, epochs }: SupernetConfig,
  { budget }: Config,
  spent: number,
): SupernetLength {
  const seconds = budget.time === undefined ? undefined : parseDuration(budget.time);
  if (seconds === undefined) return { epochs };
  return { epochs, seconds: Math.max(0, share * seconds - spent) };
}

/** Mean of the last tenth. */
function lastOf(values: readonly number[]): number {
  const last = values.slice(-Math.max(1, Math.ceil(values.length / 10)));
  return last.reduce((a, b) => a + b, 0) / last.length;
}
