/**
 * Random points of the convolutional space. Independent genes would crowd the samples around one
 * size, so each sample draws a target first, log-uniform over the sizes of interest, and keeps the
 * candidate that comes nearest to it.
 */
import { inferCost } from '../ir/cost.js';
import type { Rng } from '../util/random.js';
import {
  ACTIVATIONS,
  BLOCKS,
  type BlockKind,
  type ConvArchitecture,
  EXPANSIONS,
  HIDDEN_WIDTHS,
  POOLS,
  type Stage,
  type StageBase,
  WIDTHS,
} from './conv-architecture.js';
import { decodeConv } from './conv-decode.js';
import { withLegalGenes } from './conv-legal.js';
import type { TaskShape } from './space.js';

/** Sizes of interest for an image of `pixels`; other images scale them. */
const TARGET = { pixels: 28 * 28, minMacs: 1e5, maxMacs: 4e7, maxParams: 1e6 };
const CANDIDATES = 6;

/** A random architecture, legal for the task. */
export function sampleConv(task: TaskShape, rng: Rng): ConvArchitecture {
  const scale = (task.height * task.width) / TARGET.pixels;
  const { minMacs, maxMacs, maxParams } = TARGET;
  const target = Math.log(scale) + rng.range(Math.log(minMacs), Math.log(maxMacs));
  let best: { readonly architecture: ConvArchitecture; readonly miss: number } | undefined;
  for (let i = 0; i < CANDIDATES; i++) {
    const architecture = withLegalGenes(sampleGenes(rng), task);
    const { macs, params } = inferCost(decodeConv(architecture, task), { N: 1 });
    const miss =
      Math.abs(Math.log(macs) - target) + Math.max(0, Math.log(params) - Math.log(maxParams));
    if (best === undefined || miss < best.miss) best = { architecture, miss };
  }
  return (best as NonNullable<typeof best>).architecture;
}

/** A stage of `block` with these common genes; the genes of its own are drawn. */
export function sampleStage(block: BlockKind, base: StageBase, rng: Rng): Stage {
  const { depth, width, stride, kernel, activation } = base;
  const common = { depth, width, stride, kernel, activation };
  if (block === 'plain') return { block, ...common };
  const squeezeExcite = rng.uniform() < 0.3;
  if (block !== 'inverted') return { block, ...common, squeezeExcite };
  return { block, ...common, squeezeExcite, expansion: rng.pick(EXPANSIONS) };
}

function sampleGenes(rng: Rng): ConvArchitecture {
  const stem = {
    width: rng.pick([8, 8, 16, 16, 24, 32]),
    kernel: rng.pick([3, 3, 3, 5, 7]),
    stride: rng.pick([1, 1, 2]),
    activation: rng.pick(ACTIVATIONS),
  };
  const stages: Stage[] = [];
  const count = rng.pick([2, 3, 3, 4]);
  let width = stem.width;
  for (let i = 0; i < count; i++) {
    width = nearestWidth(width * rng.pick([1, 1, 1.5, 2]));
    const base = {
      depth: rng.pick([1, 1, 1, 1, 1, 2, 2, 3, 4]),
      width,
      stride: rng.uniform() < (i === 0 ? 0.5 : 0.8) ? 2 : 1,
      kernel: rng.pick([3, 3, 3, 5, 5, 7]),
      activation: rng.pick(ACTIVATIONS),
    };
    stages.push(sampleStage(rng.pick(BLOCKS), base, rng));
  }
  return {
    norm: rng.uniform() < 0.9 ? 'batch' : 'none',
    stem,
    stages,
    head: {
      pool: rng.pick(POOLS),
      hidden: rng.uniform() < 0.6 ? 0 : rng.pick(HIDDEN_WIDTHS.slice(1)),
    },
  };
}

function nearestWidth(width: number): number {
  return WIDTHS.reduce<number>(
    (best, w) => (Math.abs(w - width) < Math.abs(best - width) ? w : best),
    WIDTHS[0],
  );
}
