import { describe, expect, test } from 'vitest';
import { createCellSpace } from '../../src/space/cell.js';
import { createColumnsSpace } from '../../src/space/columns.js';
import { createListedSpace } from '../../src/space/listed.js';
import { Rng } from '../../src/util/random.js';

const cells = createCellSpace({ channels: 3, height: 32, width: 32, classes: 10 });
const rng = new Rng('points');
const points = [...new Set(Array.from({ length: 200 }, () => cells.sample(rng)))];
const listed = createListedSpace(cells, points);
const known = new Set(points);
const distance = (a: string, b: string) =>
  cells.choices(a).filter((choice, i) => choice !== cells.choices(b)[i]).length;

describe('a space of listed points', () => {
  test('its operators stay among them', () => {
    const rng = new Rng(1);
    for (let i = 0; i < 60; i++) {
      const [a, b] = [listed.sample(rng), listed.sample(rng)];
      const mutant = listed.mutate(a, rng);
      expect(mutant).not.toBe(a);
      const near = Math.min(...points.filter((p) => p !== a).map((p) => distance(a, p)));
      expect(distance(a, mutant)).toBe(near);
      const made = [a, b, mutant, listed.mutate(a, rng, 3), listed.cross(a, b, rng)];
      for (const point of [...made, ...listed.neighbours(a, rng)]) expect(known).toContain(point);
      expect(listed.neighbours(a, rng).every((point) => distance(a, point) === near)).toBe(true);
      expect(listed.fromChoices(listed.choices(a))).toBe(a);
    }
    expect(listed.list?.()).toEqual(points);
  });

  test('others are refused, and a single point is no space', () => {
    const other = cells.list?.().find((cell) => !known.has(cell));
    expect(() => listed.parse(other)).toThrow(
      /expected one of the \d+ that are listed, received \|/,
    );
    expect(() => createListedSpace(cells, points.slice(0, 1))).toThrow(
      'space cell: expected two architectures or more, received 1',
    );
  });
});

describe('a space of columns', () => {
  const rows = [
    { depth: 8, op: 'conv' },
    { depth: 2, op: 'pool' },
    { depth: 4, op: 'conv' },
    { depth: 2, op: 'attention' },
  ];
  const space = createColumnsSpace(['depth', 'op'], rows);

  test('has the values that occur, numbers by size', () => {
    expect(space.decisions).toEqual([
      { name: 'depth', options: 3, values: [2, 4, 8], ordered: true },
      { name: 'op', options: 3, values: ['attention', 'conv', 'pool'], ordered: false },
    ]);
    expect(space.choices(rows[0] as never)).toEqual([2, 1]);
    expect([...space.features(rows[2] as never)]).toEqual([0.5, 0, 1, 0]);
    expect(space.fromChoices([1, 2])).toEqual(rows[1]);
    expect(space.describe(rows[1] as never)).toBe('depth 2, op pool');
  });

  test('takes rows in any order of keys, and says what is missing', () => {
    expect(JSON.stringify(space.parse({ op: 'conv', depth: 8, note: 1 }))).toBe(
      '{"depth":8,"op":"conv"}',
    );
    expect(() => space.parse({ depth: 8 })).toThrow(
      'architecture.op: expected a number or a word, received nothing',
    );
    expect(() => space.parse({ depth: 8, op: 'pool' })).toThrow(
      'expected one of the 4 that are listed, received depth 8, op pool',
    );
  });
});
