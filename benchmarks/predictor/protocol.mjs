// The protocol: per column and number of samples, some draws of random training samples; everything
// else is the test set, the same for the predictor, the op-count ridge and FLOPs.
import {
  accuracyOf,
  fitAdditive,
  fitPredictor,
  fitRidge,
  spearman,
} from '../../dist/measure/predictor.js';
import { Rng } from '../../dist/util/random.js';

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const round = (value) => Math.round(value * 1e4) / 1e4;

/**
 * @param data `encode(trainingIndices)` gives the schema and all features, `flops` those of all rows
 * @returns means over the draws
 */
export function evaluateColumn({ encode, flops }, values, { samples, draws, seed }) {
  const results = Array.from({ length: draws }, (_, draw) => {
    const rng = new Rng(`${seed}/${samples}/${draw}`);
    const order = rng.shuffle(values.map((_, i) => i));
    const [train, test] = [order.slice(0, samples), order.slice(samples)];
    const { schema, features } = encode(train);
    const known = train.map((i) => ({ features: features[i], value: values[i] }));
    const measured = test.map((i) => values[i]);
    const started = performance.now();
    const predictor = fitPredictor(schema, known, { rng: rng.fork('folds') });
    const fitMs = performance.now() - started;
    const ridge = fitRidge(known);
    const predicted = test.map((i) => predictor.predict(features[i]));
    const score = (guesses) => accuracyOf(guesses, measured);
    return {
      model: predictor.model,
      fitMs,
      coverage90: mean(
        predicted.map(({ interval: [low, high] }, k) =>
          measured[k] >= low && measured[k] <= high ? 1 : 0,
        ),
      ),
      predictor: score(predicted.map(({ value }) => value)),
      ridge: score(test.map((i) => ridge.estimate(features[i]).value)),
      flops: score(test.map((i) => flops[i])),
    };
  });
  return summarize(results);
}

function summarize(results) {
  const average = (who) => ({
    spearman: round(mean(results.map((one) => one[who].spearman))),
    leastSpearman: round(Math.min(...results.map((one) => one[who].spearman))),
    within10: round(mean(results.map((one) => one[who].within10))),
    within5: round(mean(results.map((one) => one[who].within5))),
  });
  const { within10: _, within5: __, ...flops } = average('flops');
  return {
    predictor: {
      ...average('predictor'),
      coverage90: round(mean(results.map(({ coverage90 }) => coverage90))),
      models: countBy(results.map(({ model }) => model)),
      fitMs: round(mean(results.map(({ fitMs }) => fitMs))),
    },
    ridge: average('ridge'),
    flops,
  };
}

function countBy(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Samples that the additive model's ceiling is taken from. */
const CEILING_SAMPLES = 500;

/** Spearman that the same features reach with all the samples they need: what noise leaves over. */
export function ceilingOf({ encode }, values, seed) {
  const order = new Rng(`${seed}/ceiling`).shuffle(values.map((_, i) => i));
  const train = order.slice(0, Math.min(CEILING_SAMPLES, values.length >> 1));
  const { schema, features } = encode(train);
  const known = train.map((i) => ({ features: features[i], value: values[i] }));
  const model = fitAdditive(schema, known);
  return round(
    spearman(
      features.map((one) => model.estimate(one).value),
      values,
    ),
  );
}
