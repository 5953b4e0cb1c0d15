/** What the agent's tools reach of the run, and all that they reach. Nothing of it starts work. */
import type { ReadOptions } from '../../memory/text.js';
import type { Space } from '../../space/space.js';
import type { Json, Metrics, Violation } from '../../trial/trial.js';

/** What is known of a draft before it is tried. */
export interface DraftCheck {
  /** Canonical hash of its graph: equal for the same computation. */
  readonly hash: string;
  readonly description: string;
  /** Static facts, such as `params`. */
  readonly metrics: Metrics;
  /** Static limits that it breaks. */
  readonly violations: readonly Violation[];
  /** Why it would not be run at all. */
  readonly refusal?: string;
}

export interface Workbench {
  readonly space: Space<Json>;
  /** @throws UsageError for what is not a point of the space. */
  check(architecture: Json): DraftCheck;
  /**
   * Forecast latency in milliseconds with its interval, learned from this run's measurements;
   * undefined while there are too few. Absent where nothing forecasts.
   */
  readonly predictLatency?: (
    architecture: Json,
  ) => { readonly ms: number; readonly interval: readonly [number, number] } | undefined;
  /**
   * What this run and an earlier one taught, a line for each entry.
   * @throws UsageError where the scope needs a trial.
   */
  readMemory(options: ReadOptions): string;
}
