/**
 * The identity of an architecture: a hash of what a graph computes before it is trained. Names, the
 * order of nodes, metadata, unreachable nodes and the data of weights and state don't matter;
 * operators, attributes, constants, the types and order of inputs and outputs, and which weights are
 * shared do. Operands of commutative operators may change places.
 *
 * Two graphs with one hash are the same architecture (up to SHA-256). The reverse holds but for
 * contrived symmetries, where the same architecture may get two hashes.
 */

import type { Graph, Node, ValueInfo } from './graph.js';
import { colourTerms, orderOperands } from './hash/colour.js';
import { sha256 } from './hash/label.js';
import { collectTerms, type Ref, type Terms } from './hash/term.js';
import { capturedBy } from './uses.js';

/** Canonical hash of a verified graph: SHA-256, hex. */
export function hashGraph(graph: Graph): string {
  return sha256(describe(graph, graph.opsets));
}

function describe(graph: Graph, opsets: Graph['opsets']): string {
  // A body's outer values become inputs behind its own, in the order in which the node lists them.
  const labelBody = (body: Graph, node: Node): string => {
    const outer = capturedBy(node).map((name): ValueInfo => ({ name, dtype: 'float32' }));
    const inputs = [...body.inputs, ...outer];
    return sha256(describe({ ...body, inputs }, { ...opsets, ...body.opsets }));
  };
  const symbols = new Map<string, string>();
  const signature = [graph.inputs, graph.outputs].map((values) =>
    values.map((value) => describeType(value, symbols)).join(),
  );
  const domains = new Set(['', ...graph.nodes.map(({ domain }) => domain)]);
  const versions = [...domains].sort().map((domain) => `${domain}:${opsets[domain]}`);
  const body = serialize(collectTerms(graph, labelBody));
  return [...versions, ...signature, ...body].join('\n');
}

/** Element type and shape, with symbols numbered by their first appearance. */
function describeType({ dtype, shape }: ValueInfo, symbols: Map<string, string>): string {
  if (shape === undefined) return dtype;
  const dims = shape.map((dim) => {
    if (typeof dim === 'number' || dim === '?') return dim;
    const symbol = symbols.get(dim) ?? `$${symbols.size}`;
    symbols.set(dim, symbol);
    return symbol;
  });
  return `${dtype}[${dims}]`;
}

/** One line per term, numbered depth-first from the outputs; operands come before their users. */
function serialize(all: Terms): string[] {
  const { terms, roots } = all;
  const colours = colourTerms(all);
  const operands = terms.map((term) => orderOperands(term, colours));
  const numbers = new Map<number, number>();
  const lines: string[] = [];
  const write = (ref: Ref) => `${numbers.get(ref.term)}.${ref.output}`;
  const stack = roots.map(({ term }) => term).reverse();
  for (let term = stack.at(-1); term !== undefined; term = stack.at(-1)) {
    const inner = operands[term] ?? [];
    const open = numbers.has(term) ? [] : inner.filter((ref) => !numbers.has(ref.term));
    if (open.length > 0) {
      stack.push(...open.map((ref) => ref.term).reverse());
      continue;
    }
    stack.pop();
    if (numbers.has(term)) continue;
    numbers.set(term, numbers.size);
    lines.push(`${terms[term]?.label} (${inner.map(write)})`);
  }
  return [...lines, `outputs ${roots.map(write)}`];
}
