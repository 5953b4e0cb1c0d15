/**
 * Activations that the backward pass computes a second time where a step would hold more memory than
 * it may (arXiv 1604.06174). Only what costs little beside the layers around it: GELU and SiLU, by our
 * kernels. The second computation has the bits of the first, so losses stay the same.
 */
import { UsageError } from '../errors.js';
import { planActivations } from '../ir/cost/activation-peak.js';
import { type Graph, NATIVE_DOMAIN, type Node, withGraph } from '../ir/graph.js';
import { inferScope } from '../ir/infer.js';
import { producersOf } from '../ir/uses.js';

const CHEAP: ReadonlySet<string> = new Set(['TrainingGelu', 'TrainingSilu']);

/**
 * The step graph with as many recomputations as its planned peak of activations needs to be at most
 * `limitBytes`; the earliest ones first, for they would wait longest for the backward pass.
 *
 * @param loss the output that ends the forward pass.
 * @throws UsageError where all of them do not suffice.
 */
export function recomputeWithin(graph: Graph, limitBytes: number, loss: string): Graph {
  const boundary = forwardEnd(graph, loss);
  const candidates = graph.nodes
    .slice(0, graph.nodes.indexOf(boundary))
    .filter(({ op, domain }) => domain === NATIVE_DOMAIN && CHEAP.has(op));
  let current = graph;
  for (const node of candidates) {
    if (peakOf(current) <= limitBytes) return current;
    current = recompute(current, node, boundary);
  }
  const peak = peakOf(current);
  if (peak <= limitBytes) return current;
  throw new UsageError(
    `memoryLimitBytes: a step of graph ${graph.name} needs ${peak} bytes of activations at least, ` +
      `received ${limitBytes}; make the batch smaller`,
  );
}

function peakOf(graph: Graph): number {
  return planActivations(graph, inferScope(graph)).peakBytes;
}

/** The node that computes the loss, behind which the backward pass begins. */
function forwardEnd(graph: Graph, loss: string): Node {
  const producers = producersOf(graph);
  const node = producers.get(loss) as Node;
  return node.op === 'Identity' ? (producers.get(node.inputs[0] as string) ?? node) : node;
}

/**
 * The graph in which readers behind `boundary` read a second copy of what `node` makes. A runtime may
 * run the copy as soon as its inputs are there, so it gets one more: what the node before its first
 * reader makes, which only the backward pass can give.
 */
function recompute(graph: Graph, node: Node, boundary: Node): Graph {
  const [value = ''] = node.outputs;
  const isLate = late(graph, boundary);
  const first = graph.nodes.findIndex((reader) => isLate(reader) && reader.inputs.includes(value));
  const before = graph.nodes[first - 1];
  if (first < 0 || before === undefined || before === boundary) return graph;
  const again = `${value}/again`;
  const copy: Node = {
    ...node,
    name: `${node.name}/again`,
    inputs: [...node.inputs, before.outputs[0] as string],
    outputs: [again],
  };
  const nodes = graph.nodes.flatMap((reader, i): Node[] => {
    const inputs = reader.inputs.map((name) => (name === value && i >= first ? again : name));
    const renamed = isLate(reader) ? { ...reader, inputs } : reader;
    return i === first ? [copy, renamed] : [renamed];
  });
  return withGraph(graph, { nodes });
}

/** Whether a node lies behind the boundary. */
function late(graph: Graph, boundary: Node): (node: Node) => boolean {
  const behind = new Set(graph.nodes.slice(graph.nodes.indexOf(boundary) + 1));
  return (node) => behind.has(node);
}
