/** Which state of a step may be overwritten by its next value while the step runs. */
import { type Graph, NATIVE_DOMAIN, type Node } from '../ir/graph.js';
import { producersOf, readsOf } from '../ir/uses.js';

/** Outputs are the input's own memory under another shape. */
const VIEWS = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/** Element i of the output needs, of an input of the same shape, element i only. */
const ELEMENTWISE = new Set(['Add', 'Sub', 'Mul', 'Where']);
const NATIVE_ELEMENTWISE = new Set(['SgdUpdate', 'AdamwUpdate']);

/**
 * Whether `output`, of the shape of `input`, may be written into the memory of `input` in any order of
 * execution: everything else that reads the input must come before what makes the output, which must
 * work element by element where it reads the input itself.
 */
export function mayOverwrite(graph: Graph, input: string, output: string): boolean {
  const producers = producersOf(graph);
  let maker = producers.get(output);
  // ONNX Runtime takes the Identity that names an output away.
  while (maker?.op === 'Identity') maker = producers.get(maker.inputs[0] as string);
  if (maker === undefined) return false;
  const before = ancestorsOf(maker, producers);
  const same = new Set([input]);
  for (const node of graph.nodes) {
    const reads = readsOf(node).filter((name) => same.has(name));
    if (reads.length === 0) continue;
    if (node === maker) {
      if (!isElementwise(node)) return false;
    } else if (node.domain === '' && VIEWS.has(node.op)) {
      for (const name of node.outputs) same.add(name);
    } else if (!before.has(node)) return false;
  }
  return graph.outputs.every(({ name }) => !same.has(name));
}

function isElementwise({ domain, op }: Node): boolean {
  return domain === NATIVE_DOMAIN ? NATIVE_ELEMENTWISE.has(op) : ELEMENTWISE.has(op);
}

function ancestorsOf(node: Node, producers: ReadonlyMap<string, Node>): ReadonlySet<Node> {
  const found = new Set<Node>();
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const name of readsOf(next)) {
      const maker = producers.get(name);
      if (maker === undefined || found.has(maker)) continue;
      found.add(maker);
      open.push(maker);
    }
  }
  return found;
}
