/** What is known of a parent's values without running it: their range, and mean and spread by channel. */
import { floatOf } from '../../ir/attributes.js';
import type { Graph, Initializer, Node } from '../../ir/graph.js';
import { producersOf } from '../../ir/uses.js';
import { POOLING } from './trace.js';

export interface Moments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

export type Interval = readonly [low: number, high: number];

/** Operators that hand on values without making new ones. */
const HANDING = new Set(['Flatten', 'Reshape', 'Transpose', 'Identity', 'Dropout', 'Squeeze']);
const EVERYTHING: Interval = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
/** Points of the integral over a normal distribution, from −6 to 6 deviations. */
const POINTS = 241;

export class ValueFacts {
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #initializers: ReadonlyMap<string, Initializer>;

  constructor(graph: Graph) {
    this.#producers = producersOf(graph);
    this.#initializers = new Map(graph.initializers.map((one) => [one.name, one]));
  }

  /** An interval that holds all elements of a value. */
  rangeOf(value: string): Interval {
    const node = this.#producers.get(value);
    if (node === undefined) return EVERYTHING;
    const [x = ''] = node.inputs;
    if (node.op === 'Sigmoid' || node.op === 'HardSigmoid') return [0, 1];
    if (HANDING.has(node.op)) return this.rangeOf(x);
    if (POOLING.has(node.op)) {
      // A padded average may count zeros.
      const [low, high] = this.rangeOf(x);
      return [Math.min(0, low), Math.max(0, high)];
    }
    const bounds = this.boundsOf(node);
    if (bounds === undefined) return EVERYTHING;
    const [low, high] = this.rangeOf(x);
    return [Math.max(low, bounds[0]), Math.min(high, bounds[1])];
  }

  /** What a Relu or Clip cuts its input to; `undefined` for other nodes. */
  boundsOf(node: Node): Interval | undefined {
    if (node.op === 'Relu') return [0, Number.POSITIVE_INFINITY];
    if (node.op !== 'Clip') return undefined;
    const bound = (i: number, name: string, fallback: number): number | undefined => {
      const input = node.inputs[i] ?? '';
      if (input === '') return floatOf(node, name, fallback);
      const data = this.#initializers.get(input)?.data;
      return data === undefined ? undefined : Number(data[0]);
    };
    const low = bound(1, 'min', EVERYTHING[0]);
    const high = bound(2, 'max', EVERYTHING[1]);
    return low === undefined || high === undefined ? undefined : [low, high];
  }

  /**
   * Mean and variance of each channel of what a batch norm, or a Relu or Clip after one, makes: the
   * norm's outputs have its bias as mean and its scale as deviation, and are taken for normal.
   * `undefined` for other values.
   */
  momentsOf(value: string): Moments | undefined {
    const node = this.#producers.get(value);
    if (node === undefined) return undefined;
    if (node.op === 'BatchNormalization') {
      const [scale, mean] = [1, 2].map((i) => this.#initializers.get(node.inputs[i] ?? '')?.data);
      if (scale === undefined || mean === undefined) return undefined;
      return {
        mean: Float64Array.from(mean as Float32Array),
        variance: Float64Array.from(scale as Float32Array, (one) => one * one),
      };
    }
    const bounds = this.boundsOf(node);
    const before = bounds && this.momentsOf(node.inputs[0] ?? '');
    return before && cutMoments(before, bounds);
  }
}

/** Moments of normal values that are cut to an interval. */
function cutMoments({ mean, variance }: Moments, [low, high]: Interval): Moments {
  const result = { mean: new Float64Array(mean.length), variance: new Float64Array(mean.length) };
  const points = Array.from({ length: POINTS }, (_, i) => -6 + (12 * i) / (POINTS - 1));
  const weights = points.map((z) => Math.exp((-z * z) / 2));
  const total = weights.reduce((a, b) => a + b, 0);
  mean.forEach((center, channel) => {
    const deviation = Math.sqrt(variance[channel] as number);
    let [first, second] = [0, 0];
    points.forEach((z, i) => {
      const cut = Math.min(high, Math.max(low, center + deviation * z));
      const weight = (weights[i] as number) / total;
      first += weight * cut;
      second += weight * cut * cut;
    });
    result.mean[channel] = first;
    result.variance[channel] = Math.max(0, second - first * first);
  });
  return result;
}
