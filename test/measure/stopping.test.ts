import { describe, expect, it } from 'vitest';
import { summarize } from '../../src/measure/statistics.js';
import {
  judge,
  LOOK_FACTOR,
  type Progress,
  relativeHalfWidth,
  type StoppingOptions,
  type Verdict,
} from '../../src/measure/stopping.js';
import { Rng } from '../../src/util/random.js';

const options = { relativeHalfWidth: 0.01, minSamples: 100, minSeconds: 0.5, maxSeconds: 5 };
const narrow = { p50: 10, ci95: [9.91, 10.09] } as const;
const wide = { p50: 10, ci95: [9.8, 10.1] } as const;

describe('judge', () => {
  it('measures the interval against the median', () => {
    expect(relativeHalfWidth(wide)).toBeCloseTo(0.015, 12);
  });

  it('goes on before the first look', () => {
    expect(judge([], options)).toBe('continue');
  });

  it('stops on a narrow interval', () => {
    expect(judge([{ ...narrow, samples: 100, seconds: 0.5 }], options)).toBe('narrow');
  });

  it('goes on while too little was seen', () => {
    expect(judge([{ ...narrow, samples: 99, seconds: 1 }], options)).toBe('continue');
    expect(judge([{ ...narrow, samples: 1000, seconds: 0.4 }], options)).toBe('continue');
  });

  it('goes on while the interval is wide, until the budget ends', () => {
    expect(judge([{ ...wide, samples: 1000, seconds: 4.9 }], options)).toBe('continue');
    expect(judge([{ ...wide, samples: 1000, seconds: 5 }], options)).toBe('budget');
  });

  it('prefers the narrow interval at the end of the budget', () => {
    expect(judge([{ ...narrow, samples: 100, seconds: 6 }], options)).toBe('narrow');
    expect(judge([{ ...narrow, samples: 6, seconds: 6 }], options)).toBe('narrow');
    expect(judge([{ ...narrow, samples: 5, seconds: 6 }], options)).toBe('budget');
  });
});

/** Windows of 20 ms with 50 samples, one level of latency per window. */
function simulate(
  nextLevel: () => number,
  draw: () => number,
  rule: StoppingOptions,
): { verdict: Verdict; seconds: number } {
  const windows: Float64Array[] = [];
  const looks: Progress[] = [];
  let nextLook = 0;
  for (let window = 1; ; window++) {
    const level = nextLevel();
    windows.push(Float64Array.from({ length: 50 }, () => level * draw()));
    const seconds = 0.02 * window;
    if (seconds < nextLook && seconds < rule.maxSeconds) continue;
    nextLook = seconds * LOOK_FACTOR;
    const { count: samples, p50, ci95 } = summarize(windows);
    looks.push({ samples, seconds, p50, ci95 });
    const verdict = judge(looks, rule);
    if (verdict !== 'continue') return { verdict, seconds };
  }
}

/** How many of 40 simulated streams end with each verdict. */
function countVerdicts(
  name: string,
  rule: StoppingOptions,
  stream: (rng: Rng) => { nextLevel: () => number; draw: () => number },
): Record<string, number> {
  const counts: Record<string, number> = { narrow: 0, settled: 0, budget: 0 };
  for (let trial = 0; trial < 40; trial++) {
    const { nextLevel, draw } = stream(new Rng(`${name}-${trial}`));
    const { verdict } = simulate(nextLevel, draw, rule);
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  return counts;
}

/** A heavy tail: one in ten samples is up to ten times longer. */
const heavyTail = (rng: Rng) => () =>
  (1 + 0.02 * rng.normal()) * (rng.uniform() < 0.1 ? rng.range(1, 10) : 1);

describe('stopping on simulated streams', () => {
  const rule = { ...options, maxSeconds: 8 };

  it('ends narrow on independent samples, heavy tails too', () => {
    const counts = countVerdicts('independent', rule, (rng) => ({
      nextLevel: () => 1,
      draw: heavyTail(rng),
    }));
    expect(counts.narrow).toBe(40);
  });

  it('does not give up on independent samples that need the whole budget', () => {
    // Levels per window vary by 30 %: the interval is some ±10 % after 0.5 s, ±2 % after 8 s.
    const counts = countVerdicts('noisy', rule, (rng) => ({
      nextLevel: () => Math.exp(0.3 * rng.normal()),
      draw: heavyTail(rng),
    }));
    expect(counts.settled).toBeLessThanOrEqual(4);
  });

  it('gives up early on a drift that no more time averages out', () => {
    const counts = countVerdicts('drift', { ...rule, maxSeconds: 20 }, (rng) => {
      let level = 1;
      return {
        nextLevel: () => {
          level *= 1.003;
          return level;
        },
        draw: heavyTail(rng),
      };
    });
    expect(counts.settled).toBeGreaterThanOrEqual(36);
  });

  it('gives up early on a level that wanders', () => {
    const counts = countVerdicts('walk', { ...rule, maxSeconds: 60 }, (rng) => {
      let level = 1;
      return {
        nextLevel: () => {
          level *= Math.exp(0.02 * rng.normal());
          return level;
        },
        draw: heavyTail(rng),
      };
    });
    expect(counts.settled).toBeGreaterThanOrEqual(30);
  });
});
