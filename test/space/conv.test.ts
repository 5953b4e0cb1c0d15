import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { inferCost } from '../../src/ir/cost.js';
import { hashGraph } from '../../src/ir/hash.js';
import { verify } from '../../src/ir/verify.js';
import { createConvSpace } from '../../src/space/conv.js';
import type { ConvArchitecture } from '../../src/space/conv-architecture.js';
import type { TaskShape } from '../../src/space/space.js';
import { Rng } from '../../src/util/random.js';

const grey: TaskShape = { channels: 1, height: 28, width: 28, classes: 10 };
const tasks: readonly TaskShape[] = [
  grey,
  { channels: 3, height: 32, width: 32, classes: 10 },
  { channels: 2, height: 8, width: 13, classes: 2 },
  { channels: 3, height: 96, width: 64, classes: 37 },
];

const seeds = fc.integer({ min: 0, max: 1e9 });

function expectLegal(architecture: ConvArchitecture, task: TaskShape): void {
  const space = createConvSpace(task);
  const graph = space.decode(architecture);
  verify(graph);
  const [image] = graph.inputs;
  expect(image).toEqual({
    name: 'image',
    dtype: 'float32',
    shape: ['N', task.channels, task.height, task.width],
  });
  expect(graph.outputs).toEqual([{ name: 'logits', dtype: 'float32', shape: ['N', task.classes] }]);
  expect(space.parse(JSON.parse(JSON.stringify(architecture)))).toEqual(architecture);
  expect(Object.isFrozen(architecture.stages[0])).toBe(true);
}

