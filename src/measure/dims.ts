/** Sizes for the dimensions that a model's inputs leave open. */
import { UsageError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import type { InputDims } from './inputs.js';

/** Every symbolic dimension of the inputs with its size. Throws `UsageError` for one it has not. */
export function resolveDims(
  graph: Graph,
  given: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const dims = graph.inputs.flatMap(({ shape = [] }) => shape);
  const symbols = new Set(dims.filter((dim) => typeof dim === 'string'));
  for (const [name, size] of Object.entries(given)) {
    if (!symbols.has(name)) {
      const known = [...symbols].join(', ') || 'none';
      throw new UsageError(`dims: expected symbolic dimensions (${known}), received ${name}`);
    }
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new UsageError(`dims.${name}: expected a whole number from 1, received ${size}`);
    }
  }
  return Object.fromEntries([...symbols].map((name) => [name, given[name] ?? 1]));
}

/** Fixed dimensions of each input. */
export function inputDims(graph: Graph, dims: Readonly<Record<string, number>>): InputDims {
  return Object.fromEntries(
    graph.inputs.map(({ name, shape = [] }) => [
      name,
      shape.map((dim) => (typeof dim === 'string' ? (dims[dim] ?? 1) : dim)),
    ]),
  );
}
