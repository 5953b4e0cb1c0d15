/**
 * A network costs the sum of its parts: a Bayesian linear model of value on the terms of an account
 * (per-operator costs, shrunk towards a few physical totals), with everything that is not known
 * averaged over by its evidence: how far parts stray from the totals, how loud the noise is, whether
 * it grows with the value, and which account of the work is the device's. In closed form: a Cholesky
 * factor as wide as the account for each combination.
 *
 * Idea: Bayesian model averaging over conjugate normal models (MacKay, "Bayesian interpolation",
 * 1992). Limits: costs are neither forced to be positive nor do parts overlap in time.
 */
import { mean } from '../statistics.js';
import type {
  Account,
  Estimate,
  FeatureSchema,
  Features,
  FittedModel,
  Sample,
} from './features.js';
import {
  cholesky,
  dot,
  inverseOf,
  rowProducts,
  solveCholesky,
  solveLower,
  transpose,
  type Vector,
  withDiagonal,
} from './linear-algebra.js';

/** Prior standard deviation of a total's share of the mean value. */
const TOTAL_SPREADS = [0.2, 0.6];
/** Prior standard deviation of a part's cost beside its total's, in the total's unit. */
const PART_SPREADS = [0.1, 0.3, 0.8];
/** Noise, relative to the mean value. */
const NOISES = [1e-4, 1e-3, 3e-3, 0.01, 0.02, 0.035, 0.06, 0.1, 0.15, 0.22, 0.32];
/** Noise grows with this power of the value … */
const NOISE_POWERS = [0, 1];
/** … but not below this share of the mean value. */
const NOISE_FLOOR = 0.25;
/**
 * Power of the evidence with which accounts are weighed against each other: a device has one of them,
 * so a mixture is a compromise that no device shows.
 */
const DECISIVENESS = 3;
/** A disturbed measurement is off by this many times the noise … */
const DISTURBANCE = 10;
/** … and rare: log odds of being one. */
const DISTURBED_LOG_ODDS = Math.log(0.03 / 0.97);
/** Largest share of disturbed samples. */
const MAX_DISTURBED = 0.2;
/** Standard deviations from which on a sample is looked at. */
const SUSPICIOUS = 2;
/** Hypotheses with less of the evidence than this do not enter the spread. */
const NEGLIGIBLE = 1e-3;

/** An account with its columns scaled: a total is 1 on the average of the samples. */
interface Design {
  readonly rows: readonly Vector[];
  /** Prior mean of each weight. */
  readonly shares: Vector;
  readonly isTotal: readonly boolean[];
  scale(columns: readonly number[]): Vector;
}

/** A set of prior and noise assumptions, and what follows from them. */
interface Hypothesis {
  readonly logEvidence: number;
  readonly weights: Vector;
  readonly noise: number;
  readonly prior: Prior;
  /** Posterior covariance of the weights, as far as it is asked for. */
  readonly covariance: () => Vector[];
  /** The sample that is farthest from what the others say of it, in standard deviations. */
  readonly worst: () => { readonly sample: number; readonly score: number };
}

interface AccountFit {
  readonly design: Design;
  readonly logEvidence: number;
  readonly weights: Vector;
  readonly covariance: readonly Vector[];
  /** Noise variance, constant (first) and relative to the value (second). */
  readonly noise: readonly [number, number];
}

/** Fits the additive model to at least two samples of positive values. */
export function fitAdditive(schema: FeatureSchema, samples: readonly Sample[]): FittedModel {
  const unit = mean(samples.map(({ value }) => value));
  const targets = Float64Array.from(samples, ({ value }) => value / unit);
  const fits = schema.accounts.map((account, index) =>
    fitAccount(
      createDesign(
        account,
        samples.map(({ features }) => columnsOf(features, index)),
      ),
      targets,
    ),
  );
  const masses = normalize(
    fits.map(({ logEvidence }, i) => {
      const { probability } = schema.accounts[i] as Account;
      return DECISIVENESS * (logEvidence + Math.log(probability));
    }),
  );
  return { estimate: (features) => mix(fits, masses, features, unit) };
}

function columnsOf(features: Features, account: number): readonly number[] {
  return features.accounts[account] as readonly number[];
}

