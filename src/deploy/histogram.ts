/**
 * What a value took over many runs, in one pass and little memory: extremes, and a histogram whose
 * range doubles (neighbouring bins merge) when a value falls outside; and the clipping of it that
 * loses least to int8, by mean squared error. Source of the criterion: W. Sung et al., 2015,
 * "Resiliency of deep neural networks under quantization" (minimum-L2 step).
 */
import type { ValueRange } from '../ir/pass/quantize-numbers.js';

/** Bins on each side of 0. */
const HALF_BINS = 2048;
/** Ranges that are tried: these shares of the extremes, each side by itself. */
const TRIED_SHARES = Array.from({ length: 48 }, (_, i) => 1 - i / 50);
const LEVELS = 255;

export class Histogram {
  /** Counts of [−limit, limit); 0 itself is counted apart, since int8 holds it exactly. */
  #bins = new Float64Array(2 * HALF_BINS);
  #limit = 2 ** -40;
  #min = 0;
  #max = 0;
  #isFinite = true;

  /** The extremes of the finite values, 0 always between them. */
  get range(): ValueRange {
    return { min: this.#min, max: this.#max };
  }

  /** Whether only finite values came. */
  get isFinite(): boolean {
    return this.#isFinite;
  }

  /** Adds the finite ones of `values`. */
  add(values: Float32Array): void {
    let largest = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value)) {
        this.#isFinite = false;
        continue;
      }
      if (value > this.#max) this.#max = value;
      else if (value < this.#min) this.#min = value;
      largest = Math.max(largest, Math.abs(value));
    }
    while (largest >= this.#limit) this.#double();
    const perUnit = HALF_BINS / this.#limit;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (value === 0 || !Number.isFinite(value)) continue;
      const bin = Math.floor(value * perUnit) + HALF_BINS;
      this.#bins[bin] = (this.#bins[bin] as number) + 1;
    }
  }

  #double(): void {
    const wider = new Float64Array(2 * HALF_BINS);
    this.#bins.forEach((count, i) => {
      const target = Math.floor((i - HALF_BINS) / 2) + HALF_BINS;
      wider[target] = (wider[target] as number) + count;
    });
    this.#bins = wider;
    this.#limit *= 2;
  }

  /**
   * The range whose 255 steps lose least, by the squared error of each bin's middle (of the spread
   * inside a bin, where steps are finer than bins). The upper end is chosen first, then the lower,
   * then both again.
   */
  clippedRange(): ValueRange {
    let { min, max } = this.range;
    for (let round = 0; round < 2; round++) {
      max = this.#best(
        TRIED_SHARES.map((share) => this.#max * share),
        (end) => [min, end],
      );
      min = this.#best(
        TRIED_SHARES.map((share) => this.#min * share),
        (end) => [end, max],
      );
    }
    return { min, max };
  }

  #best(ends: readonly number[], rangeOf: (end: number) => readonly [number, number]): number {
    let best = ends[0] as number;
    let least = Number.POSITIVE_INFINITY;
    for (const end of new Set(ends)) {
      const loss = this.#loss(...rangeOf(end));
      if (loss < least) [best, least] = [end, loss];
    }
    return best;
  }

  #loss(min: number, max: number): number {
    const width = this.#limit / HALF_BINS;
    const step = (max - min) / LEVELS;
    let loss = 0;
    for (let i = 0; i < this.#bins.length; i++) {
      const count = this.#bins[i] as number;
      if (count === 0) continue;
      const value = (i - HALF_BINS + 0.5) * width;
      const clipped = Math.min(max, Math.max(min, value));
      const isCoarse = clipped === value && width > step;
      loss += count * (isCoarse ? step ** 2 / 12 : (value - roundTo(clipped, step)) ** 2);
    }
    return loss;
  }
}

/** The nearest multiple of the step. */
function roundTo(value: number, step: number): number {
  return step === 0 ? 0 : step * Math.round(value / step);
}
