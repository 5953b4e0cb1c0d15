import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { inferCost } from '../../src/ir/cost.js';
import { verify } from '../../src/ir/verify.js';
import { createCellSpace } from '../../src/space/cell.js';
import { Rng } from '../../src/util/random.js';

const space = createCellSpace({ channels: 3, height: 32, width: 32, classes: 10 });
const best =
  '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|';

describe('cell space', () => {
  test('lists 15,625 different cells, which parse back', () => {
    const all = space.list?.() ?? [];
    expect(new Set(all).size).toBe(15_625);
    for (const cell of all.filter((_, i) => i % 97 === 0)) expect(space.parse(cell)).toBe(cell);
  });

  // From the published tables: params and MACs of CIFAR-10 are linear in the numbers of operations.
  test.each([
    ['|none~0|+|none~0|none~1|+|none~0|none~1|none~2|', 0.073306],
    [best, 0.073306 + 4 * 0.24304 + 0.028],
    [
      '|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|',
      0.129306,
    ],
  ])('%s has the published number of parameters', (cell, millions) => {
    const graph = space.decode(cell);
    verify(graph);
    expect(inferCost(graph, { N: 1 }).params / 1e6).toBeCloseTo(millions, 6);
  });

  test('neighbours are the 24 cells that differ in one edge, mutants and children lie in the space', () => {
    const neighbours = space.neighbours(best, new Rng(0));
    expect(new Set(neighbours).size).toBe(24);
    const rng = new Rng(1);
    for (let i = 0; i < 50; i++) {
      const [a, b] = [space.sample(rng), space.sample(rng)];
      expect(space.neighbours(a, rng)).toContain(space.mutate(a, rng));
      const child = space.choices(space.cross(a, b, rng));
      child.forEach((choice, edge) => {
        expect([space.choices(a)[edge], space.choices(b)[edge]]).toContain(choice);
      });
      expect(space.fromChoices(space.choices(a))).toBe(a);
    }
  });

  test('dead edges do not show in the features', () => {
    const alone = '|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|';
    const dead = '|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|';
    expect(space.features(dead)).toEqual(space.features(alone));
    expect(space.features(best)).not.toEqual(space.features(alone));
  });

  test.each(['', '|x~0|+|none~0|none~1|+|none~0|none~1|none~2|', 7, best.slice(1)])(
    'refuses %j in one line',
    (json) => {
      expect(() => space.parse(json)).toThrow(UsageError);
      expect(() => space.parse(json)).toThrow(/cell: expected \|op~0\|.*; received/);
    },
  );
});

const table = fileURLToPath(
  new URL('../../../shared/data/nasbench201/accuracy.json.gz', import.meta.url),
);
if (!existsSync(table)) console.warn(`skipped, no NAS-Bench-201 table: ${table} is absent`);

test.skipIf(!existsSync(table))('names every cell of the published table', () => {
  const { columns, rows } = JSON.parse(gunzipSync(readFileSync(table)).toString()) as {
    columns: string[];
    rows: (string | number)[][];
  };
  const [arch, params] = [columns.indexOf('arch'), columns.indexOf('c10_params_m')];
  const named = new Set(rows.map((row) => space.parse(row[arch])));
  expect(named.size).toBe(15_625);
  for (const row of rows.filter((_, i) => i % 1500 === 0)) {
    const cost = inferCost(space.decode(String(row[arch])), { N: 1 });
    expect(cost.params / 1e6).toBeCloseTo(Number(row[params]), 5);
  }
});
