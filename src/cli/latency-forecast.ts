/** Latency of an architecture, forecast from the trials of a run; for models to ask, never a score. */
import { createGraphEncoder, featuresOf, fitPredictor } from '../measure/predictor.js';
import type { Space } from '../space/space.js';
import type { Json, Trial } from '../trial/trial.js';
import { Rng } from '../util/random.js';

/** Fewest measured trials to learn from, as in the loop's own forecasts … */
const LEAST_TRIALS = 12;
/** … and most: the latest ones. */
const MOST_TRIALS = 100;

export interface LatencyForecast {
  readonly ms: number;
  /** Holds the measured value in about nine of ten cases. */
  readonly interval: readonly [number, number];
}

/** Forecasts; learns anew when there are more trials. */
export function createLatencyForecast(space: Space<Json>) {
  let learnedFrom = 0;
  let predict: ((architecture: Json) => LatencyForecast) | undefined;
  return (trials: readonly Trial[], architecture: Json): LatencyForecast | undefined => {
    const measured = trials.filter(
      ({ agent, metrics }) => agent !== 'baseline' && (metrics.latencyMs ?? 0) > 0,
    );
    if (measured.length < LEAST_TRIALS) return undefined;
    if (measured.length !== learnedFrom) {
      predict = learn(space, measured.slice(-MOST_TRIALS));
      learnedFrom = measured.length;
    }
    return predict?.(architecture);
  };
}

function learn(space: Space<Json>, trials: readonly Trial[]) {
  const workOf = (architecture: Json) =>
    featuresOf(space.decode(space.parse(architecture)), { N: 1 });
  const works = trials.map(({ architecture }) => workOf(architecture));
  const { schema, encode } = createGraphEncoder(works, 'latency');
  const samples = works.map((work, i) => {
    return { features: encode(work), value: trials[i]?.metrics.latencyMs as number };
  });
  const predictor = fitPredictor(schema, samples, { rng: new Rng('latency') });
  return (architecture: Json): LatencyForecast => {
    const { value: ms, interval } = predictor.predict(encode(workOf(architecture)));
    return { ms, interval };
  };
}
