/** The last step of every loader: sizes checked, statistics and fingerprint added, frozen. */
import { UsageError } from '../errors.js';
import type { Dataset } from './data.js';
import { computeFingerprint, computePixelStatistics } from './statistics.js';

/** The size of a split as asked for: a whole number that leaves no class without an image. */
export function resolveCount(
  option: 'train' | 'search' | 'hidden',
  value: number | undefined,
  fallback: number,
  limits: {
    readonly classes: number;
    readonly available: number;
    readonly source: string;
  },
): number {
  const count = value ?? fallback;
  const { classes, available, source } = limits;
  if (!Number.isInteger(count) || count < classes || count > available) {
    const upper = Number.isFinite(available) ? ` to ${available} (${source})` : '';
    const lower = `${classes} (one image per class)`;
    const origin = value === undefined ? ' by default' : '';
    throw new UsageError(
      `data.${option}: expected a whole number of images from ${lower}${upper}, ` +
        `received ${count}${origin}`,
    );
  }
  return count;
}

export function assembleDataset(
  parts: Omit<Dataset, 'mean' | 'std' | 'fingerprint'>,
  source: string,
): Dataset {
  const { mean, std } = computePixelStatistics(parts.train, parts.channels);
  const flat = std.indexOf(0);
  if (flat >= 0) {
    throw new UsageError(
      `${source}: expected images that differ, received the same byte in every pixel of ` +
        `channel ${flat}; the image file is blank or damaged, fetch it again`,
    );
  }
  return Object.freeze({
    ...parts,
    classes: Object.freeze([...parts.classes]),
    mean,
    std,
    fingerprint: computeFingerprint(parts),
  });
}
