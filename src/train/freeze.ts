/** Tensors that a training leaves as they are, chosen by patterns. */
import { UsageError } from '../errors.js';
import { type Graph, withGraph } from '../ir/graph.js';

export interface Frozen {
  /** The graph with the role `constant` for all that is frozen. */
  readonly graph: Graph;
  /** Names of the weights and running statistics that are frozen. */
  readonly names: ReadonlySet<string>;
}

/**
 * Freezes the weights that a pattern matches by their own name or that of a node which reads them,
 * and with any tensor of a batch normalisation all four of them: it stays in inference form. In a
 * pattern `*` stands for any characters and `?` for one; slashes in names count as dots, so that
 * `encoder.*` fits `/encoder/conv/Conv` too. Throws `UsageError` for a pattern that matches nothing.
 */
export function freezeMatching(graph: Graph, patterns: readonly string[]): Frozen {
  const known = new Set(
    graph.initializers.flatMap(({ name, role }) => (role === 'constant' ? [] : [name])),
  );
  const names = new Set<string>();
  for (const pattern of patterns) {
    const expression = expressionOf(pattern);
    const fits = (name: string) => expression.test(name.replace(/^\//, '').replaceAll('/', '.'));
    const before = names.size;
    const found = [
      ...[...known].filter(fits),
      ...graph.nodes.filter((node) => fits(node.name)).flatMap(({ inputs }) => inputs),
    ].filter((name) => known.has(name));
    for (const name of found) names.add(name);
    if (names.size === before && found.length === 0) {
      const some = [...known].slice(0, 5).join(', ');
      throw new UsageError(
        `--freeze: expected a pattern that fits a weight or a node, received ${pattern}; weights are ` +
          `${some}${known.size > 5 ? ', …' : ''}`,
      );
    }
  }
  for (const { op, domain, inputs } of graph.nodes) {
    if (op !== 'BatchNormalization' || domain !== '') continue;
    const tensors = inputs.slice(1);
    if (tensors.some((name) => names.has(name))) for (const name of tensors) names.add(name);
  }
  const initializers = graph.initializers.map((one) =>
    names.has(one.name) ? ({ ...one, role: 'constant' } as const) : one,
  );
  return { graph: withGraph(graph, { initializers }), names };
}

function expressionOf(pattern: string): RegExp {
  const escaped = pattern
    .replace(/^\//, '')
    .replaceAll('/', '.')
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`);
}
