/**
 * The distribution over architectures that one-shot training learns: a softmax over the options of
 * each decision, the decisions independent of one another. Pure arithmetic in float64.
 */
import type { Rng } from '../../util/random.js';

/** A number for each option of each decision. */
export type PerOption = readonly (readonly number[])[];

/** What each option takes on the device, relative to a reference architecture. */
export interface LatencyTable {
  readonly referenceMs: number;
  /** What changes when the decision of the reference takes this option. */
  readonly deltaMs: PerOption;
}

/** A drawn architecture. */
export interface Draw {
  /** The option of each decision. */
  readonly choices: readonly number[];
  /** The softmax that was relaxed: what the gradient goes through. */
  readonly relaxed: PerOption;
}

export function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((value) => Math.exp(value - most));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / total);
}

/**
 * Draws one option per decision by Gumbel-max: the greatest of logit + noise, which has the
 * probabilities of the softmax whatever the temperature (GDAS, arXiv 1910.04465).
 */
export function draw(logits: PerOption, temperature: number, rng: Rng): Draw {
  const noisy = logits.map((options) =>
    // Neither logarithm gets a 0.
    options.map((logit) => logit - Math.log(Number.MIN_VALUE - Math.log(1 - rng.uniform()))),
  );
  return {
    choices: noisy.map((options) => options.indexOf(Math.max(...options))),
    relaxed: noisy.map((options) => softmax(options.map((value) => value / temperature))),
  };
}

/**
 * Gradient by the logits from the gradient by the gates, straight through: the gates were one-hot, but
 * the gradient is that of the relaxed softmax at the same noise, pⱼ/τ·(dⱼ − Σ dₖpₖ).
 */
export function straightThrough(
  gateGradient: PerOption,
  { relaxed }: Draw,
  temperature: number,
): number[][] {
  return relaxed.map((shares, i) => {
    const given = gateGradient[i] as readonly number[];
    return softmaxGradient(shares, given).map((value) => value / temperature);
  });
}

/** Σ over decisions of Σ pₖ·latencyₖ, with the reference's own. (ProxylessNAS, arXiv 1812.00332) */
export function expectedLatency(logits: PerOption, { referenceMs, deltaMs }: LatencyTable): number {
  return logits.reduce((sum, options, i) => {
    const shares = softmax(options);
    return sum + dot(shares, deltaMs[i] as readonly number[]);
  }, referenceMs);
}

/** Gradient of the expected latency by the logits, pⱼ·(latencyⱼ − Σ pₖ·latencyₖ), in milliseconds. */
export function expectedLatencyGradient(logits: PerOption, { deltaMs }: LatencyTable): number[][] {
  return logits.map((options, i) =>
    softmaxGradient(softmax(options), deltaMs[i] as readonly number[]),
  );
}

/** Jᵀd of a softmax with these values. */
function softmaxGradient(shares: readonly number[], gradient: readonly number[]): number[] {
  const mean = dot(shares, gradient);
  return shares.map((share, j) => share * ((gradient[j] as number) - mean));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}
