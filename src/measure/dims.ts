/**
 * Sizes for what a model's inputs leave open. Given sizes come first; then what the name of a
 * dimension, or its place among the others, means by a firm convention; then 1. Every assumption is
 * told. Where not even the number of dimensions is known, there is one question, and no guess.
 */
import { UsageError } from '../errors.js';
import { type Graph, type Shape, type ValueInfo, withDims, withGraph } from '../ir/graph.js';
import type { InputDims } from './inputs.js';

/** What the caller says about open dimensions. */
export interface GivenSizes {
  /** Sizes of symbolic dimensions by name. */
  readonly dims?: Readonly<Record<string, number>> | undefined;
  /** Whole shapes of inputs by name. */
  readonly shapes?: InputDims | undefined;
}

/** Inputs with nothing left open. */
export interface ResolvedInputs {
  /** The graph with the shape of every input fixed. */
  readonly graph: Graph;
  /** Fixed dimensions of each input. */
  readonly dims: InputDims;
  /** One line for each input of which something was assumed. */
  readonly notes: readonly string[];
}

/** An unnamed dimension, equal to none. */
const UNNAMED = '?';

/**
 * What the name of a dimension says about a sensible size. 224 is the side of the images, 128 the
 * length of the sequences that published latencies are mostly of.
 */
const conventions: readonly (readonly [RegExp, number])[] = [
  [/batch|^(n|b|bs)$/i, 1],
  [/channel|^c$/i, 3],
  [/height|width|^(h|w)$/i, 224],
  [/seq|token|^(t|l)$/i, 128],
];

/** Numbers of channels that images have. */
const CHANNELS = [1, 3, 4];
const IMAGE_SIDE = 224;

/**
 * Fixes every input's shape. Throws `UsageError` for sizes that do not fit the model, and the
 * question for an input of unknown rank.
 */
export function resolveInputs(graph: Graph, given: GivenSizes = {}): ResolvedInputs {
  const shapes = given.shapes ?? {};
  const bound = bindShapes(graph, shapes);
  const dims = resolveDims(graph, { ...bound, ...given.dims });
  for (const [name, size] of Object.entries(given.dims ?? {})) {
    if (name in bound && bound[name] !== size) {
      throw new UsageError(`dims.${name}: expected ${bound[name]} as in shapes, received ${size}`);
    }
  }
  const fixed = { ...inputDims(graph, dims, shapes), ...shapes };
  const known = new Set([...Object.keys(bound), ...Object.keys(given.dims ?? {})]);
  const notes = graph.inputs.flatMap(({ name, shape = [] }) => {
    const assumed =
      name in shapes ? [] : shape.filter((d) => typeof d === 'string' && !known.has(d));
    const size = (fixed[name] ?? []).join(',');
    return assumed.length === 0
      ? []
      : [
          `input ${name} is [${shape.join(', ')}]: assumed ${size}; else give --shape ${name}=${size}`,
        ];
  });
  const inputs = graph.inputs.map(
    (value): ValueInfo => ({ ...value, shape: fixed[value.name] ?? [] }),
  );
  return { graph: withGraph(withDims(graph, dims), { inputs }), dims: fixed, notes };
}

/** Every symbolic dimension of the inputs with its size. Throws `UsageError` for one it has not. */
export function resolveDims(
  graph: Graph,
  given: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const dims = graph.inputs.flatMap(({ shape = [] }) => shape);
  const symbols = new Set(dims.filter((dim) => typeof dim === 'string' && dim !== UNNAMED));
  for (const [name, size] of Object.entries(given)) {
    if (!symbols.has(name)) {
      const known = [...symbols].join(', ') || 'none';
      throw new UsageError(`dims: expected symbolic dimensions (${known}), received ${name}`);
    }
    requireSize(`dims.${name}`, size);
  }
  return Object.fromEntries(
    [...symbols].map((name) => [name, given[name] ?? assumeNamed(String(name))]),
  );
}

/** Fixed dimensions of each input that `shapes` does not give; unnamed ones by their place. */
export function inputDims(
  graph: Graph,
  dims: Readonly<Record<string, number>>,
  shapes: InputDims = {},
): InputDims {
  return Object.fromEntries(
    graph.inputs
      .filter(({ name }) => !(name in shapes))
      .map(({ name, shape }) => {
        if (shape === undefined) {
          throw new UsageError(
            `input ${name}: its shape is unknown; give --shape ${name}=1,3,224,224, or what it takes`,
          );
        }
        const size = (axis: number): number => {
          const dim = shape[axis];
          if (typeof dim === 'number') return dim;
          return dims[dim as string] ?? assumeUnnamed(shape, axis);
        };
        return [name, shape.map((_, axis) => size(axis))];
      }),
  );
}

function assumeNamed(name: string): number {
  return conventions.find(([pattern]) => pattern.test(name))?.[1] ?? 1;
}

/** By the layout of images, with channels first or last; 1 elsewhere. */
function assumeUnnamed(shape: Shape, axis: number): number {
  if (axis === 0 || shape.length !== 4) return 1;
  const isChannels = (dim: Shape[number] | undefined): boolean =>
    CHANNELS.some((channels) => channels === dim);
  const channelsLast = isChannels(shape[3]) && !isChannels(shape[1]);
  return axis === (channelsLast ? 3 : 1) ? 3 : IMAGE_SIDE;
}

/** Sizes of symbolic dimensions that whole shapes imply. */
function bindShapes(graph: Graph, shapes: InputDims): Record<string, number> {
  const bound: Record<string, number> = {};
  for (const [name, given] of Object.entries(shapes)) {
    const input = graph.inputs.find((value) => value.name === name);
    if (input === undefined) {
      const names = graph.inputs.map((value) => value.name).join(', ') || 'none';
      throw new UsageError(`shapes: expected inputs of the model (${names}), received ${name}`);
    }
    const refuse = () =>
      new UsageError(
        `shapes.${name}: expected [${input.shape?.join(', ')}], received [${given.join(', ')}]`,
      );
    if (input.shape !== undefined && input.shape.length !== given.length) throw refuse();
    given.forEach((size, axis) => {
      requireSize(`shapes.${name}[${axis}]`, size);
      const dim = input.shape?.[axis] ?? UNNAMED;
      if (dim === UNNAMED) return;
      if ((typeof dim === 'number' ? dim : (bound[dim] ?? size)) !== size) throw refuse();
      if (typeof dim === 'string') bound[dim] = size;
    });
  }
  return bound;
}

function requireSize(where: string, size: number): void {
  if (Number.isSafeInteger(size) && size >= 1) return;
  throw new UsageError(`${where}: expected a whole number from 1, received ${size}`);
}
