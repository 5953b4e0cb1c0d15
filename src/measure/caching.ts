/**
 * Does the model answer from a cache? Inputs that it has never seen are run once, and then again: a
 * model that computes takes the same time for both; one that remembers inputs is much faster the
 * second time. Rotating a few inputs while timing would not show that, since after the first round
 * all of them are known. Passes over fresh inputs alternate with passes over the same inputs, each
 * after runs of other inputs that leave the processor's caches in the same state.
 *
 * Limits: a cache that saves less than a quarter of the time is not told from noise.
 */
import type { Timer } from '../runtime/runtime.js';
import { median, quantile } from './statistics.js';

/** Times of one set of inputs: seen for the first time, and again. */
export interface CachingPass {
  readonly freshNs: Float64Array;
  readonly repeatedNs: Float64Array;
}

/** How much is looked at. */
export interface CachingPlan {
  readonly passes: number;
  /** Fresh inputs per pass. */
  readonly inputs: number;
}

const PASSES = 3;
const MAX_INPUTS = 8;
const MIN_INPUTS = 2;
/** Inputs of one pass together may take this. */
const MAX_INPUT_BYTES = 2 ** 26;
/** Share of the time budget that may go into this. */
const BUDGET_SHARE = 0.1;
/** Fresh ÷ repeated above which inputs are remembered; the second where there is but one pass. */
const FACTOR = 1.3;
const SINGLE_PASS_FACTOR = 2;

/** What can be looked at within `seconds` of budget; undefined where runs are too long for it. */
export function planCaching(
  runNs: number,
  inputBytes: number,
  seconds: number,
): CachingPlan | undefined {
  const runs = (BUDGET_SHARE * seconds * 1e9) / runNs;
  const fitting = Math.floor(MAX_INPUT_BYTES / Math.max(1, inputBytes));
  for (const passes of [PASSES, 1]) {
    // Two runs when the inputs are bound, the first input and the others twice, two in between.
    const inputs = Math.min(MAX_INPUTS, fitting, Math.floor((runs / passes - 6) / 2));
    if (inputs >= MIN_INPUTS) return { passes, inputs };
  }
  return undefined;
}

/**
 * Runs the passes. `bind` gives a timer over that many inputs never seen; `between` runs others.
 * Binding runs the first input, so it is left out.
 */
export async function runCachingPasses(
  { passes, inputs }: CachingPlan,
  bind: (pass: number, count: number) => Promise<Pick<Timer, 'run' | 'release'>>,
  between: () => Promise<void>,
): Promise<CachingPass[]> {
  const results: CachingPass[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const timer = await bind(pass, inputs + 1);
    const runAll = async (): Promise<Float64Array> => {
      await between();
      return (await timer.run({ samples: inputs + 1, group: 1 })).samplesNs.subarray(1);
    };
    results.push({ freshNs: await runAll(), repeatedNs: await runAll() });
    timer.release();
  }
  return results;
}

/** Whether inputs were remembered: every pass says so, and the times of all passes are apart. */
export function isCachingByInput(passes: readonly CachingPass[]): boolean {
  if (passes.length === 0) return false;
  const factor = passes.length === 1 ? SINGLE_PASS_FACTOR : FACTOR;
  const pooled = (pick: (pass: CachingPass) => Float64Array): Float64Array =>
    Float64Array.from(passes.flatMap((pass) => [...pick(pass)])).sort();
  return (
    passes.every(({ freshNs, repeatedNs }) => median(freshNs) > factor * median(repeatedNs)) &&
    quantile(
      pooled(({ freshNs }) => freshNs),
      0.25,
    ) >
      quantile(
        pooled(({ repeatedNs }) => repeatedNs),
        0.75,
      )
  );
}
