/** The draws of augmentation: their generator and their distributions. */
import { describe, expect, it } from 'vitest';
import { Session } from '../../src/runtime/session.js';
import { batch, mixup, observer, requestOf, stateOf } from './augment-observer.js';
import { cropOf, partnersOf, philox, type Words } from './augment-twin.js';
import { cpu } from './model.js';

describe('the generator', () => {
  // Known answers of Random123 (D. E. Shaw Research), kat_vectors: philox4x32, 10 rounds.
  const known: [Words, [number, number], string][] = [
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ];
  it.each(known)('of the twin is Philox4x32-10: %o %o', (counter, key, words) => {
    const text = philox(counter, key).map((word) => word.toString(16).padStart(8, '0'));
    expect(text.join(' ')).toBe(words);
  });
});

describe('the draws', () => {
  const steps = 3000;
  const changes = { seed: 5, cropPixels: 2, flip: true };
  const crops = Array.from({ length: steps }, (_, step) => cropOf(changes, step, step % 64));

  /** Pearson's χ² of counts against equal shares. */
  const chiSquare = (values: readonly number[], from: number, count: number) => {
    const wanted = values.length / count;
    return Array.from({ length: count }, (_, i) => {
      const found = values.filter((value) => value === from + i).length;
      return (found - wanted) ** 2 / wanted;
    }).reduce((a, b) => a + b);
  };

  it('shift equally often by every distance and mirror half of the images', () => {
    // 0.1 % quantiles of χ² with 4 and with 1 degrees of freedom.
    expect(
      chiSquare(
        crops.map(({ dy }) => dy),
        -2,
        5,
      ),
    ).toBeLessThan(18.5);
    expect(
      chiSquare(
        crops.map(({ dx }) => dx),
        -2,
        5,
      ),
    ).toBeLessThan(18.5);
    expect(
      chiSquare(
        crops.map(({ flip }) => Number(flip)),
        0,
        2,
      ),
    ).toBeLessThan(10.9);
  });

  it('pair every place with every other equally often', () => {
    const firsts = Array.from({ length: steps }, (_, step) => partnersOf(3, step, 6)[2] as number);
    expect(chiSquare(firsts, 0, 6)).toBeLessThan(20.6); // 5 degrees of freedom
  });

  it.each([0.1, 0.4, 1, 3])('of λ have mean and variance of Beta(%d, %d)', async (alpha) => {
    const session = await Session.create(observer, cpu);
    const augment = { stream: 'x', seed: 8, firstStep: 0, mixup: { ...mixup, alpha } };
    const order = new Uint32Array(steps * batch);
    const { share } = await stateOf(session, requestOf(order, augment));
    expect([...share].every((value) => value >= 0 && value <= 1)).toBe(true);
    const mean = share.reduce((a, b) => a + b) / steps;
    const variance = share.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / steps;
    const wanted = 1 / (4 * (2 * alpha + 1));
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(wanted / steps));
    // Fourth central moment of Beta(α, α): 3 σ⁴ (2α + 1) / (2α + 3).
    const spread = Math.sqrt(((3 * (2 * alpha + 1)) / (2 * alpha + 3) - 1) / steps);
    expect(Math.abs(variance / wanted - 1)).toBeLessThan(4 * spread + 1e-4);
    session.release();
  });
});
