import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Roofline } from '../../src/measure/roofline.js';
import {
  readCachedRoofline,
  rooflineCachePath,
  writeCachedRoofline,
} from '../../src/measure/roofline-cache.js';

const HOUR_MS = 3600e3;
const measuredAt = '2026-01-01T00:00:00.000Z';
const then = Date.parse(measuredAt);
const roofline: Roofline = {
  source: 'native',
  float32: { perSecond: 100e9, spread: 0.02, samples: 30 },
  bandwidth: { perSecond: 10e9, spread: 0.05, samples: 30 },
  cacheBytes: Number.POSITIVE_INFINITY,
  measuredAt,
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archwright-roofline-'));
  path = join(folder, 'deeper', 'roofline.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the roofline cache', () => {
  it('gives back what was kept, by key, and leaves no other file', () => {
    const other = { ...roofline, cacheBytes: 32e6 };
    writeCachedRoofline('a', roofline, path);
    writeCachedRoofline('b', other, path);
    expect(readCachedRoofline('a', path, then)).toEqual(roofline);
    expect(readCachedRoofline('b', path, then)).toEqual(other);
    expect(readCachedRoofline('c', path, then)).toBeUndefined();
    expect(readdirSync(dirname(path))).toEqual(['roofline.json']);
  });

  it('forgets after a week, and a disturbed measurement after an hour', () => {
    writeCachedRoofline('quiet', roofline, path);
    const disturbed = { ...roofline, bandwidth: { ...roofline.bandwidth, spread: 0.3 } };
    writeCachedRoofline('disturbed', disturbed, path);
    const at = (key: string, hours: number) =>
      readCachedRoofline(key, path, then + hours * HOUR_MS) !== undefined;
    expect([at('quiet', 24 * 6.9), at('quiet', 24 * 7.1)]).toEqual([true, false]);
    expect([at('disturbed', 0.9), at('disturbed', 1.1)]).toEqual([true, false]);
    expect(at('quiet', -1)).toBe(false); // a clock that was set back
  });

  it.each(['{', 'null', '[]', '{"schema":"other/1","entries":{"a":{}}}'])(
    'takes a damaged file for an empty one, and replaces it: %s',
    (text) => {
      writeCachedRoofline('a', roofline, path);
      writeFileSync(path, text);
      expect(readCachedRoofline('a', path, then)).toBeUndefined();
      writeCachedRoofline('b', roofline, path);
      expect(JSON.parse(readFileSync(path, 'utf8')).entries).toHaveProperty('b');
    },
  );

  it('does without a folder that cannot be written', () => {
    writeFileSync(join(folder, 'deeper'), 'a file, not a folder');
    writeCachedRoofline('a', roofline, path);
    expect(readCachedRoofline('a', path, then)).toBeUndefined();
  });

  it('lies where each platform keeps what can be made again', () => {
    expect(rooflineCachePath({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(
      join('/x', 'archwright', 'roofline.json'),
    );
    expect(rooflineCachePath({}, 'linux')).toMatch(/\.cache.archwright.roofline\.json$/);
    expect(rooflineCachePath({}, 'darwin')).toMatch(/Library.Caches.archwright.roofline\.json$/);
    expect(rooflineCachePath({ LOCALAPPDATA: '/l' }, 'win32')).toBe(
      join('/l', 'archwright', 'roofline.json'),
    );
  });
});
