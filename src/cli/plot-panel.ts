/** A panel of a picture: curves with bands over queries, axes, and a legend in the order of their ends. */
import { formatTick, linearTicks, logTicks, round, text } from './svg.js';

export interface Series {
  readonly name: string;
  /** Number of the classes `line…` and `band…` that it is drawn with. */
  readonly style: number;
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    readonly low: number;
    readonly high: number;
  }[];
}

export interface Panel {
  readonly title: string;
  /** Of the vertical axis. */
  readonly label: string;
  readonly axis: 'log' | 'linear';
  /** Of the vertical axis. */
  readonly scale: 'log' | 'linear';
  /** The vertical range is that of the means from this query on. */
  readonly shownFrom: number;
  readonly series: readonly Series[];
}

export const WIDTH = 860;
export const PANEL_HEIGHT = 330;
const LEFT = 72;
const RIGHT = 680;
const MARGIN = { top: 34, bottom: 52 };
const LEGEND_STEP = 19;
/** Pixels from one drawn point of a curve to the next at least. */
const POINT_STEP = 3;
/** What is left of a difference of equal numbers. */
const TINY = 1e-9;
/** Powers of ten that a logarithmic axis spans at most. */
const MOST_DECADES = 4;

/** @param id tells the panels of a picture apart. */
export function drawPanel(panel: Panel, top: number, id: number): string[] {
  const [upper, lower] = [top + MARGIN.top, top + PANEL_HEIGHT - MARGIN.bottom];
  const ends = panel.series.flatMap(({ points }) => (points.length > 0 ? [points.at(-1)?.x] : []));
  const last = Math.max(2, ...(ends as number[]));
  const alongX = shareOf(panel.axis, 1, last);
  const x = (value: number) => round(LEFT + alongX(value) * (RIGHT - LEFT));
  const { ticks, low, high } = verticalAxis(panel);
  const alongY = shareOf(panel.scale, low, high);
  const y = (value: number) => round(lower - alongY(value) * (lower - upper));
  const xTicks = panel.axis === 'log' ? logTicks(1, last) : linearTicks(0, last);
  const line = (x1: number, y1: number, x2: number, y2: number, kind: string) =>
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${kind}"/>`;
  const middle = (upper + lower) / 2;
  return [
    text(LEFT, top + 20, panel.title, 'start', 'class="ink" font-size="14" font-weight="bold"'),
    ...ticks.flatMap((tick) => [
      line(LEFT, y(tick), RIGHT, y(tick), 'grid'),
      text(LEFT - 8, y(tick) + 4, formatTick(tick), 'end', 'class="soft"'),
    ]),
    ...xTicks
      .filter((tick) => tick >= 1 && tick <= last)
      .flatMap((tick) => [
        line(x(tick), lower, x(tick), lower + 4, 'axis'),
        text(x(tick), lower + 18, formatTick(tick), 'middle', 'class="soft"'),
      ]),
    line(LEFT, lower, RIGHT, lower, 'axis'),
    text((LEFT + RIGHT) / 2, lower + 37, 'queries', 'middle', 'class="ink"'),
    text(18, middle, panel.label, 'middle', `class="ink" transform="rotate(-90 18 ${middle})"`),
    `<clipPath id="panel${id}"><rect x="${LEFT}" y="${upper}" width="${RIGHT - LEFT}" height="${lower - upper}"/></clipPath>`,
    `<g clip-path="url(#panel${id})">`,
    ...panel.series.map((one) => drawBand(one, x, y)),
    ...panel.series.map((one) => drawLine(one, x, y)),
    '</g>',
    ...drawLegend(panel.series, upper, panel.scale === 'log'),
  ];
}

/** Where a value stands between the ends of an axis; below a logarithmic one, at its lower end. */
function shareOf(scale: 'log' | 'linear', low: number, high: number): (value: number) => number {
  if (scale === 'linear') return (value) => (value - low) / (high - low);
  return (value) => Math.log(Math.max(value, low) / low) / Math.log(high / low);
}

function verticalAxis({ series, scale, shownFrom }: Panel) {
  const points = series.flatMap((one) => one.points.filter(({ x }) => x >= shownFrom));
  const least = Math.min(...points.map(({ y }) => y));
  const most = Math.max(...points.map(({ y }) => y));
  if (scale === 'linear') {
    const ticks = linearTicks(least, most);
    return { ticks, low: ticks[0] as number, high: ticks.at(-1) as number };
  }
  const high = most > 0 ? 10 ** Math.ceil(Math.log10(most) - 1e-9) : 1;
  const positive = Math.min(high / 10, ...points.map(({ y }) => y).filter((y) => y > 0));
  const low = Math.max(high / 10 ** MOST_DECADES, 10 ** Math.floor(Math.log10(positive)));
  return { ticks: logTicks(low, high), low, high };
}

type Place = (value: number) => number;

function drawLine({ points, style }: Series, x: Place, y: Place): string {
  const path = thinned(points, x).map((point) => `${x(point.x)},${y(point.y)}`);
  return `<polyline class="line line${style}" points="${path.join(' ')}"/>`;
}

function drawBand({ points, style }: Series, x: Place, y: Place): string {
  const shown = thinned(points, x);
  const upper = shown.map((point) => `${x(point.x)},${y(point.high)}`);
  const lower = shown.map((point) => `${x(point.x)},${y(point.low)}`).toReversed();
  return `<polygon class="band band${style}" points="${[...upper, ...lower].join(' ')}"/>`;
}

/** Points that lie apart, and the last. */
function thinned(points: Series['points'], x: Place): Series['points'] {
  let before = Number.NEGATIVE_INFINITY;
  return points.filter((point, i) => {
    const isApart = x(point.x) - before >= POINT_STEP || i === points.length - 1;
    if (isApart) before = x(point.x);
    return isApart;
  });
}

/** The names as the lines end, from above; those without a point are left out. */
function drawLegend(series: readonly Series[], top: number, isWorseUp: boolean): string[] {
  const lastOf = ({ points }: Series) => (points.at(-1) as Series['points'][number]).y;
  const sorted = series
    .filter(({ points }) => points.length > 0)
    .toSorted((a, b) => lastOf(b) - lastOf(a));
  return sorted.flatMap((one, i) => {
    const { name, style } = one;
    const y = top + 8 + i * LEGEND_STEP;
    const last = lastOf(one);
    const value = Math.abs(last) < TINY ? '0' : last.toPrecision(isWorseUp ? 2 : 4);
    return [
      `<line class="line line${style}" x1="${RIGHT + 14}" y1="${y}" x2="${RIGHT + 38}" y2="${y}"/>`,
      text(RIGHT + 44, y + 4, name, 'start', 'class="ink"'),
      text(WIDTH - 12, y + 4, value, 'end', 'class="soft"'),
    ];
  });
}
