/** Changed copies and children of architectures. */
import { InternalError } from '../errors.js';
import type { Rng } from '../util/random.js';
import {
  ACTIVATIONS,
  BLOCKS,
  type ConvArchitecture,
  DEPTHS,
  EXPANSIONS,
  HIDDEN_WIDTHS,
  KERNELS,
  MAX_STAGES,
  MIN_STAGES,
  NORMS,
  POOLS,
  STEM_WIDTHS,
  STRIDES,
  type Stage,
  type Stem,
  WIDTHS,
} from './conv-architecture.js';
import { isSameArchitecture, withLegalGenes } from './conv-legal.js';
import { sampleStage } from './conv-sample.js';
import type { TaskShape } from './space.js';

/** Far more than ever needed: about half of all edits change the architecture. */
const MAX_TRIES = 1000;

/** A changed copy that differs from `architecture`; each of `changes` edits has an effect of its own. */
export function mutateConv(
  architecture: ConvArchitecture,
  task: TaskShape,
  rng: Rng,
  changes: number,
): ConvArchitecture {
  let current = architecture;
  let done = 0;
  for (let i = 0; i < MAX_TRIES; i++) {
    const changed = withLegalGenes(rng.pick(edits)(current, rng), task);
    if (isSameArchitecture(changed, current)) continue;
    current = changed;
    done++;
    if (done >= changes && !isSameArchitecture(current, architecture)) return current;
  }
  throw new InternalError(`mutation: expected a change within ${MAX_TRIES} edits`);
}

/** A child that takes its stem, norm, head, number of stages and each stage from one parent or the other. */
export function crossConv(
  a: ConvArchitecture,
  b: ConvArchitecture,
  task: TaskShape,
  rng: Rng,
): ConvArchitecture {
  const either = <T>(x: T, y: T): T => (rng.uniform() < 0.5 ? x : y);
  const longer = a.stages.length > b.stages.length ? a : b;
  const count = either(a, b).stages.length;
  return withLegalGenes(
    {
      norm: either(a.norm, b.norm),
      stem: either(a.stem, b.stem),
      stages: longer.stages
        .slice(0, count)
        .map((stage, i) => either(a.stages[i] ?? stage, b.stages[i] ?? stage)),
      head: either(a.head, b.head),
    },
    task,
  );
}

/** One edit; it may leave the architecture as it was where it does not apply. */
type Edit = (architecture: ConvArchitecture, rng: Rng) => ConvArchitecture;

const editStem = (edit: (stem: Stem, rng: Rng) => Partial<Stem>): Edit => {
  return (a, rng) => ({ ...a, stem: { ...a.stem, ...edit(a.stem, rng) } });
};

const editStage = (edit: (stage: Stage, rng: Rng) => Stage): Edit => {
  return (a, rng) => {
    const chosen = rng.integer(a.stages.length);
    return { ...a, stages: a.stages.map((stage, i) => (i === chosen ? edit(stage, rng) : stage)) };
  };
};

const editWidth = editStage((s, rng) => ({ ...s, width: step(WIDTHS, s.width, rng) }));
const editBlock = editStage((s, rng) => sampleStage(other(BLOCKS, s.block, rng), s, rng));

/** Scales all widths, so that the whole net gets smaller or larger in one step. */
const editScale: Edit = (a, rng) => {
  const by = rng.pick([-1, 1]);
  const stages = a.stages.map((stage) => ({ ...stage, width: neighbour(WIDTHS, stage.width, by) }));
  return { ...a, stem: { ...a.stem, width: neighbour(STEM_WIDTHS, a.stem.width, by) }, stages };
};

const addStage: Edit = (a, rng) => {
  if (a.stages.length === MAX_STAGES) return a;
  const at = rng.integer(a.stages.length);
  const model = a.stages[at] as Stage;
  const base = { ...model, depth: 1, stride: rng.pick(STRIDES) };
  const stage = sampleStage(rng.pick(BLOCKS), base, rng);
  return { ...a, stages: a.stages.toSpliced(at + 1, 0, stage) };
};

const removeStage: Edit = (a, rng) => {
  if (a.stages.length === MIN_STAGES) return a;
  return { ...a, stages: a.stages.toSpliced(rng.integer(a.stages.length), 1) };
};

/** Each as likely as the others; width, depth and block stand twice, since they matter most. */
const edits: readonly Edit[] = [
  editWidth,
  editWidth,
  editBlock,
  editBlock,
  editStage((s, rng) => ({ ...s, depth: step(DEPTHS, s.depth, rng) })),
  editStage((s, rng) => ({ ...s, depth: step(DEPTHS, s.depth, rng) })),
  editStage((s, rng) => ({ ...s, stride: other(STRIDES, s.stride, rng) })),
  editStage((s, rng) => ({ ...s, kernel: step(KERNELS, s.kernel, rng) })),
  editStage((s, rng) => ({ ...s, activation: other(ACTIVATIONS, s.activation, rng) })),
  editStage((s, rng) =>
    s.block === 'inverted' ? { ...s, expansion: step(EXPANSIONS, s.expansion, rng) } : s,
  ),
  editStage((s) => (s.block === 'plain' ? s : { ...s, squeezeExcite: !s.squeezeExcite })),
  editStem((stem, rng) => ({ width: step(STEM_WIDTHS, stem.width, rng) })),
  editStem((stem, rng) => ({ kernel: step(KERNELS, stem.kernel, rng) })),
  editStem((stem, rng) => ({ stride: other(STRIDES, stem.stride, rng) })),
  editStem((stem, rng) => ({ activation: other(ACTIVATIONS, stem.activation, rng) })),
  (a, rng) => ({ ...a, norm: other(NORMS, a.norm, rng) }),
  (a, rng) => ({ ...a, head: { ...a.head, hidden: other(HIDDEN_WIDTHS, a.head.hidden, rng) } }),
  (a, rng) => ({ ...a, head: { ...a.head, pool: other(POOLS, a.head.pool, rng) } }),
  editScale,
  addStage,
  removeStage,
];

function other<T>(values: readonly T[], current: T, rng: Rng): T {
  return rng.pick(values.filter((value) => value !== current));
}

/** A value one or two places away in an ordered list. */
function step(values: readonly number[], current: number, rng: Rng): number {
  return neighbour(values, current, rng.pick([-2, -1, -1, 1, 1, 2]));
}

function neighbour(values: readonly number[], current: number, by: number): number {
  const index = Math.max(0, Math.min(values.length - 1, values.indexOf(current) + by));
  return values[index] as number;
}
