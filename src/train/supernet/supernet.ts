/**
 * One-shot training as a task of a runner. Updates of the shared weights, on rows of the training
 * split, and of the architecture's logits, on rows of another split, take turns; each draws one
 * architecture and opens its gates alone (GDAS, arXiv 1910.04465). All draws come from the seed, so
 * the same number of updates gives the same distribution.
 */
import { ArchwrightError } from '../../errors.js';
import type { Graph } from '../../ir/graph.js';
import type { TaskContext } from '../../runtime/runner-protocol.js';
import { Rng } from '../../util/random.js';
import type { Recipe } from '../recipe.js';
import type { SharedImages } from '../shared-images.js';
import {
  draw,
  expectedLatency,
  expectedLatencyGradient,
  type LatencyTable,
  type PerOption,
  softmax,
  straightThrough,
} from './distribution.js';
import { Logits } from './logits.js';
import { type SupernetSteps, withSupernetSteps } from './supernet-steps.js';

/** Module URL for `runner.call({ module, name: 'supernetTask', args })`. */
export const supernetModule = import.meta.url;

export interface SupernetArgs {
  /** The supernet; its weights are drawn from the seed. */
  readonly graph: Graph;
  /** Its gates by decision and option. */
  readonly gates: readonly (readonly string[])[];
  /** Of the shared weights. */
  readonly recipe: Recipe;
  /** What weights learn from. */
  readonly data: SharedImages;
  /** What the architecture learns from. */
  readonly validation: SharedImages;
  readonly length: SupernetLength;
  readonly seed: number | string;
  readonly threads: number;
  /** Step size of the logits (default 0.03). */
  readonly architectureRate?: number;
  /** Keeps the expected latency below a limit. */
  readonly latency?: LatencyLimit;
}

/** Updates of the weights; or epochs, as many of them as fit into `seconds` by a trial of a few. */
export type SupernetLength =
  | { readonly updates: number }
  | { readonly epochs: number; readonly seconds?: number };

/** Adds weight·max(0, E/limit − 1) to what the architecture minimises, E the expected latency. */
export interface LatencyLimit {
  readonly table: LatencyTable;
  readonly limitMs: number;
  /** Default 5. */
  readonly weight?: number;
}

/** What `context.progress` gets: the plan before the first update, then where it stands. */
export interface SupernetProgress {
  readonly update: number;
  readonly updates: number;
  /** Mean losses since the last report; absent before the first update. */
  readonly loss?: number;
  readonly validationLoss?: number;
}

export interface SupernetResult {
  /** Probability of each option of each decision. */
  readonly probabilities: PerOption;
  readonly updates: number;
  readonly seconds: number;
  /** Loss of the weights' updates, each with the architecture that was drawn. */
  readonly losses: readonly number[];
  /** Loss on the validation rows in the updates of the logits. */
  readonly validationLosses: readonly number[];
  /** By the distribution, where latencies were given. */
  readonly expectedMs?: number;
}

/**
 * Share of the updates in which weights learn from even draws, before the logits move: at first only
 * operations without weights help, and a short training that asks at once never learns of others.
 */
export const WARMUP = 0.5;
/** Temperature of the relaxation at the first and the last update of the logits. */
const TEMPERATURES = [10, 0.1] as const;
const ARCHITECTURE_RATE = 0.03;
const LATENCY_WEIGHT = 5;
const REPORT_EVERY = 50;

/**
 * Trains a supernet. Throws `UsageError` for a graph or data that cannot be trained, and
 * `ArchwrightError` where the loss stops being finite.
 */
export function supernetTask(args: SupernetArgs, context: TaskContext): Promise<SupernetResult> {
  return withSupernetSteps(args, context, (steps) => trainLogits(args, steps, context));
}

async function trainLogits(
  args: SupernetArgs,
  steps: SupernetSteps,
  context: TaskContext,
): Promise<SupernetResult> {
  const { updates } = steps;
  const rng = new Rng(args.seed).fork('architectures');
  const logits = new Logits(args.gates.map((options) => options.length));
  const rate = args.architectureRate ?? ARCHITECTURE_RATE;
  const warmup = Math.ceil(WARMUP * updates);
  const losses: number[] = [];
  const validationLosses: number[] = [];
  const started = performance.now();
  context.progress({ update: 0, updates } satisfies SupernetProgress);
  for (let update = 0; update < updates; update++) {
    const temperature = temperatureAt((update - warmup) / (updates - warmup));
    const chosen = draw(logits.values, temperature, rng);
    losses.push(finite(await steps.learnWeights(update, chosen.choices), update));
    if (update >= warmup) {
      const drawn = draw(logits.values, temperature, rng);
      const { loss, gradient } = await steps.gateGradient(update, drawn.choices);
      validationLosses.push(finite(loss, update));
      const slopes = straightThrough(gradient, drawn, temperature);
      logits.update(withPenalty(slopes, logits.values, args.latency), rate);
    }
    const done = update + 1;
    if (done % REPORT_EVERY === 0 || done === updates) {
      report(context, done, updates, losses, validationLosses);
    }
  }
  return {
    probabilities: logits.values.map(softmax),
    updates,
    seconds: (performance.now() - started) / 1e3,
    losses,
    validationLosses,
    ...(args.latency && { expectedMs: expectedLatency(logits.values, args.latency.table) }),
  };
}

function temperatureAt(progress: number): number {
  const [first, last] = TEMPERATURES;
  return first + (last - first) * Math.max(0, progress);
}

/** The gradient with the latency's part where the expected latency is over its limit. */
function withPenalty(
  gradient: readonly (readonly number[])[],
  logits: PerOption,
  latency: LatencyLimit | undefined,
): PerOption {
  if (latency === undefined) return gradient;
  const { table, limitMs, weight = LATENCY_WEIGHT } = latency;
  if (expectedLatency(logits, table) <= limitMs) return gradient;
  const slopes = expectedLatencyGradient(logits, table);
  return gradient.map((row, i) =>
    row.map((value, j) => value + (weight / limitMs) * (slopes[i]?.[j] as number)),
  );
}

function finite(loss: number, update: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new ArchwrightError(`supernet: its loss became ${loss} at update ${update}`);
}

function report(
  context: TaskContext,
  update: number,
  updates: number,
  losses: readonly number[],
  validationLosses: readonly number[],
): void {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  context.progress({
    update,
    updates,
    loss: mean(losses.slice(-REPORT_EVERY)),
    ...(validationLosses.length > 0 && {
      validationLoss: mean(validationLosses.slice(-REPORT_EVERY)),
    }),
  } satisfies SupernetProgress);
}
