import { describe, expect, it } from 'vitest';
import { createInputSets } from '../../src/measure/inputs.js';
import { mean, stddev } from '../../src/measure/statistics.js';
import { Rng } from '../../src/util/random.js';

const image = { name: 'image', dtype: 'float32', dims: [-1, 3, 32, 32] } as const;

describe('createInputSets', () => {
  it('draws normal images, different in each set and the same for a seed', () => {
    const create = () => createInputSets([image], { image: [2, 9, 9, 9] }, 4, new Rng(1));
    const sets = create();
    expect(sets).toHaveLength(4);
    expect(sets[0]?.image?.dims).toEqual([2, 3, 32, 32]);
    const values = sets[0]?.image?.data as Float32Array;
    expect(values).toHaveLength(2 * 3 * 32 * 32);
    expect(Math.abs(mean(values))).toBeLessThan(0.05);
    expect(stddev(values)).toBeCloseTo(1, 1);
    expect(sets[1]?.image?.data).not.toEqual(values);
    expect(create()).toEqual(sets);
  });

  it('takes open dimensions as 1', () => {
    expect(createInputSets([image], {}, 1, new Rng(1))[0]?.image?.dims).toEqual([1, 3, 32, 32]);
  });

  it('keeps indices within two and scalars at one', () => {
    const [set] = createInputSets(
      [
        { name: 'ids', dtype: 'int64', dims: [64] },
        { name: 'length', dtype: 'int32', dims: [] },
        { name: 'mask', dtype: 'bool', dims: [64] },
        { name: 'pixels', dtype: 'uint8', dims: [4096] },
      ],
      {},
      1,
      new Rng(1),
    );
    expect([...new Set(set?.ids?.data as BigInt64Array)].sort()).toEqual([0n, 1n]);
    expect(set?.length?.data).toEqual(Int32Array.of(1));
    expect([...new Set(set?.mask?.data as Uint8Array)].sort()).toEqual([0, 1]);
    const pixels = set?.pixels?.data as Uint8Array;
    expect(pixels.some((pixel) => pixel > 250)).toBe(true);
  });
});
