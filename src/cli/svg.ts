/** What pictures share: texts, round numbers for axes, coordinates. Plain SVG, without a library. */

/** Round numbers, at most seven, from at or below `low` to at or above `high`. */
export function linearTicks(low: number, high: number): number[] {
  const span = high > low ? high - low : Math.max(Math.abs(low), 1) / 10;
  const raw = span / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw) as number);
  const [first, last] = [Math.floor(low / step), Math.ceil(high / step)];
  const end = Math.max(last, first + 1);
  return Array.from({ length: end - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** 1, 2 and 5 times powers of ten within the range; the powers alone where it is wide. */
export function logTicks(low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const factors = last - first > 3 ? [1] : [1, 2, 5];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    .flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(12))))
    .filter((tick) => tick >= low && tick <= high);
}

/** A number beside an axis. */
export function formatTick(value: number): string {
  return Math.abs(value) >= 1e5 ? value.toExponential(1) : String(value);
}

/** A coordinate in tenths of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function text(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  more = '',
): string {
  const extra = more === '' ? '' : ` ${more}`;
  return `<text x="${x}" y="${y}" text-anchor="${anchor}"${extra}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
