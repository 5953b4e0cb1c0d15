import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createProgress } from '../../src/cli/progress.js';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMs,
  formatPercent,
  formatTable,
} from '../../src/cli/table.js';
import type { SearchEvent } from '../../src/search/events.js';

describe('numbers for people', () => {
  it.each([
    [formatBytes(999), '999 B'],
    [formatBytes(1536), '1.50 KiB'],
    [formatBytes(64 * 1024 ** 2), '64.0 MiB'],
    [formatCount(416520), '416.5k'],
    [formatCount(4_089_184_256), '4.09G'],
    [formatMs(0.020312), '0.0203'],
    [formatMs(123.4), '123'],
    [formatPercent(0.88039), '88.04 %'],
    [formatDuration(41.2), '41s'],
    [formatDuration(125), '2m 05s'],
    [formatDuration(3725), '1h 02m'],
  ])('%s is %s', (text, expected) => {
    expect(text).toBe(expected);
  });

  it('stand in columns', () => {
    const rows = [
      { name: 'a', n: 1 },
      { name: 'bcd', n: 23 },
    ];
    const table = formatTable(
      [
        { title: 'name', value: (row: (typeof rows)[number]) => row.name },
        { title: 'n', value: (row) => String(row.n), align: 'right' },
      ],
      rows,
    );
    expect(table).toBe('name   n\n────  ──\na      1\nbcd   23');
  });
});

describe('progress', () => {
  const trial = {
    id: 5,
    agent: 'evolution',
    operator: 'mutate',
    parents: [3],
    architecture: {},
    hash: 'h',
    description: 'stem8k3s1 relu | linear',
    costSeconds: 4,
  };
  const events: SearchEvent[] = [
    { kind: 'phase-started', phase: 'search' },
    { kind: 'constraints-resolved', constraints: [{ metric: 'latencyMs', max: 0.1 }] },
    { kind: 'stage-started', trial: 5, stage: 'train', round: 0 },
    {
      kind: 'trial-ended',
      trial: {
        ...trial,
        state: 'infeasible',
        stage: 'measure',
        metrics: { latencyMs: 0.2 },
        violations: [{ metric: 'latencyMs', limit: 0.1, actual: 0.2 }],
      },
      frontSize: 0,
      trials: 1,
      elapsedSeconds: 10,
      secondsLeft: 65,
    },
  ];
  const show = (live: boolean): string => {
    const stream = new PassThrough();
    const progress = createProgress(stream, live);
    for (const event of events) progress.onEvent(event);
    progress.close();
    return String(stream.read());
  };

  it('is plain lines where nobody watches', () => {
    expect(show(false).split('\n')).toEqual([
      '── search',
      'limits: latencyMs ≤ 0.100 ms',
      '   5 evolution mutate    infeasible 0.200 ms, limit 0.100 ms  stem8k3s1 relu | linear  (4s)',
      '',
    ]);
  });

  it('has a living last line on a terminal', () => {
    const text = show(true);
    expect(text).toContain('search · trial 5 · train');
    expect(text).toContain('nothing within the limits yet · 1m 05s left');
    expect(text.endsWith('\r\u001b[2K')).toBe(true);
  });
});
