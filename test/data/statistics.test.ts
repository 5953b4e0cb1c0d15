import { describe, expect, it } from 'vitest';
import { computePixelStatistics } from '../../src/data/statistics.js';

describe('computePixelStatistics', () => {
  it('averages each channel over all images and pixels', () => {
    // Two images of two channels of 1 × 2 pixels.
    const images = Uint8Array.of(0, 51, 255, 255, 102, 153, 255, 0);
    const { mean, std } = computePixelStatistics(
      { count: 2, images, labels: Uint8Array.of(0, 1) },
      2,
    );
    expect(mean[0]).toBeCloseTo(0.3, 12);
    expect(std[0]).toBeCloseTo(Math.sqrt(0.05), 12);
    expect(mean[1]).toBeCloseTo(0.75, 12);
    expect(std[1]).toBeCloseTo(Math.sqrt(3) / 4, 12);
  });
});
