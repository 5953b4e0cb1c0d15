/**
 * From published training and test files to our three splits: the test files become the hidden
 * split, and the search split is held out of the training files.
 */
import { Rng } from '../util/random.js';
import { assembleDataset, resolveCount } from './assemble.js';
import type { Dataset, Split, SplitOptions } from './data.js';
import { selectImages, splitStratified } from './split.js';

const defaultSearchCount = 5000;

/** A dataset in the two parts it was published in. */
export interface PublishedDataset
  extends Pick<Dataset, 'name' | 'classes' | 'channels' | 'height' | 'width'> {
  /** Folder that the files came from. */
  readonly dir: string;
  readonly train: Split;
  readonly test: Split;
}

/** Throws `UsageError` on sizes that the files cannot serve. */
export function splitPublished(published: PublishedDataset, options: SplitOptions): Dataset {
  const { name, channels, height, width, dir, train: pool, test } = published;
  const classes = published.classes.length;
  const rng = new Rng(options.seed ?? 0).fork('data/published');

  const searchCount = resolveCount('search', options.search, defaultSearchCount, {
    classes,
    available: pool.count - classes,
    source: `of the ${pool.count} images in the training files of ${dir}`,
  });
  const trainCount = resolveCount('train', options.train, pool.count - searchCount, {
    classes,
    available: pool.count - searchCount,
    source: `the ${pool.count} images in the training files of ${dir} less ${searchCount} held out`,
  });
  const hiddenCount = resolveCount('hidden', options.hidden, test.count, {
    classes,
    available: test.count,
    source: `the images in the test files of ${dir}`,
  });

  const [search, train] = splitStratified(
    pool.labels,
    classes,
    [searchCount, trainCount],
    rng.fork('train files'),
  ) as [Uint32Array, Uint32Array];
  const [hidden] = splitStratified(test.labels, classes, [hiddenCount], rng.fork('test files')) as [
    Uint32Array,
  ];

  return assembleDataset(
    {
      name,
      classes: published.classes,
      channels,
      height,
      width,
      train: selectImages(pool, train),
      search: selectImages(pool, search),
      hidden: selectImages(test, hidden),
    },
    dir,
  );
}
