import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBudget, parseDuration } from '../../src/cli/budget.js';
import { runNameOf, withOverrides } from '../../src/cli/compose.js';
import { parseConfig, parseConfigText } from '../../src/cli/config.js';
import { configJsonSchema } from '../../src/cli/config-schema.js';
import { closest } from '../../src/cli/suggest.js';
import { UsageError } from '../../src/errors.js';
import { recipeDefaults, resolveRecipe } from '../../src/train/recipe.js';

const examples = new URL('../../examples/', import.meta.url);

describe('configuration', () => {
  it.each(readdirSync(examples).filter((file) => file.endsWith('.yaml')))('reads %s', (file) => {
    const config = parseConfigText(readFileSync(new URL(file, examples), 'utf8'), file);
    expect(config.budget.time ?? config.budget.trials).toBeDefined();
  });

  it('fills the defaults', () => {
    const config = parseConfig({ data: { kind: 'glyphs' } });
    expect(config).toMatchObject({
      seed: 0,
      space: { kind: 'conv' },
      train: { optimizer: 'adamw', batch: 32, epochs: { short: 1, long: 3 } },
      agents: ['ensemble', 'random'],
      budget: { time: '3m', reserve: 0.3, eta: 3 },
      guard: { sigmas: 2, seeds: 3 },
    });
  });

  it.each([
    ['data: {kind: nope}', "x.yaml:1: data.kind: expected 'glyphs' | 'idx' | 'cifar10'"],
    ['data: {kind: glyphs, trian: 5}', 'x.yaml:1: data.trian: unknown key; did you mean train?'],
    ['data: {kind: idx, seeed: 5}', 'x.yaml:1: data.seeed: unknown key; did you mean seed?'],
    [
      'data: {kind: glyphs}\nagents:\n  - {kind: evolution, popultion: 3}',
      'x.yaml:3: agents[0].popultion: unknown key',
    ],
    [
      'data: {kind: glyphs}\nconstraints:\n- {metric: latencyMs, max: fast}',
      'x.yaml:3: constraints[0].max: expected number, or object, received "fast"',
    ],
    ['data: {kind: glyphs}\nbudget: {time: 3 min}', 'x.yaml:2: budget.time: expected a duration'],
    [
      'data: {kind: glyphs}\ntrain: {shedule: cosine}',
      'x.yaml:2: train.shedule: unknown key; did you mean schedule?',
    ],
    [
      'data: {kind: glyphs}\ntrain: {loss: output}',
      'x.yaml:2: train.loss: expected one of "cross-entropy"|"bce"|"mse"|"huber", received "output"',
    ],
    ['seed: 1', 'x.yaml: data: expected object, received nothing'],
  ])('complains of %j in one line', (text, line) => {
    expect(() => parseConfigText(text, 'x.yaml')).toThrow(UsageError);
    try {
      parseConfigText(text, 'x.yaml');
    } catch (error) {
      expect((error as Error).message).toContain(line);
      expect((error as Error).message).not.toContain('\n');
    }
  });

  it('has every key of the recipe, which takes its values', () => {
    const { train } = parseConfig({ data: { kind: 'glyphs' } });
    const keys = Object.keys(recipeDefaults.adamw) as (keyof typeof recipeDefaults.adamw)[];
    const recipe = Object.fromEntries(keys.map((key) => [key, train[key]]));
    expect(resolveRecipe(recipe)).toEqual(recipe);
  });

  it('is published as JSON Schema', () => {
    const schema = configJsonSchema() as { properties: Record<string, unknown> };
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['space', 'data', 'train', 'device', 'objectives', 'constraints']),
    );
  });
});

describe('flags', () => {
  const config = parseConfig({ data: { kind: 'idx' }, budget: { time: '3m', reserve: 0.1 } });

  it('stand above the file', () => {
    const changed = withOverrides(config, { seed: 7, budget: { trials: 9 }, dataDir: '/data' });
    expect(changed).toMatchObject({ seed: 7, data: { kind: 'idx', dir: '/data' } });
    expect(changed.budget).toEqual({ reserve: 0.1, eta: 3, trials: 9 });
  });

  it('are refused where they mean nothing', () => {
    const glyphs = parseConfig({ data: { kind: 'glyphs' } });
    expect(() => withOverrides(glyphs, { dataDir: 'x' })).toThrow(/takes no folder/);
    expect(() => withOverrides(config, { device: 'tpu' })).toThrow(/expected cpu, .* received tpu/);
    const table = parseConfig({ data: { kind: 'table', guide: 'a', report: 'b' } });
    expect(withOverrides(table, { dataDir: '/x.csv' }).data).toMatchObject({ file: '/x.csv' });
    expect(() => withOverrides(table, { device: 'cpu' })).toThrow(/nothing is measured/);
  });

  it.each([
    ['180s', { seconds: 180 }],
    ['1.5m', { seconds: 90 }],
    ['3h', { seconds: 10800 }],
    ['200trials', { trials: 200 }],
  ])('--budget %s', (text, budget) => {
    expect(parseBudget(text)).toEqual(budget);
  });

  it.each(['', '3', '0s', '0trials', '5 m', '-1s', '1.5trials'])('refuse --budget %j', (text) => {
    expect(() => parseBudget(text)).toThrow(UsageError);
    expect(parseDuration('x')).toBeUndefined();
  });

  it('name a run by its file', () => {
    expect(runNameOf('a/b/my search.yaml')).toBe('my-search');
  });
});

describe('suggestions', () => {
  it('find the near word and nothing for a far one', () => {
    expect(closest('buget', ['budget', 'guard'])).toBe('budget');
    expect(closest('objectivs', ['objectives', 'constraints'])).toBe('objectives');
    expect(closest('zzz', ['budget', 'guard'])).toBeUndefined();
  });
});
