import { describe, expect, it } from 'vitest';
import {
  accuracyOf,
  type FeatureSchema,
  fitAdditive,
  fitPredictor,
  fitRidge,
  type Sample,
  spearman,
} from '../../../src/measure/predictor.js';
import { Rng } from '../../../src/util/random.js';

/** Networks of up to six operators of three kinds, whose totals are nodes and arithmetic. */
const schema: FeatureSchema = {
  counts: ['small', 'large', 'copy'],
  accounts: [
    {
      name: 'all',
      probability: 1,
      groups: [
        { name: 'fixed', columns: ['run'], share: 0.3 },
        { name: 'count', columns: ['nodes', 'small', 'large', 'copy'], share: 0.3 },
        { name: 'macs', columns: ['macs'], share: 0.4 },
      ],
    },
  ],
};

const COSTS = [0.7, 2.4, 0.3];

function drawSamples(count: number, noise: number, seed: string): Sample[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => {
    const counts = [rng.integer(7), rng.integer(7), rng.integer(7)];
    const [small = 0, large = 0, copy = 0] = counts;
    const nodes = small + large + copy;
    const latency = 1.5 + counts.reduce((sum, n, i) => sum + n * (COSTS[i] as number), 0);
    const terms = [1, nodes, small, large, copy, small + 9 * large];
    return {
      features: { counts, accounts: [terms] },
      value: latency * (1 + noise * rng.normal()),
    };
  });
}

const learn = (samples: readonly Sample[]) =>
  fitPredictor(schema, samples, { rng: new Rng('fit') });

describe('fitPredictor', () => {
  it('finds the costs of parts from as many samples as there are costs, where nothing is noisy', () => {
    const predictor = learn(drawSamples(8, 0, 'train'));
    for (const { features, value } of drawSamples(50, 0, 'test')) {
      expect(predictor.predict(features).value).toBeCloseTo(value, 1);
    }
  });

  it('orders no worse than the ridge over many draws of few noisy samples', () => {
    const test = drawSamples(200, 0, 'test');
    const values = test.map(({ value }) => value);
    const gains = Array.from({ length: 20 }, (_, draw) => {
      const train = drawSamples(7, 0.1, `train ${draw}`);
      const [predictor, ridge] = [learn(train), fitRidge(train)];
      return (
        spearman(
          test.map(({ features }) => predictor.predict(features).value),
          values,
        ) -
        spearman(
          test.map(({ features }) => ridge.estimate(features).value),
          values,
        )
      );
    });
    expect(gains.reduce((a, b) => a + b, 0) / gains.length).toBeGreaterThan(0);
  });

  it('gives intervals that hold about nine of ten measured values', () => {
    const predictor = learn(drawSamples(40, 0.1, 'train'));
    const test = drawSamples(400, 0.1, 'test');
    const held = test.filter(({ features, value }) => {
      const [low, high] = predictor.predict(features).interval;
      return low <= value && value <= high;
    });
    expect(held.length / test.length).toBeGreaterThan(0.8);
    expect(held.length / test.length).toBeLessThan(0.98);
  });

  it('reports the ridge beside every other model', () => {
    const { crossValidation } = learn(drawSamples(25, 0.05, 'train'));
    expect(Object.keys(crossValidation)).toEqual(['ridge', 'additive', 'kernel']);
    expect(crossValidation.ridge?.spearman).toBeGreaterThan(0.8);
  });

  it('keeps the kernel where parts do not add up, and the additive model where they do', () => {
    const train = drawSamples(120, 0.01, 'train');
    expect(learn(train).model).toBe('additive');
    const bent = train.map(({ features, value }) => ({
      features,
      value: value * (0.5 + 0.1 * (features.counts[0] as number) * (features.counts[1] as number)),
    }));
    expect(learn(bent).model).toBe('kernel');
  });

  it('is a function of samples and generator', () => {
    const [train, [probe]] = [drawSamples(30, 0.1, 'train'), drawSamples(1, 0, 'test')];
    const predict = () => learn(train).predict((probe as Sample).features);
    expect(predict()).toEqual(predict());
  });

  it('says what it cannot learn from', () => {
    expect(() => learn(drawSamples(3, 0, 'few'))).toThrow(/at least 4 samples, received 3/);
    const [first, ...rest] = drawSamples(9, 0, 'bad');
    expect(() => learn([{ ...(first as Sample), value: 0 }, ...rest])).toThrow(/positive values/);
  });
});

describe('fitAdditive', () => {
  it('does not follow one disturbed sample', () => {
    const train = drawSamples(12, 0.02, 'train');
    const disturbed = train.map((sample, i) =>
      i ? sample : { ...sample, value: 3 * sample.value },
    );
    const test = drawSamples(100, 0, 'test');
    const errorOf = (samples: readonly Sample[]) => {
      const model = fitAdditive(schema, samples);
      const errors = test.map(({ features, value }) =>
        Math.abs(model.estimate(features).value / value - 1),
      );
      return errors.reduce((a, b) => a + b, 0) / errors.length;
    };
    expect(errorOf(disturbed)).toBeLessThan(0.05);
  });

  it('finds the account that the device goes by', () => {
    const two: FeatureSchema = {
      ...schema,
      accounts: [0.9, 0.1].map((probability) => ({ ...schema.accounts[0], probability }) as never),
    };
    // By the second account copies are folded away.
    const folded = drawSamples(40, 0, 'train').map(({ features }) => {
      const [small = 0, large = 0] = features.counts;
      const terms = [1, small + large, small, large, 0, small + 9 * large];
      const accounts = [features.accounts[0] as readonly number[], terms];
      return { features: { ...features, accounts }, value: 1 + 0.5 * small + 2 * large };
    });
    const model = fitAdditive(two, folded.slice(0, 10));
    for (const { features, value } of folded.slice(10)) {
      expect(model.estimate(features).value).toBeCloseTo(value, 1);
    }
  });
});

describe('accuracyOf', () => {
  it('ranks ties by their mean, and takes what only rounding tells apart for ties', () => {
    // Ranks 0 1.5 1.5 3 against 0 1 2 3: covariance 4.5, variances 4.5 and 5.
    expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
    expect(spearman([1, 2, 2 + 1e-12, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
    expect(spearman([3, 2, 1], [10, 20, 30])).toBe(-1);
  });

  it('counts hits relative to the measured value', () => {
    expect(accuracyOf([1.04, 1.96, 3.5, 4], [1, 2, 3, 5])).toMatchObject({
      within5: 0.5,
      within10: 0.5,
    });
  });
});
