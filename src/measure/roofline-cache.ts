/**
 * Rooflines that were measured before, one JSON file per user. An entry belongs to a device, its
 * processor, a number of threads and a version of this package; it goes stale after a week, or after
 * an hour if it was measured while something disturbed it. The file is replaced whole, so a reader
 * sees the old or the new one; of two writers at once one entry may be lost, and is measured again.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { peakNames, type Roofline } from './roofline.js';

const SCHEMA = 'archwright.roofline/1';
const WEEK_MS = 7 * 24 * 3600e3;
const HOUR_MS = 3600e3;
/** Spread above which the machine was not quiet. */
const QUIET_SPREAD = 0.1;

/** `cacheBytes` is null where it is infinite: JSON has no infinity. */
type Entry = Omit<Roofline, 'cacheBytes'> & { readonly cacheBytes: number | null };

interface CacheFile {
  readonly schema: typeof SCHEMA;
  readonly entries: Readonly<Record<string, Entry>>;
}

/** Where rooflines are kept: the user's cache folder, by the custom of the platform. */
export function rooflineCachePath(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  const home = homedir();
  const folder =
    env.XDG_CACHE_HOME ||
    (platform === 'darwin'
      ? join(home, 'Library', 'Caches')
      : platform === 'win32'
        ? env.LOCALAPPDATA || join(home, 'AppData', 'Local')
        : join(home, '.cache'));
  return join(folder, 'archwright', 'roofline.json');
}

/** The roofline kept under `key`, unless it is stale at `now`. */
export function readCachedRoofline(
  key: string,
  path: string = rooflineCachePath(),
  now: number = Date.now(),
): Roofline | undefined {
  const entry = readEntries(path)[key];
  if (entry === undefined) return undefined;
  const age = now - Date.parse(entry.measuredAt);
  if (!(age >= 0 && age < (isQuiet(entry) ? WEEK_MS : HOUR_MS))) return undefined;
  return { ...entry, cacheBytes: entry.cacheBytes ?? Number.POSITIVE_INFINITY };
}

/**
 * Keeps `roofline` under `key`. A folder that cannot be written costs the next process the time to
 * measure again, nothing else, so that is no error.
 */
export function writeCachedRoofline(
  key: string,
  roofline: Roofline,
  path: string = rooflineCachePath(),
): void {
  const temporary = `${path}.${process.pid}.${performance.now()}`;
  const file = { schema: SCHEMA, entries: { ...readEntries(path), [key]: roofline } };
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, `${JSON.stringify(file, null, 2)}\n`);
    renameSync(temporary, path);
  } catch {
    if (existsSync(temporary)) rmSync(temporary);
  }
}

/** No peak spread by more than a quiet machine's does. */
function isQuiet(roofline: Entry): boolean {
  return (['bandwidth', ...peakNames] as const).every(
    (name) => (roofline[name]?.spread ?? 0) <= QUIET_SPREAD,
  );
}

/** Entries of the file; none where it is missing, damaged or of another layout. */
function readEntries(path: string): CacheFile['entries'] {
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as CacheFile;
    return file.schema === SCHEMA ? (file.entries ?? {}) : {};
  } catch {
    return {};
  }
}
