/** The processes of Bayesian optimisation against the textbook's formulas, written out plainly. */
import { describe, expect, test } from 'vitest';
import { KernelFit, nextFit } from '../../src/agent/bayes/fit.js';
import { GaussianProcess, matern52 } from '../../src/agent/bayes/gaussian-process.js';
import { expectedImprovement, normalBelow, normalQuantile } from '../../src/agent/bayes/normal.js';
import { PoolPosterior } from '../../src/agent/bayes/posterior.js';
import { chooseRows, MAX_ROWS } from '../../src/agent/bayes/rows.js';
import { Surrogate } from '../../src/agent/bayes/surrogate.js';
import { marginTargets, objectiveTargets, rankShares } from '../../src/agent/bayes/targets.js';
import { Rng } from '../../src/util/random.js';

const rng = new Rng('gaussian process');
const pointsOf = (count: number) =>
  Array.from({ length: count }, () => Float64Array.from({ length: 3 }, () => rng.uniform()));

/** Solves A x = b by Gauss–Jordan elimination with pivots. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] as number]);
  const n = rows.length;
  for (let c = 0; c < n; c++) {
    const at = (r: number) => Math.abs(rows[r]?.[c] as number);
    const pivot = Array.from({ length: n - c }, (_, k) => c + k).reduce((a, b) =>
      at(b) > at(a) ? b : a,
    );
    [rows[c], rows[pivot]] = [rows[pivot] as number[], rows[c] as number[]];
    const top = rows[c] as number[];
    for (const row of rows) {
      if (row === top) continue;
      const factor = (row[c] as number) / (top[c] as number);
      for (let k = c; k <= n; k++) row[k] = (row[k] as number) - factor * (top[k] as number);
    }
  }
  return rows.map((row, i) => (row[n] as number) / (row[i] as number));
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

const kernel = (a: Float64Array, b: Float64Array, lengthscale: number) => {
  const r = (Math.sqrt(5) * Math.hypot(...a.map((v, i) => v - (b[i] as number)))) / lengthscale;
  return (1 + r + r ** 2 / 3) * Math.exp(-r);
};

describe('a Gaussian process', () => {
  const shape = { lengthscale: 0.7, noise: 0.05 };
  const known = pointsOf(12);
  const targets = known.map(([x, y]) => Math.sin(5 * (x as number)) + (y as number) ** 2 - 0.3);
  const matrix = known.map((a, i) =>
    known.map((b, j) => kernel(a, b, shape.lengthscale) + (i === j ? shape.noise : 0)),
  );
  const scale = dot(targets, solve(matrix, targets)) / targets.length;

  test('says what the plain formulas say, also when it learns in between', () => {
    const pool = pointsOf(9);
    const process = new GaussianProcess(shape);
    const posterior = new PoolPosterior(process, pool);
    known.forEach((point, i) => {
      process.append(point);
      posterior.extend();
      if (i === 4) posterior.predict(targets.slice(0, 5));
    });
    const { mean, deviation, spread } = posterior.predict(targets);
    pool.forEach((point, c) => {
      const near = known.map((each) => kernel(each, point, shape.lengthscale));
      const variance = scale * (1 - dot(near, solve(matrix, near)));
      expect(mean[c]).toBeCloseTo(dot(near, solve(matrix, targets)), 9);
      expect(deviation[c]).toBeCloseTo(Math.sqrt(variance), 9);
      expect(spread[c]).toBeCloseTo(Math.sqrt(variance + scale * shape.noise), 9);
    });
    expect(matern52(0, 0.7)).toBe(1);
  });

  test('knows the likelihood of its targets, by the determinant', () => {
    const process = new GaussianProcess(shape);
    for (const point of known) process.append(point);
    const determinant = known.reduce((product, _, n) => {
      // The ratio of leading minors is the inverse of a corner of the inverse.
      const minor = matrix.slice(0, n + 1).map((row) => row.slice(0, n + 1));
      const unit = minor.map((_, i) => Number(i === n));
      return product / (solve(minor, unit)[n] as number);
    }, 1);
    expect(process.logLikelihood(targets)).toBeCloseTo(
      -0.5 * targets.length * Math.log(scale) - 0.5 * Math.log(determinant),
      8,
    );
  });
});

test('the normal distribution and expected improvement agree with sums', () => {
  expect(normalBelow(1.959963985)).toBeCloseTo(0.975, 6);
  expect(normalBelow(-3)).toBeCloseTo(0.0013498980316, 6);
  expect(normalQuantile(0.9)).toBeCloseTo(1.2815515655, 3);
  const steps = 20_000;
  const integral = Array.from({ length: steps }, (_, i) => {
    const z = -8 + (16 * (i + 0.5)) / steps;
    const density = Math.exp(-z * z * 0.5) / Math.sqrt(2 * Math.PI);
    return (Math.max(0, 0.2 - (0.5 + 0.4 * z)) * density * 16) / steps;
  }).reduce((sum, value) => sum + value, 0);
  expect(expectedImprovement(0.5, 0.4, 0.2)).toBeCloseTo(integral, 6);
});

describe('targets', () => {
  test('are ranks of costs; equal costs share theirs, and a stopped trial is in the worse half', () => {
    expect(rankShares([3, 1, 3, Infinity])).toEqual([0.5, 0.125, 0.5, 0.875]);
    const rows = [{ costs: [5] }, { costs: undefined }, { costs: [4] }, { costs: [900] }];
    const [middle, stopped, least, most] = objectiveTargets(rows, [1]) as [
      number,
      number,
      number,
      number,
    ];
    expect(least).toBeLessThan(middle);
    expect(middle).toBeLessThan(stopped);
    expect(most).toBeCloseTo(-least, 6);
  });

  test('every point of a hollow front is the best for some weights', () => {
    const rows = [
      [0, 2],
      [1.5, 1.5],
      [2, 0],
      [3, 3],
    ].map((costs) => ({ costs }));
    const bestFor = (weights: number[]) => {
      const targets = objectiveTargets(rows, weights);
      return targets.indexOf(Math.min(...targets));
    };
    expect([bestFor([0.95, 0.05]), bestFor([0.5, 0.5]), bestFor([0.05, 0.95])]).toEqual([0, 1, 2]);
  });

  test('margins are negative within a limit, on either side', () => {
    expect(marginTargets([1, 3, 9], { limit: 3, sign: 1 }).map(Math.sign)).toEqual([-1, 0, 1]);
    expect(marginTargets([1, 3, 9], { limit: 3, sign: -1 }).map(Math.sign)).toEqual([1, -0, -1]);
  });
});

describe('a surrogate', () => {
  type Point = { readonly point: Float64Array };
  const rows: readonly Point[] = pointsOf(30).map((point) => ({ point }));
  const targetsOf = (some: readonly Point[]) =>
    some.map(({ point: [x, y] }) => Math.sin(3 * (x as number)) - (y as number));
  const task = {
    fitTargets: (some: readonly Point[]) => [targetsOf(some)],
    importance: () => [],
  };
  const pool = pointsOf(7);

  test('that was made ready step by step says what one says that was asked at once', () => {
    const early = new Surrogate(rows.slice(0, 20), task, pool);
    const late = new Surrogate(rows.slice(0, 20), task, pool);
    let steps = 0;
    while (!early.isReady) {
      expect(early.step()).toBeGreaterThan(0);
      steps++;
    }
    expect(steps).toBeGreaterThan(20);
    for (const surrogate of [early, late]) for (const row of rows.slice(20)) surrogate.add(row);
    const predicted = early.predict(targetsOf(rows));
    expect(late.predict(targetsOf(rows))).toEqual(predicted);
    expect(late.predict(targetsOf(rows), pool)).toEqual(predicted);
    const truth = targetsOf(pool.map((point) => ({ point })));
    const error = truth.reduce(
      (sum, value, c) => sum + Math.abs(value - (predicted.mean[c] as number)) / truth.length,
      0,
    );
    expect(error).toBeLessThan(0.2);
  });

  test('has a kernel that is the likeliest of those that were tried', () => {
    const points = rows.map(({ point }) => point);
    const targets = targetsOf(rows);
    const fit = new KernelFit(points, [targets]);
    while (fit.shape === undefined) fit.step();
    const mean = targets.reduce((sum, value) => sum + value, 0) / targets.length;
    const likelihoodOf = (shape: { lengthscale: number; noise: number }) => {
      const process = new GaussianProcess(shape);
      for (const point of points) process.append(point);
      return process.logLikelihood(targets.map((value) => value - mean));
    };
    const best = likelihoodOf(fit.shape);
    for (const lengthscale of [0.25, 0.5, 0.8, 1.2, 3]) {
      for (const noise of [0.01, 0.03, 0.1, 0.3]) {
        const other = likelihoodOf({ lengthscale: lengthscale * Math.sqrt(3), noise });
        expect(other).toBeLessThanOrEqual(best + 1e-9);
      }
    }
  });
});

describe('fits', () => {
  test('come ever later, but never after more than 48 trials', () => {
    let fit = 20;
    let fits = 0;
    for (; fit < 1000; fits++) {
      const next = nextFit(fit);
      expect(next - fit).toBeGreaterThanOrEqual(2);
      expect(next - fit).toBeLessThanOrEqual(48);
      expect(nextFit(next) - next).toBeGreaterThanOrEqual(next - fit);
      fit = next;
    }
    expect(fits).toBeLessThan(40);
  });

  test('use of many rows the best, the newest, and those far from them', () => {
    const rows = Array.from({ length: 300 }, (_, i) => ({
      i,
      point: Float64Array.of(i === 150 ? 99 : i % 10, 0),
    }));
    const chosen = chooseRows(rows, (all) => all.map(({ i }) => Math.abs(i - 70)));
    const places = chosen.map(({ i }) => i);
    expect(places.length).toBe(MAX_ROWS);
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
    for (let i = 60; i <= 80; i++) expect(places).toContain(i);
    for (let i = 260; i < 300; i++) expect(places).toContain(i);
    expect(places).toContain(150);
  });

  test('use the newest where none tells more than another', () => {
    const rows = Array.from({ length: 300 }, () => ({ point: Float64Array.of(0) }));
    expect(chooseRows(rows, (all) => all.map(() => 0))).toEqual(rows.slice(-MAX_ROWS));
  });
});
