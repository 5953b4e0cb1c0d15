/** A training as a picture: loss, and accuracy where there is one, over updates. Plain SVG. */
import type { Evaluation } from '../train/early-stopping.js';
import { formatTick, linearTicks, round, text } from './svg.js';

export interface LearningCurve {
  readonly title: string;
  /** Loss of each update's rows. */
  readonly losses: readonly number[];
  /** Scores on the search split. */
  readonly evaluations: readonly Evaluation[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Series {
  readonly label: string;
  readonly color: string;
  readonly points: readonly Point[];
  /** Whether each point is marked. */
  readonly marked: boolean;
}

interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
}

const WIDTH = 760;
const PANEL_HEIGHT = 260;
const MARGIN = { left: 64, right: 20, top: 44, bottom: 40 };
/** Points of the training loss; more updates than that are averaged in groups. */
const MOST_POINTS = 300;
const TRAIN_COLOR = '#4c72b0';
const SEARCH_COLOR = '#c44e52';

/** The picture as the text of an SVG file. */
export function drawLearningCurve({ title, losses, evaluations }: LearningCurve): string {
  const group = Math.max(1, Math.ceil(losses.length / MOST_POINTS));
  const scored = evaluations.flatMap(({ step, accuracy }) =>
    accuracy === undefined ? [] : [{ x: step, y: accuracy }],
  );
  const panels: Panel[] = [
    {
      title: 'loss',
      series: [
        {
          label: group === 1 ? 'training' : `training, mean of ${group} updates`,
          color: TRAIN_COLOR,
          points: grouped(losses, group),
          marked: false,
        },
        {
          label: 'search split',
          color: SEARCH_COLOR,
          points: evaluations.map(({ step, loss }) => ({ x: step, y: loss })),
          marked: true,
        },
      ],
    },
    {
      title: 'accuracy',
      series: [{ label: 'search split', color: SEARCH_COLOR, points: scored, marked: true }],
    },
  ];
  const shown = panels.filter(({ series }) => series.some(({ points }) => points.length > 0));
  const height = shown.length * PANEL_HEIGHT + 30;
  const parts = shown.map((panel, i) => drawPanel(panel, 30 + i * PANEL_HEIGHT, losses.length));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
      `viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    text(WIDTH / 2, 22, title, 'middle', 'font-size="15"'),
    ...parts.flat(),
    '</svg>\n',
  ].join('\n');
}

function grouped(values: readonly number[], size: number): Point[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => {
    const part = values.slice(i * size, (i + 1) * size);
    return { x: i * size + part.length, y: part.reduce((a, b) => a + b, 0) / part.length };
  });
}

function drawPanel({ title, series }: Panel, top: number, steps: number): string[] {
  const points = series.flatMap((one) => one.points).filter(({ y }) => Number.isFinite(y));
  const yTicks = linearTicks(
    Math.min(...points.map(({ y }) => y)),
    Math.max(...points.map(({ y }) => y)),
  );
  const xTicks = linearTicks(0, steps).filter((tick) => Number.isInteger(tick) && tick <= steps);
  const [low, high] = [yTicks[0] as number, yTicks.at(-1) as number];
  const [right, bottom] = [WIDTH - MARGIN.right, top + PANEL_HEIGHT - MARGIN.bottom];
  const x = (step: number) => round(MARGIN.left + (step / steps) * (right - MARGIN.left));
  const y = (value: number) =>
    round(bottom - ((value - low) / (high - low)) * (bottom - top - MARGIN.top));
  const line = (x1: number, y1: number, x2: number, y2: number, color: string) =>
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${color}"/>`;
  const drawn: string[] = [text(MARGIN.left, top + 20, title, 'start', 'font-weight="bold"')];
  for (const tick of yTicks) {
    drawn.push(line(MARGIN.left, y(tick), right, y(tick), '#e4e4e4'));
    drawn.push(text(MARGIN.left - 8, y(tick) + 4, formatTick(tick), 'end'));
  }
  for (const tick of xTicks) {
    drawn.push(line(x(tick), bottom, x(tick), bottom + 4, '#555'));
    drawn.push(text(x(tick), bottom + 17, formatTick(tick), 'middle'));
  }
  drawn.push(line(MARGIN.left, bottom, right, bottom, '#555'));
  drawn.push(text(right, bottom + 33, 'updates', 'end'));
  let legend = right;
  for (const { label, color, points: places, marked } of series.toReversed()) {
    const shown = places.filter(({ y: value }) => Number.isFinite(value));
    if (shown.length === 0) continue;
    const path = shown.map((p) => `${x(p.x)},${y(p.y)}`).join(' ');
    drawn.push(`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.5"/>`);
    if (marked) {
      for (const p of shown) {
        drawn.push(`<circle cx="${x(p.x)}" cy="${y(p.y)}" r="3" fill="${color}"/>`);
      }
    }
    drawn.push(text(legend, top + 20, label, 'end', `fill="${color}"`));
    legend -= 7 * label.length + 24;
  }
  return drawn;
}