describe('conv space', () => {
  for (const task of tasks) {
    const name = `${task.height}×${task.width}×${task.channels}`;

    test(`${name}: samples, mutants and children decode to legal graphs and parse back`, () => {
      const space = createConvSpace(task);
      fc.assert(
        fc.property(seeds, fc.integer({ min: 1, max: 5 }), (seed, changes) => {
          const rng = new Rng(seed);
          const a = space.sample(rng);
          const b = space.sample(rng);
          const mutant = space.mutate(a, rng, changes);
          const child = space.cross(mutant, b, rng);
          for (const architecture of [a, b, mutant, child]) expectLegal(architecture, task);
          expect(mutant).not.toEqual(a);
        }),
        { numRuns: 60 },
      );
    });

    test(`${name}: choices stand for an architecture, and neighbours are one edit away`, () => {
      const space = createConvSpace(task);
      fc.assert(
        fc.property(seeds, (seed) => {
          const rng = new Rng(seed);
          const architecture = space.sample(rng);
          const choices = space.choices(architecture);
          expect(choices).toHaveLength(space.decisions.length);
          expect(space.fromChoices(choices)).toEqual(architecture);
          const drawn = space.decisions.map(({ options }) => rng.integer(options));
          expectLegal(space.fromChoices(drawn), task);
          const neighbours = space.neighbours(architecture, rng);
          expect(new Set(neighbours.map((one) => JSON.stringify(one))).size).toBe(
            neighbours.length,
          );
          expect(neighbours).not.toContainEqual(architecture);
          const lengths = neighbours.map((one) => space.features(one).length);
          expect(new Set(lengths)).toEqual(new Set([space.features(architecture).length]));
        }),
        { numRuns: 30 },
      );
    });

    test(`${name}: a child has each part from a parent, up to what fits its feature maps`, () => {
      const space = createConvSpace(task);
      fc.assert(
        fc.property(seeds, (seed) => {
          const rng = new Rng(seed);
          const parents = [space.sample(rng), space.sample(rng)];
          const child = space.cross(parents[0]!, parents[1]!, rng);
          const lengths = parents.map(({ stages }) => stages.length);
          expect(lengths).toContain(child.stages.length);
          expect(parents.map(({ norm }) => norm)).toContain(child.norm);
          expect(parents.map(({ head }) => head)).toContainEqual(child.head);
          child.stages.forEach(({ stride: _, kernel: __, ...own }, i) => {
            const givers = parents.flatMap(({ stages }) => (stages[i] ? [stages[i]] : []));
            expect(
              givers.some((stage) => expect.objectContaining(own).asymmetricMatch(stage)),
            ).toBe(true);
          });
        }),
        { numRuns: 60 },
      );
    });

    test(`${name}: baselines are legal and within a few times of each other`, () => {
      const macs = createConvSpace(task)
        .baselines()
        .map(({ name, graph }) => {
          verify(graph);
          expect(graph.name).toBe(name);
          expect(graph.outputs[0]?.shape).toEqual(['N', task.classes]);
          return inferCost(graph, { N: 1 }).macs;
        });
      expect(macs).toHaveLength(4);
      expect(Math.max(...macs) / Math.min(...macs)).toBeLessThan(40);
    });
  }

  test('operators are functions of the seed', () => {
    const space = createConvSpace(grey);
    const run = (seed: number) => {
      const rng = new Rng(seed);
      const a = space.sample(rng);
      return [a, space.mutate(a, rng, 2), space.cross(a, space.sample(rng), rng)];
    };
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
  });

  test('2,000 samples spread over the sizes of interest', () => {
    const space = createConvSpace(grey);
    const rng = new Rng('spread');
    const samples = Array.from({ length: 2000 }, () => space.decode(space.sample(rng)));
    const costs = samples.map((graph) => inferCost(graph, { N: 1 }));
    const share = (test: (cost: (typeof costs)[number]) => boolean) =>
      costs.filter(test).length / costs.length;
    const decades = [
      share(({ macs }) => macs < 4e5),
      share(({ macs }) => macs >= 4e5 && macs < 1.6e6),
      share(({ macs }) => macs >= 1.6e6 && macs < 6.4e6),
      share(({ macs }) => macs >= 6.4e6),
    ];
    for (const part of decades) expect(part).toBeGreaterThan(0.1);
    expect(share(({ macs }) => macs >= 1e5 && macs <= 4e7)).toBeGreaterThan(0.95);
    expect(share(({ params }) => params >= 2e3 && params <= 1e6)).toBeGreaterThan(0.95);
    expect(share(({ params }) => params < 2e4)).toBeGreaterThan(0.1);
    expect(share(({ params }) => params > 2e5)).toBeGreaterThan(0.1);
    expect(new Set(samples.slice(0, 300).map(hashGraph)).size).toBeGreaterThan(297);
  });

  test('different architectures are different graphs: hashes differ after 200 mutations', () => {
    const space = createConvSpace(grey);
    const rng = new Rng('hash');
    let same = 0;
    for (let i = 0; i < 200; i++) {
      const a = space.sample(rng);
      const b = space.mutate(a, rng);
      if (hashGraph(space.decode(a)) === hashGraph(space.decode(b))) same++;
    }
    expect(same).toBeLessThanOrEqual(2);
  });

  test('mutation reaches every gene and the number of stages', () => {
    const space = createConvSpace(grey);
    const rng = new Rng('reach');
    const seen = new Map<string, Set<unknown>>();
    const note = (key: string, value: unknown) =>
      seen.set(key, (seen.get(key) ?? new Set()).add(value));
    let walker = space.sample(rng);
    for (let i = 0; i < 3000; i++) {
      walker = space.mutate(walker, rng, 3);
      for (const part of [walker.stem, walker.head, ...walker.stages]) {
        for (const [gene, value] of Object.entries(part)) note(gene, value);
      }
      note('norm', walker.norm);
      note('stages', walker.stages.length);
    }
    const counts = Object.fromEntries([...seen].map(([key, values]) => [key, values.size]));
    expect(counts).toEqual({
      width: 11,
      kernel: 3,
      stride: 2,
      activation: 5,
      pool: 2,
      hidden: 5,
      block: 4,
      depth: 4,
      squeezeExcite: 2,
      expansion: 6,
      norm: 2,
      stages: 3,
    });
  });

  test('describes an architecture in one line', () => {
    const space = createConvSpace(grey);
    const architecture = space.parse({
      norm: 'batch',
      stem: { width: 16, kernel: 3, stride: 1, activation: 'relu' },
      stages: [
        {
          block: 'inverted',
          depth: 2,
          width: 24,
          stride: 2,
          kernel: 5,
          activation: 'hardswish',
          squeezeExcite: true,
          expansion: 4,
        },
        { block: 'plain', depth: 1, width: 32, stride: 2, kernel: 3, activation: 'relu' },
      ],
      head: { pool: 'average', hidden: 64 },
    });
    expect(space.describe(architecture)).toBe(
      'stem16k3s1 relu | inverted24e4k5x2s2 hardswish se | plain32k3x1s2 relu | hidden64 linear',
    );
    const names = space.decode(architecture).initializers.map(({ name }) => name);
    expect(names).toContain('stage1.block2.conv3.weight');
    expect(names).toContain('stage1.block1.se.reduce.bias');
    expect(names).toContain('stage2.block1.norm1.mean');
  });

  test('foreign JSON gets one line that names the gene', () => {
    const space = createConvSpace(grey);
    const plain = { block: 'plain', depth: 1, width: 16, stride: 2, kernel: 3, activation: 'relu' };
    const good = {
      norm: 'batch',
      stem: { width: 16, kernel: 3, stride: 2, activation: 'relu' },
      stages: [plain, plain],
      head: { pool: 'average', hidden: 0 },
    };
    space.parse(good);
    const bad: readonly (readonly [unknown, RegExp])[] = [
      [null, /^architecture: .*received null$/],
      [{ ...good, stages: [plain] }, /^architecture\.stages: /],
      [{ ...good, stages: [plain, { ...plain, width: 17 }] }, /stages\[1\]\.width: .*received 17$/],
      [{ ...good, stages: [plain, { ...plain, block: 'magic' }] }, /stages\[1\]\.block.*"magic"$/],
      [{ ...good, stages: [plain, { ...plain, expansion: 2 }] }, /stages\[1\].*expansion/],
      [{ ...good, norm: 'Batch' }, /^architecture\.norm: .*"Batch"$/],
      [
        { ...good, stages: [plain, plain, plain, plain] },
        /stages\[3\]\.stride: expected at most 1/,
      ],
      [
        { ...good, stages: [plain, plain, { ...plain, kernel: 7 }] },
        /stages\[2\]\.kernel: expected at most 3/,
      ],
    ];
    for (const [json, message] of bad) {
      const parse = () => space.parse(json);
      expect(parse).toThrow(UsageError);
      expect(parse).toThrow(message);
      expect(parse).not.toThrow(/\n/);
    }
  });

  test('a task that is not one of images is refused', () => {
    expect(() => createConvSpace({ ...grey, height: 4 })).toThrow(
      /height: expected .*8, received 4/,
    );
    expect(() => createConvSpace({ ...grey, classes: 1 })).toThrow(UsageError);
    expect(() => createConvSpace({ ...grey, width: 28.5 })).toThrow(UsageError);
  });
});