function mix(
  fits: readonly AccountFit[],
  masses: readonly number[],
  features: Features,
  unit: number,
): Estimate {
  const parts = fits.map((fit, i) => estimateBy(fit, columnsOf(features, i)));
  const value = dot(
    masses,
    parts.map((part) => part.value),
  );
  const variance = parts.reduce(
    (sum, part, i) => sum + (masses[i] as number) * (part.variance + (part.value - value) ** 2),
    0,
  );
  return { value: unit * value, stddev: unit * Math.sqrt(variance) };
}

function estimateBy(
  { design, weights, covariance, noise }: AccountFit,
  columns: readonly number[],
) {
  const row = design.scale(columns);
  const value = dot(row, weights);
  const own = row.reduce((sum, x, i) => sum + x * dot(row, covariance[i] as Vector), 0);
  const [constant, relative] = noise;
  return { value, variance: own + constant + relative * Math.max(value, NOISE_FLOOR) ** 2 };
}

function createDesign({ groups }: Account, samples: readonly (readonly number[])[]): Design {
  const sizes = groups.map(({ columns }) => columns.length);
  const starts = sizes.map((_, g) => sizes.slice(0, g).reduce((a, b) => a + b, 0));
  const units = starts.map((start) => mean(samples.map((columns) => columns[start] as number)));
  const groupOf = sizes.flatMap((size, g) => Array<number>(size).fill(g));
  const scale = (columns: readonly number[]) =>
    Float64Array.from(columns, (value, j) => {
      const groupUnit = units[groupOf[j] as number] as number;
      return groupUnit > 0 ? value / groupUnit : 0;
    });
  const isTotal = groupOf.map((group, j) => starts[group] === j);
  const shares = groupOf.map((group, j) => (isTotal[j] ? (groups[group]?.share ?? 0) : 0));
  return { rows: samples.map(scale), shares: Float64Array.from(shares), isTotal, scale };
}

/**
 * Fits one account. The sample that fits worst is taken for a disturbed measurement, one after the
 * other, as long as the evidence bears the price of that.
 */
function fitAccount(design: Design, targets: Vector): AccountFit {
  const calm = targets.map(() => 1);
  const before = solveAll(design, targets, calm);
  const disturbance = disturbancesOf(design, targets, bestOf(before));
  const count = disturbance.reduce((sum, value, i) => sum + (value === calm[i] ? 0 : 1), 0);
  const hypotheses = count === 0 ? before : solveAll(design, targets, disturbance);
  const masses = normalize(hypotheses.map(({ logEvidence }) => logEvidence));
  const weights = design.shares.map((_, j) =>
    hypotheses.reduce((total, h, i) => total + (masses[i] as number) * (h.weights[j] as number), 0),
  );
  return {
    design,
    logEvidence: logMeanEvidence(hypotheses) + count * DISTURBED_LOG_ODDS,
    weights,
    covariance: poolCovariance(hypotheses, masses, weights),
    noise: [noiseOf(hypotheses, masses, 0), noiseOf(hypotheses, masses, 1)],
  };
}

/** How many times louder than the others each sample is, under the prior of `start`. */
function disturbancesOf(design: Design, targets: Vector, start: Hypothesis): Vector {
  let disturbance = targets.map(() => 1);
  let best = start;
  for (let count = 1; count <= MAX_DISTURBED * targets.length; count++) {
    const { sample, score } = best.worst();
    if (score < SUSPICIOUS) break;
    const tried = disturbance.map((value, i) => (i === sample ? DISTURBANCE : value));
    const next = bestOf(solvePrior(design, targets, tried, start.prior));
    if (next.logEvidence + DISTURBED_LOG_ODDS < best.logEvidence) break;
    disturbance = tried;
    best = next;
  }
  return disturbance;
}

function solveAll(design: Design, targets: Vector, disturbance: Vector): Hypothesis[] {
  return NOISE_POWERS.flatMap((power) =>
    TOTAL_SPREADS.flatMap((total) =>
      PART_SPREADS.flatMap((part) =>
        solvePrior(design, targets, disturbance, { power, total, part }),
      ),
    ),
  );
}

function bestOf(hypotheses: readonly Hypothesis[]): Hypothesis {
  return hypotheses.reduce((a, b) => (b.logEvidence > a.logEvidence ? b : a));
}

