/**
 * Strategies on published scores as a picture: what is reported of the incumbent, its regret, and the
 * dominated volume where it is followed, over queries; a line per strategy, its interval as a band.
 * Plain SVG that follows the light or dark scheme of where it is shown.
 */
import type { CurvePoint } from '../search/table-curves.js';
import { drawPanel, PANEL_HEIGHT, type Panel, type Series, WIDTH } from './plot-panel.js';
import { text } from './svg.js';

export type AxisScale = 'log' | 'linear';

export interface StrategyPlot {
  readonly title: string;
  /** What the bands are, and of how many searches. */
  readonly subtitle: string;
  /** Name of the reported metric, as a label of an axis. */
  readonly report: string;
  readonly axis: AxisScale;
  readonly strategies: readonly { readonly name: string; readonly curve: readonly CurvePoint[] }[];
}

const HEADER = 62;
/** Line colours on a light ground and on a dark one; dashes set those apart that look alike. */
const COLORS = [
  ['#0b62a4', '#5fb0ee'],
  ['#c2410c', '#fb923c'],
  ['#15803d', '#4ade80'],
  ['#b91c1c', '#f87171'],
  ['#7e22ce', '#c084fc'],
  ['#92610a', '#eab308'],
  ['#be185d', '#f472b6'],
  ['#0f766e', '#2dd4bf'],
  ['#52525b', '#a1a1aa'],
  ['#4d7c0f', '#a3e635'],
] as const;
/** Queries that a cropped axis need not show: those before the first tenth, at most ten. */
const WARM_UP = 10;

/** The picture as the text of an SVG file. */
export function drawStrategies(plot: StrategyPlot): string {
  const panels = panelsOf(plot);
  const height = HEADER + panels.length * PANEL_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
      `viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<style>${styleOf(plot.strategies.length)}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    text(20, 28, plot.title, 'start', 'class="ink" font-size="16" font-weight="bold"'),
    text(20, 47, plot.subtitle, 'start', 'class="soft"'),
    ...panels.flatMap((panel, i) => drawPanel(panel, HEADER + i * PANEL_HEIGHT, i)),
    '</svg>\n',
  ].join('\n');
}

function panelsOf({ axis, report, strategies }: StrategyPlot): Panel[] {
  const seriesOf = (pointsOf: (curve: readonly CurvePoint[]) => Series['points']): Series[] =>
    strategies.map(({ name, curve }, style) => ({ name, style, points: pointsOf(curve) }));
  const scores = seriesOf((curve) =>
    settled(curve).map(({ queries: x, mean: y, ci95: [low, high] }) => ({ x, y, low, high })),
  );
  const regrets = seriesOf((curve) =>
    settled(curve).map(({ queries: x, regret: y, regretCi95: [low, high] }) => {
      return { x, y, low, high };
    }),
  );
  const volumes = seriesOf((curve) =>
    curve.flatMap(({ queries: x, hypervolume }) => {
      if (hypervolume === undefined) return [];
      const [low, high] = hypervolume.ci95;
      return [{ x, y: hypervolume.mean, low, high }];
    }),
  );
  const shownFrom = Math.min(WARM_UP, Math.ceil((strategies[0]?.curve.length ?? 1) / 10));
  const base = { axis, scale: 'linear', shownFrom } as const;
  const panels: Panel[] = [
    { ...base, title: 'Incumbent', label: report, series: scores },
    { ...base, scale: 'log', title: 'Regret', label: `best ${report} − mean`, series: regrets },
    { ...base, title: 'Hypervolume', label: "share of the table's", series: volumes },
  ];
  return panels.filter(({ series }) => series.some(({ points }) => points.length > 0));
}

/** From where the means are over the same searches: all that ever find something feasible. */
function settled(curve: readonly CurvePoint[]): readonly CurvePoint[] {
  const most = curve.at(-1)?.found ?? 0;
  return most === 0 ? [] : curve.filter(({ found }) => found === most);
}

function styleOf(count: number): string {
  const lines = (scheme: 0 | 1) =>
    Array.from({ length: count }, (_, i) => {
      const color = COLORS[i % COLORS.length]?.[scheme];
      return `.line${i}{stroke:${color}}.band${i}{fill:${color}}`;
    }).join('');
  const dashes = Array.from({ length: count }, (_, i) =>
    i < COLORS.length ? '' : `.line${i}{stroke-dasharray:6 3}`,
  ).join('');
  const ground = (paper: string, ink: string, soft: string, grid: string) =>
    `.ground{fill:${paper}}.ink{fill:${ink}}.soft{fill:${soft}}` +
    `.grid{stroke:${grid}}.axis{stroke:${soft}}`;
  return (
    `.line{fill:none;stroke-width:1.8}.band{stroke:none;fill-opacity:.14}${dashes}` +
    ground('#ffffff', '#1f2328', '#59636e', '#e4e7eb') +
    lines(0) +
    `@media (prefers-color-scheme:dark){${ground('#0d1117', '#e6edf3', '#9198a1', '#2a313a')}${lines(1)}}`
  );
}
