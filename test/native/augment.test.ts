import { describe, expect, it } from 'vitest';
import type { Augmentation, HostTensor } from '../../src/runtime/binding-types.js';
import { Session } from '../../src/runtime/session.js';
import {
  batch,
  drawOrder,
  images,
  length,
  mixup,
  none,
  normal,
  observer,
  pixels,
  requestOf,
  rowDims,
  shape,
  stateOf,
  zeros,
} from './augment-observer.js';
import { type Changes, changedImage, partnersOf, shareOf } from './augment-twin.js';
import { cpu } from './model.js';

describe('augmentation', () => {
  const cases: [string, Omit<Augmentation, 'stream' | 'firstStep'>][] = [
    ['nothing', { seed: 1 }],
    ['crop', { seed: 2, cropPixels: 2 }],
    ['crop as far as it goes', { seed: 3, cropPixels: 5 }],
    ['flip', { seed: 4, flip: true }],
    ['cut-out', { seed: 5, cutoutPixels: 3 }],
    ['all', { seed: 0xffffffff, cropPixels: 3, flip: true, cutoutPixels: 2 }],
  ];
  it.each(cases)('%s: as the twin does it, from bytes and floats', async (_, changes) => {
    const session = await Session.create(observer, cpu);
    const order = drawOrder(1);
    for (const step of [0, 41, 2 ** 32 + 3]) {
      const augment = { ...changes, stream: 'x', firstStep: step };
      const wanted = [...order].flatMap((row, place) =>
        changedImage(
          pixels.subarray(row * length, (row + 1) * length),
          shape,
          changes,
          step,
          place,
          normal,
        ),
      );
      for (const source of [pixels, Float32Array.from(pixels)]) {
        const x = { ...images, source };
        const { seen } = await stateOf(session, requestOf(order, augment, x));
        expect([...(seen as Float32Array)]).toEqual(wanted); // exact in float32 by choice of scale
      }
    }
    session.release();
  });

  it('takes pixels as they are without a scale, and one scale for all channels', async () => {
    const session = await Session.create(observer, cpu);
    const order = drawOrder(1);
    const changes = { seed: 9, cropPixels: 2, flip: true };
    const augment = { ...changes, stream: 'x', firstStep: 6 };
    const wanted = (normalise: (value: number) => number) =>
      [...order].flatMap((row, place) => {
        const image = pixels.subarray(row * length, (row + 1) * length);
        return changedImage(image, shape, changes, 6, place, normalise);
      });
    const { name, dtype, source } = images;
    const plain = await stateOf(
      session,
      requestOf(order, augment, { name, rowDims, dtype, source }),
    );
    expect([...(plain.seen as Float32Array)]).toEqual(wanted((value) => value));
    const single = { scale: Float32Array.of(0.5), shift: Float32Array.of(-4) };
    const scaled = await stateOf(session, requestOf(order, augment, { ...images, ...single }));
    expect([...(scaled.seen as Float32Array)]).toEqual(wanted((value) => value * 0.5 - 4));
    session.release();
  });

  it('mixes images with their partners, and hands out λ and the partners’ labels', async () => {
    const session = await Session.create(observer, cpu);
    const order = drawOrder(1);
    for (const step of [0, 1, 977]) {
      const changes: Changes = { seed: 11, cropPixels: 1, flip: true, cutoutPixels: 3 };
      const augment = { ...changes, stream: 'x', firstStep: step, mixup };
      const result = await stateOf(session, requestOf(order, augment));
      const share = shareOf(11, step, mixup.alpha);
      const partners = partnersOf(11, step, batch);
      expect([...partners].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(result.share[0]).toBeCloseTo(share, 6);
      expect([...(result.own as BigInt64Array)].map(Number)).toEqual([...order]);
      expect([...(result.other as BigInt64Array)].map(Number)).toEqual(
        partners.map((place) => order[place]),
      );
      const changed = [...order].map((row, place) =>
        changedImage(
          pixels.subarray(row * length, (row + 1) * length),
          shape,
          changes,
          step,
          place,
          normal,
        ),
      );
      const wanted = changed.flatMap((image, place) =>
        image.map(
          (v, i) => share * v + (1 - share) * (changed[partners[place] as number]?.[i] ?? 0),
        ),
      );
      const worst = wanted.reduce(
        (most, v, i) => Math.max(most, Math.abs(v - ((result.seen as Float32Array)[i] as number))),
        0,
      );
      expect(worst).toBeLessThan(1e-4); // of values up to 513
    }
    session.release();
  });

  it('draws the same however the steps are divided, bit for bit', async () => {
    const session = await Session.create(observer, cpu);
    const steps = 23;
    const order = drawOrder(steps);
    const augment = {
      seed: 21,
      stream: 'x',
      cropPixels: 2,
      flip: true,
      cutoutPixels: 2,
      mixup,
    };
    const whole = await session.runLoop(requestOf(order, { ...augment, firstStep: 100 }));
    for (const sizes of [[1, 22], [9, 1, 13], Array.from({ length: steps }, () => 1)]) {
      let state: readonly HostTensor[] = [zeros, zeros, none, none];
      const shares: number[] = [];
      let done = 0;
      for (const size of sizes) {
        const part = requestOf(order.subarray(done * batch, (done + size) * batch), {
          ...augment,
          firstStep: 100 + done,
        });
        const result = await session.runLoop({
          ...part,
          state: part.state.map((entry, i) => ({ ...entry, value: state[i] as HostTensor })),
        });
        shares.push(...(result.recorded[0] as Float32Array));
        state = result.state;
        done += size;
      }
      expect(state).toEqual(whole.state);
      expect(shares).toEqual([...(whole.recorded[0] as Float32Array)]);
    }
    const other = await session.runLoop(requestOf(order, { ...augment, firstStep: 101 }));
    expect(other.state[1]).not.toEqual(whole.state[1]);
    session.release();
  });
});

describe('a wrong request gets one clear line', () => {
  const good: Augmentation = { stream: 'x', seed: 1, firstStep: 0, mixup };
  const partners = (stream: string, input = 'other') => ({
    mixup: { ...mixup, partners: [{ stream, input }] },
  });
  const bad: [string, Partial<Augmentation>, string][] = [
    ['no such stream', { stream: 'q' }, 'augment.stream: expected one of the streams "x", "own"'],
    ['not images', { stream: 'own' }, 'augment.stream: expected rows of [channels, height, width]'],
    [
      'seed',
      { seed: -1 },
      'augment.seed: expected a whole number from 0 to 4294967295, received -1',
    ],
    ['first step', { firstStep: 0.5 }, 'augment.firstStep: expected a whole number'],
    [
      'crop',
      { cropPixels: 6 },
      'augment.cropPixels: expected a whole number from 0 to 5, received 6',
    ],
    ['cut-out', { cutoutPixels: 6 }, 'augment.cutoutPixels: expected a whole number from 0 to 5'],
    [
      'α',
      { mixup: { ...mixup, alpha: 0 } },
      'augment.mixup.alpha: expected a finite number above 0',
    ],
    [
      'partner stream',
      partners('q'),
      'augment.mixup.partners[0].stream: expected one of the streams',
    ],
    ['partner of the images', partners('x'), 'expected another stream than the augmented one'],
    ['partner input', partners('own', 'q'), 'input "q": expected an input of the model'],
    [
      'input fed twice',
      partners('own', 'own'),
      'input "own": expected an input of the model that is fed once',
    ],
    [
      'share',
      { mixup: { ...mixup, share: 'other' } },
      'input "other": expected int64, received float32',
    ],
    ['other dims', partners('own', 'seen'), 'input "seen": expected float32, received int64'],
  ];
  it.each(bad)('%s', async (_, change, message) => {
    const session = await Session.create(observer, cpu);
    const request = requestOf(drawOrder(1), { ...good, ...change });
    await expect(session.runLoop(request)).rejects.toThrow(message);
    session.release();
  });
  it('images in an array that cannot be read as pixels', async () => {
    const session = await Session.create(observer, cpu);
    const source = new Float64Array(pixels.length) as unknown as Float32Array;
    const request = requestOf(drawOrder(1), good, { ...images, source });
    await expect(session.runLoop(request)).rejects.toThrow(
      'input "x": expected Float32Array or Uint8Array as source of float32, received Float64Array',
    );
    session.release();
  });
});
