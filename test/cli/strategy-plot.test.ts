import { describe, expect, test } from 'vitest';
import { drawStrategies, type StrategyPlot } from '../../src/cli/strategy-plot.js';
import { formatTick, linearTicks, logTicks } from '../../src/cli/svg.js';
import type { CurvePoint } from '../../src/search/table-curves.js';

/** A curve that halves its regret each time the queries double; its first query finds nothing. */
function curveOf(queries: number, ahead: number, volume?: number): CurvePoint[] {
  return Array.from({ length: queries }, (_, i) => {
    const regret = (10 - ahead) / (i + 1);
    const point = { mean: 100 - regret, stddev: 1 };
    return {
      ...point,
      ci95: [point.mean - regret / 2, point.mean + regret / 2],
      queries: i + 1,
      found: i === 0 ? 3 : 4,
      regret,
      regretCi95: [regret / 2, 1.5 * regret],
      regretToBestByGuide: regret,
      guided: { ...point, ci95: [0, 0] },
      ...(volume !== undefined && {
        hypervolume: { mean: volume, ci95: [volume - 0.01, volume + 0.01], stddev: 0.02 },
      }),
    };
  });
}

const plot = (more: Partial<StrategyPlot> = {}): StrategyPlot => ({
  title: 'A < B & C',
  subtitle: 'means over 4 seeds',
  report: 'test',
  axis: 'log',
  strategies: [
    { name: 'random', curve: curveOf(100, 0) },
    { name: 'evolution', curve: curveOf(100, 5) },
    { name: 'short', curve: curveOf(50, 2) },
  ],
  ...more,
});

const linesOf = (svg: string, style: number) =>
  [...svg.matchAll(new RegExp(`<polyline class="line line${style}" points="([^"]*)"`, 'g'))].map(
    ([, points = '']) => points.split(' ').map((point) => point.split(',').map(Number)),
  );

describe('strategies as a picture', () => {
  test('a line and a band per strategy and panel, axes with labels, and a legend by the ends', () => {
    const svg = drawStrategies(plot());
    expect(svg).toContain('>A &lt; B &amp; C</text>');
    expect(svg.match(/<polyline class="line /g)).toHaveLength(6);
    expect(svg.match(/<polygon class="band /g)).toHaveLength(6);
    expect(svg.match(/>queries<\/text>/g)).toHaveLength(2);
    for (const label of ['test', 'best test − mean', 'Incumbent', 'Regret']) {
      expect(svg).toContain(`>${label}</text>`);
    }
    expect(svg).not.toContain('Hypervolume');
    // 100 − 5/100, 100 − 10/100, 100 − 8/50 from above; the regrets the other way round.
    const legend = [...svg.matchAll(/>(random|evolution|short)<\/text>/g)].map(([, name]) => name);
    expect(legend).toEqual(['evolution', 'random', 'short', 'short', 'random', 'evolution']);
    expect(svg).toContain('>99.95</text>');
    expect(svg).toContain('>0.16</text>');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('on logarithmic axes such a regret is straight, and curves end at their last query', () => {
    const [, regret = []] = linesOf(drawStrategies(plot()), 0);
    const [first, last] = [regret[0], regret.at(-1)] as [number[], number[]];
    const slope = ([x = 0, y = 0]: number[]) =>
      (y - (first[1] as number)) / (x - (first[0] as number));
    for (const point of regret.slice(1)) expect(slope(point)).toBeCloseTo(slope(last), 1);
    expect(slope(last)).toBeGreaterThan(0);
    expect(last[0]).toBe(680);
    const linear = linesOf(drawStrategies(plot({ axis: 'linear' })), 2);
    expect(linear[0]?.at(-1)?.[0]).toBeCloseTo(72 + (608 * 49) / 99, 0);
  });

  test('curves begin where all searches have an incumbent, and a volume has a panel of its own', () => {
    const strategies = [{ name: 'random', curve: curveOf(100, 0, 0.75) }];
    const svg = drawStrategies(plot({ strategies, axis: 'linear' }));
    const starts = linesOf(svg, 0).map(([first]) => first?.[0]);
    expect(starts).toEqual([78.1, 78.1, 72]);
    expect(svg).toContain('>Hypervolume</text>');
    expect(svg).toContain('>0.7500</text>');
  });

  test('without anything feasible there is a picture still', () => {
    const curve = curveOf(20, 0).map((point) => ({ ...point, found: 0, mean: Number.NaN }));
    const svg = drawStrategies(plot({ strategies: [{ name: 'random', curve }] }));
    expect(svg).not.toMatch(/NaN|<polyline/);
  });

  test('dark and light grounds, and dashes once the colours are used up', () => {
    const strategies = Array.from({ length: 12 }, (_, i) => ({
      name: `s${i}`,
      curve: curveOf(30, i / 2),
    }));
    const svg = drawStrategies(plot({ strategies }));
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    const style = /<style>(.*?)<\/style>/s.exec(svg)?.[1] ?? '';
    expect(style).toContain('.line10{stroke-dasharray');
    expect(style).not.toContain('.line9{stroke-dasharray');
    const colors = [...style.matchAll(/\.line(\d)\{stroke:(#\w+)\}/g)].map(([, , color]) => color);
    expect(new Set(colors).size).toBe(20);
  });
});

test('numbers for axes', () => {
  expect(linearTicks(91.2, 94.4)).toEqual([91, 92, 93, 94, 95]);
  expect(linearTicks(0.2, 0.2)).toEqual([0.2, 0.22]);
  expect(logTicks(1, 500)).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500]);
  expect(logTicks(0.001, 10)).toEqual([0.001, 0.01, 0.1, 1, 10]);
  expect([0.1, 250, 120_000].map(formatTick)).toEqual(['0.1', '250', '1.2e+5']);
});
