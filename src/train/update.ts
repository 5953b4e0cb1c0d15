/**
 * From gradients to the next state: accumulation over batches, clipping, the optimiser, the running
 * mean of the weights. With k batches per update the graph runs k times; scalars that change from run
 * to run say which of them begins and which of them ends an update.
 */
import type { GraphBuilder } from '../ir/builder.js';
import { NATIVE_DOMAIN } from '../ir/graph.js';
import { appendPacked, type DeclaredVector, type Slot } from './flat-state.js';
import { appendClipFactor, createOptimizer, type NextState } from './optimizer.js';
import type { ResolvedRecipe } from './recipe.js';

/** Parameters that are updated alike, with their gradient of this batch. */
export interface GradientGroup {
  /** The flat vector, an input of the graph. */
  readonly name: string;
  /** In pieces one after the other, P elements in all. */
  readonly gradients: readonly string[];
  readonly decays: boolean;
  readonly slots: readonly Slot[];
}

/** A scalar input of the step graph, with a value for each run. */
export interface PerStep {
  readonly name: string;
  readonly values: Float32Array;
}

/** 0 in the first run of an update: what was gathered before is dropped. */
const KEEP = 'accumulate.keep';
/** 1 in the last run of an update, in which the weights change. */
const UPDATE = 'accumulate.update';
/** Share of the new weights in their running mean. */
const SHARE = 'ema.share';

/** Appends the updates of all groups and declares the new state as outputs. */
export function appendUpdates(
  b: GraphBuilder,
  recipe: ResolvedRecipe,
  groups: readonly GradientGroup[],
): DeclaredVector[] {
  const optimizer = createOptimizer(recipe);
  for (const name of optimizer.scalars) b.input(name, 'float32', []);
  const gathered = recipe.accumulate > 1 ? appendGathered(b, recipe, groups) : undefined;
  const isNative = b.imports(NATIVE_DOMAIN) && optimizer.hasKernel;
  const gradients =
    gathered?.map(({ next }) => [next]) ??
    groups.map((group) => (isNative ? group.gradients : [packed(b, group)]));
  const factor =
    recipe.clipNorm > 0 ? appendClipFactor(b, gradients.flat(), recipe.clipNorm) : undefined;
  const due = gathered && b.op('Cast', [UPDATE], { to: 9 }, 'accumulate.due');
  const updated = groups.flatMap(({ name, decays, slots }, i) =>
    optimizer
      .append(b, {
        ...{ name, weights: name, decays, isNative },
        gradients: gradients[i] as readonly string[],
        factor,
      })
      .map(({ name: vector, next }) => ({
        name: vector,
        next: due === undefined ? next : b.op('Where', [due, next, vector]),
        slots: vector === name ? slots : [],
      })),
  );
  const state = [...updated, ...(gathered ?? []).map((one) => ({ ...one, slots: [] }))];
  return state.map((vector) => declare(b, vector));
}

/** Running means of the tensors in `state`, for recipes that ask for them. */
export function appendAverages(
  b: GraphBuilder,
  recipe: ResolvedRecipe,
  state: readonly DeclaredVector[],
): DeclaredVector[] {
  if (recipe.ema === 0) return [...state];
  b.input(SHARE, 'float32', []);
  return state.flatMap((vector) => {
    if (vector.slots.length === 0) return [vector];
    const name = `${vector.name}.average`;
    b.input(name, 'float32', [vector.length]);
    const change = b.op('Mul', [b.op('Sub', [vector.next, name]), SHARE]);
    const average = { name, next: b.op('Add', [name, change]), slots: [] };
    return [{ ...vector, average: name }, declare(b, average)];
  });
}

/**
 * Values of all scalars for updates `first` … `first + rates.length − 1`, with these learning rates: k
 * values for each.
 */
export function scalarsOf(
  recipe: ResolvedRecipe,
  rates: Float32Array,
  first: number,
): readonly PerStep[] {
  const { accumulate: runs, ema } = recipe;
  const optimizer = createOptimizer(recipe);
  const spread = (name: string, of: (update: number, run: number) => number): PerStep => ({
    name,
    values: Float32Array.from({ length: rates.length * runs }, (_, i) =>
      of(Math.floor(i / runs), i % runs),
    ),
  });
  const scalars = optimizer
    .scalarValues(rates, first)
    .map((values, i) => spread(optimizer.scalars[i] as string, (k) => values[k] as number));
  if (runs > 1) {
    scalars.push(spread(KEEP, (_, run) => (run === 0 ? 0 : 1)));
    scalars.push(spread(UPDATE, (_, run) => (run === runs - 1 ? 1 : 0)));
  }
  if (ema > 0) {
    // (1−d)/(1−dᵗ) makes the running mean of t updates an unbiased one; the first update is all of it.
    const shareAt = (update: number) => (1 - ema) / (1 - ema ** (first + update + 1));
    scalars.push(spread(SHARE, (k, run) => (run === runs - 1 ? shareAt(k) : 0)));
  }
  return scalars;
}

function packed(b: GraphBuilder, { name, gradients }: GradientGroup): string {
  return appendPacked(b, `d.${name}`, gradients);
}

/** g ← keep·g + gradient/k, for each group. */
function appendGathered(
  b: GraphBuilder,
  { accumulate }: ResolvedRecipe,
  groups: readonly GradientGroup[],
): NextState[] {
  b.input(KEEP, 'float32', []);
  b.input(UPDATE, 'float32', []);
  return groups.map((one) => {
    const { name: group } = one;
    const gradient = packed(b, one);
    const name = b.input(`${group}.gathered`, 'float32', b.shapeOf(group));
    const kept = b.op('Mul', [name, KEEP]);
    const added = b.op('Mul', [gradient, b.scalar(1 / accumulate)]);
    return { name, next: b.op('Add', [kept, added]) };
  });
}

/** The vector as state of the step: its new value is an output. */
export function declare(
  b: GraphBuilder,
  { name, next, slots }: NextState & { readonly slots: readonly Slot[] },
): DeclaredVector {
  const output = `${name}.next`;
  b.output(next, output);
  return { name, next: output, length: b.sizeOf(name), slots };
}
