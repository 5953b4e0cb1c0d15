/** How well predictions order and hit what was measured. */
import { mean } from '../statistics.js';

/** What a prediction is worth, over a set of networks. */
export interface Accuracy {
  /** Rank correlation; NaN where either side is constant. */
  readonly spearman: number;
  /** Share of predictions within ±10 % of the measured value. */
  readonly within10: number;
  readonly within5: number;
}

/** Equal numbers up to this, relative to the largest, are ties: rounding must not order them. */
const TIE = 1e-7;

/** Compares predictions with measured values of the same networks. */
export function accuracyOf(predicted: readonly number[], measured: readonly number[]): Accuracy {
  const within = (share: number) =>
    mean(
      predicted.map((value, i) =>
        Math.abs(value - (measured[i] as number)) <= share * (measured[i] as number) ? 1 : 0,
      ),
    );
  return {
    spearman: spearman(predicted, measured),
    within10: within(0.1),
    within5: within(0.05),
  };
}

/** Spearman's rank correlation, ties by their mean rank. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const x = ranksOf(a);
  const y = ranksOf(b);
  const middle = (a.length - 1) / 2;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = (x[i] as number) - middle;
    const dy = (y[i] as number) - middle;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

/** Ranks from 0, ties by their mean rank. */
function ranksOf(values: readonly number[]): Float64Array {
  const unit = TIE * values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const rounded = Float64Array.from(values, (value) => Math.round(value / unit));
  const order = Uint32Array.from(values, (_, i) => i).sort(
    (i, j) => (rounded[i] as number) - (rounded[j] as number),
  );
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length; ) {
    let last = first;
    const value = rounded[order[first] as number];
    while (last + 1 < order.length && rounded[order[last + 1] as number] === value) last++;
    for (let k = first; k <= last; k++) ranks[order[k] as number] = (first + last) / 2;
    first = last + 1;
  }
  return ranks;
}
