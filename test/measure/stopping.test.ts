import { describe, expect, it } from 'vitest';
import { judge, relativeHalfWidth } from '../../src/measure/stopping.js';

const options = { relativeHalfWidth: 0.01, minSamples: 100, minSeconds: 0.5, maxSeconds: 5 };
const narrow = { p50: 10, ci95: [9.91, 10.09] } as const;
const wide = { p50: 10, ci95: [9.8, 10.1] } as const;

describe('judge', () => {
  it('measures the interval against the median', () => {
    expect(relativeHalfWidth(wide)).toBeCloseTo(0.015, 12);
  });

  it('stops on a narrow interval', () => {
    expect(judge({ ...narrow, samples: 100, seconds: 0.5 }, options)).toBe('narrow');
  });

  it('goes on while too little was seen', () => {
    expect(judge({ ...narrow, samples: 99, seconds: 1 }, options)).toBe('continue');
    expect(judge({ ...narrow, samples: 1000, seconds: 0.4 }, options)).toBe('continue');
  });

  it('goes on while the interval is wide, until the budget ends', () => {
    expect(judge({ ...wide, samples: 1000, seconds: 4.9 }, options)).toBe('continue');
    expect(judge({ ...wide, samples: 1000, seconds: 5 }, options)).toBe('budget');
  });

  it('prefers the narrow interval at the end of the budget', () => {
    expect(judge({ ...narrow, samples: 100, seconds: 6 }, options)).toBe('narrow');
    expect(judge({ ...narrow, samples: 6, seconds: 6 }, options)).toBe('narrow');
    expect(judge({ ...narrow, samples: 5, seconds: 6 }, options)).toBe('budget');
  });
});
