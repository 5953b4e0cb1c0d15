import { describe, expect, it } from 'vitest';
import {
  judgeTransfers,
  summarizeTransfers,
  type TransferRound,
} from '../../src/measure/transfers.js';

const round = (change: Partial<TransferRound> = {}): TransferRound => ({
  computeNs: Float64Array.of(0.99e6, 1e6, 1.01e6),
  enqueueNs: 0.1e6,
  hostInputsNs: 1.2e6,
  hostOutputsNs: 1.3e6,
  ...change,
});

describe('summarizeTransfers', () => {
  it('takes copies for the difference that a placement makes, round by round', () => {
    // Drift that meets all placements of a round alike leaves the differences as they are.
    const rounds = Array.from({ length: 8 }, (_, i) =>
      round({
        computeNs: Float64Array.of(1e6 + i * 1e5),
        hostInputsNs: 1.2e6 + i * 1e5,
        hostOutputsNs: 1.3e6 + i * 1e5,
      }),
    );
    const { h2dMs, computeMs, d2hMs, enqueueMs } = summarizeTransfers(rounds);
    expect(h2dMs.p50).toBeCloseTo(0.2, 9);
    expect(h2dMs.ci95[1] - h2dMs.ci95[0]).toBeCloseTo(0, 9);
    expect(d2hMs.p50).toBeCloseTo(0.3, 9);
    expect(enqueueMs.p50).toBeCloseTo(0.1, 9);
    expect(computeMs.p50).toBeCloseTo(1.35, 9);
    expect(computeMs.ci95[0]).toBeLessThan(1.1);
    expect(computeMs.ci95[1]).toBeGreaterThan(1.6);
  });

  it('has no copy take less than no time', () => {
    const rounds = Array.from({ length: 6 }, () => round({ hostInputsNs: 0.9e6 }));
    expect(summarizeTransfers(rounds).h2dMs).toEqual({ p50: 0, ci95: [0, 0] });
  });
});

describe('judgeTransfers', () => {
  const raised = (change: Partial<TransferRound>) =>
    Object.entries(judgeTransfers(summarizeTransfers([round(change), round(change)])))
      .filter(([, value]) => value)
      .map(([flag]) => flag);

  it.each([
    ['nothing', {}, []],
    ['launching that fills the time', { enqueueNs: 0.81e6 }, ['enqueue-bound']],
    ['copies to the device', { hostInputsNs: 2e6 }, ['h2d-bound']],
    ['copies from the device', { hostOutputsNs: 2.1e6 }, ['d2h-bound']],
    ['variation', { computeNs: Float64Array.of(0.9e6, 1e6, 1.1e6) }, ['unstable']],
  ])('flags %s', (_, change, flags) => {
    expect(raised(change)).toEqual(flags);
  });
});
