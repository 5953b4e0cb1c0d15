/** Needs Linux, a C compiler and a processor with a counter: the C library's clock is replaced. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { TimingWindow } from '../../../src/runtime/binding-types.js';
import { affineModel } from '../model.js';

const source = fileURLToPath(new URL('../../measure/clock-jump.c', import.meta.url));
const program = fileURLToPath(new URL('window.mjs', import.meta.url));
const isPossible =
  process.platform === 'linux' &&
  (process.arch === 'x64' || process.arch === 'arm64') &&
  spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0;
if (!isPossible) console.warn('SKIPPED: a jumping clock needs Linux on x64 or arm64, and cc');

describe.skipIf(!isPossible)('the counter beside a clock that jumps', () => {
  const folder = mkdtempSync(join(tmpdir(), 'archwright-clock-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Milliseconds that the clock showed too much in each of ten windows of some 100 ms. */
  function excessMs(environment: NodeJS.ProcessEnv): number[] {
    const model = join(folder, 'model.onnx');
    writeFileSync(model, affineModel());
    const env = { ...process.env, ...environment };
    const output = execFileSync(process.execPath, [program, model, '10'], { env });
    const windows = JSON.parse(output.toString()) as Pick<
      TimingWindow,
      'counterTicks' | 'wallNs'
    >[];
    // The counter's own rate: that of most windows, as a jump comes every 400 ms.
    const ticksPerNs = windows
      .map(({ counterTicks, wallNs }) => counterTicks / wallNs)
      .sort((a, b) => b - a)[2] as number;
    return windows.map(({ counterTicks, wallNs }) => (wallNs - counterTicks / ticksPerNs) / 1e6);
  }

  it('shows how far the clock leapt, and in which windows', () => {
    const library = join(folder, 'clock-jump.so');
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source]);
    const leaps = excessMs({ LD_PRELOAD: library }).filter((ms) => Math.abs(ms) > 1);
    expect(leaps.length).toBeGreaterThanOrEqual(1);
    expect(leaps.length).toBeLessThanOrEqual(5);
    for (const ms of leaps) {
      expect(ms).toBeGreaterThan(29);
      expect(Math.abs(ms - 30 * Math.round(ms / 30))).toBeLessThan(1);
    }
  });

  it('agrees with a clock that does not', () => {
    expect(Math.max(...excessMs({}).map(Math.abs))).toBeLessThan(0.5);
  });
});