function logMeanEvidence(hypotheses: readonly Hypothesis[]): number {
  const most = bestOf(hypotheses).logEvidence;
  const sum = hypotheses.reduce((total, h) => total + Math.exp(h.logEvidence - most), 0);
  return most + Math.log(sum / hypotheses.length);
}

function noiseOf(hypotheses: readonly Hypothesis[], masses: readonly number[], power: number) {
  return hypotheses.reduce(
    (sum, h, i) => sum + (h.prior.power === power ? (masses[i] as number) * h.noise ** 2 : 0),
    0,
  );
}

interface Prior {
  readonly power: number;
  readonly total: number;
  readonly part: number;
}

/**
 * Weights under one prior, for every noise, by the normal equations A x = b with A = ΦᵀΦ + σ² I; the
 * columns of Φ are in units in which the prior's spread is 1, its rows in units of the noise σ.
 */
function solvePrior(
  { rows, shares, isTotal }: Design,
  targets: Vector,
  disturbance: Vector,
  { power, total, part }: Prior,
): Hypothesis[] {
  const spreads = Float64Array.from(isTotal, (is) => (is ? total : part));
  const loudness = targets.map(
    (target, i) => (disturbance[i] as number) * Math.max(target, NOISE_FLOOR) ** power,
  );
  const residuals = targets.map(
    (target, i) => (target - dot(rows[i] as Vector, shares)) / (loudness[i] as number),
  );
  const white = rows.map((row, i) =>
    row.map((x, j) => (x * (spreads[j] as number)) / (loudness[i] as number)),
  );
  const jacobian = loudness.reduce((sum, value) => sum + Math.log(value), 0);
  const columns = transpose(white);
  const gram = rowProducts(columns);
  const b = Float64Array.from(columns, (column) => dot(column, residuals));
  const square = dot(residuals, residuals);
  return NOISES.map((noise) => {
    const variance = noise * noise;
    const lower = cholesky(withDiagonal(gram, variance));
    const x = solveCholesky(lower, b);
    const logDet =
      (targets.length - b.length) * Math.log(variance) +
      2 * lower.reduce((sum, row, j) => sum + Math.log(row[j] as number), 0);
    return {
      logEvidence: -0.5 * ((square - dot(b, x)) / variance + logDet) - jacobian,
      weights: shares.map((share, j) => share + (spreads[j] as number) * (x[j] as number)),
      noise,
      prior: { power, total, part },
      covariance: () =>
        inverseOf(lower).map((row, i) =>
          row.map((value, j) => variance * value * (spreads[i] as number) * (spreads[j] as number)),
        ),
      worst: () => worstOf(white, residuals, lower, x, noise),
    };
  });
}

/** Leave-one-out residuals by (K⁻¹ r)ᵢ / √(K⁻¹)ᵢᵢ with K = ΦΦᵀ + σ² I. */
function worstOf(
  white: readonly Vector[],
  residuals: Vector,
  lower: readonly Vector[],
  x: Vector,
  noise: number,
) {
  let worst = { sample: 0, score: 0 };
  white.forEach((row, sample) => {
    const half = solveLower(lower, row);
    const free = Math.max(1e-9, 1 - dot(half, half));
    const pull = (residuals[sample] as number) - dot(row, x);
    const score = Math.abs(pull) / (noise * Math.sqrt(free));
    if (score > worst.score) worst = { sample, score };
  });
  return worst;
}

function poolCovariance(
  hypotheses: readonly Hypothesis[],
  masses: readonly number[],
  centre: Vector,
): Vector[] {
  const pooled = Array.from(centre, () => new Float64Array(centre.length));
  hypotheses.forEach(({ weights, covariance }, h) => {
    const mass = masses[h] as number;
    if (mass < NEGLIGIBLE) return;
    const own = covariance();
    const away = weights.map((weight, j) => weight - (centre[j] as number));
    pooled.forEach((row, i) => {
      for (let j = 0; j < row.length; j++) {
        const spread =
          ((own[i] as Vector)[j] as number) + (away[i] as number) * (away[j] as number);
        row[j] = (row[j] as number) + mass * spread;
      }
    });
  });
  return pooled;
}

/** exp(x), scaled to sum 1. */
function normalize(logs: readonly number[]): number[] {
  const most = Math.max(...logs);
  const masses = logs.map((log) => Math.exp(log - most));
  const total = masses.reduce((a, b) => a + b, 0);
  return masses.map((mass) => mass / total);
}
