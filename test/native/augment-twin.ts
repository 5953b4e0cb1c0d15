/** What `kernels/cpu/draws.h` and `augment.h` say of augmentation, in plain arithmetic over BigInt. */

export type Words = readonly [number, number, number, number];

/** Philox4x32-10. */
export function philox(counter: Words, key: readonly [number, number]): Words {
  const low = (x: bigint) => x & 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0;
    const b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, low(b), (a >> 32n) ^ c3 ^ k1, low(a)];
    k0 = low(k0 + 0x9e3779b9n);
    k1 = low(k1 + 0xbb67ae85n);
  }
  return [c0, c1, c2, c3].map(Number) as unknown as Words;
}

const purposes = { crop: 0, cutout: 1, partners: 2, share: 3 };

function draw(seed: number, step: number, place: number, purpose: keyof typeof purposes): Words {
  return philox([place, 0, step % 2 ** 32, Math.floor(step / 2 ** 32)], [seed, purposes[purpose]]);
}
const below = (word: number, count: number) => Math.floor((word / 2 ** 32) * count);

export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface Changes {
  readonly seed: number;
  readonly cropPixels?: number;
  readonly flip?: boolean;
  readonly cutoutPixels?: number;
}

/** How image `place` of step `step` is moved and whether it is mirrored. */
export function cropOf(
  { seed, cropPixels = 0, flip = false }: Changes,
  step: number,
  place: number,
) {
  const [w0, w1, w2] = draw(seed, step, place, 'crop');
  const reach = 2 * cropPixels + 1;
  return {
    dy: below(w0, reach) - cropPixels,
    dx: below(w1, reach) - cropPixels,
    flip: flip && w2 >= 2 ** 31,
  };
}

/** Row `y`, column `x` of the cut-out's centre. */
export function centreOf(changes: Changes, shape: Shape, step: number, place: number) {
  const [w0, w1] = draw(changes.seed, step, place, 'cutout');
  return { y: below(w0, shape.height), x: below(w1, shape.width) };
}

/** One image, changed: `normal(value, channel)` normalises a pixel. */
export function changedImage(
  pixels: ArrayLike<number>,
  shape: Shape,
  changes: Changes,
  step: number,
  place: number,
  normal: (value: number, channel: number) => number,
): number[] {
  const { channels, height, width } = shape;
  const { dy, dx, flip } = cropOf(changes, step, place);
  const centre = centreOf(changes, shape, step, place);
  const side = changes.cutoutPixels ?? 0;
  const isCut = (at: number, middle: number) => {
    const first = middle - Math.floor(side / 2);
    return at >= first && at < first + side;
  };
  const out: number[] = [];
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const row = y + dy;
        const column = (flip ? width - 1 - x : x) + dx;
        const outside = row < 0 || row >= height || column < 0 || column >= width;
        const pixel = outside ? 0 : (pixels[(c * height + row) * width + column] as number);
        out.push(isCut(y, centre.y) && isCut(x, centre.x) ? 0 : normal(pixel, c));
      }
    }
  }
  return out;
}

/** Partner of each place of the batch. */
export function partnersOf(seed: number, step: number, batch: number): number[] {
  const places = Array.from({ length: batch }, (_, i) => i);
  for (let i = batch - 1; i > 0; i--) {
    const j = below(draw(seed, step, i, 'partners')[0], i + 1);
    [places[i], places[j]] = [places[j] as number, places[i] as number];
  }
  return places;
}

/** λ ~ Beta(α, α). */
export function shareOf(seed: number, step: number, alpha: number): number {
  const [w0, w1] = draw(seed, step, 0, 'share');
  const r = ((w0 + 0.5) / 2 ** 32) ** (1 / alpha);
  const c = Math.cos((2 * Math.PI * (w1 + 0.5)) / 2 ** 32);
  return 0.5 + (Math.sign(c) * 0.5) / Math.sqrt(1 + r / ((1 - r) * c * c));
}
