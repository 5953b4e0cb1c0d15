/**
 * A parent in the form that its child has: layers with biases and layers with batch norms stand for the
 * same functions, and a child may have the one where its parent has the other.
 */
import type { Graph, Initializer, Node } from '../../ir/graph.js';
import { withGraph } from '../../ir/graph.js';
import { foldBatchNorm } from '../../ir/pass/fold-batch-norm.js';
import { freshNamer } from '../../ir/pass/fresh-names.js';
import { alignNodes } from './align.js';

/** The `epsilon` of the norms that are added. */
const EPSILON = 1e-5;

/**
 * The parent with its batch norms folded where the child has none, and with norms in the place of
 * biases where the child has those and the parent has none. Computes the same.
 */
export function withNormsOf(parent: Graph, child: Graph): Graph {
  const [before, after] = [hasNorms(parent), hasNorms(child)];
  if (before === after) return parent;
  return before ? foldBatchNorm(parent).graph : unfold(parent, child);
}

function hasNorms(graph: Graph): boolean {
  return graph.nodes.some(({ op }) => op === 'BatchNormalization');
}

/** Each convolution with a bias whose partner has none gets a norm that adds the bias. */
function unfold(parent: Graph, child: Graph): Graph {
  const biased = new Set<Node>();
  for (const [node, partner] of alignNodes(child, parent)) {
    if (node.op === 'Conv' && node.inputs.length === 2 && partner.inputs.length === 3) {
      biased.add(partner);
    }
  }
  const fresh = freshNamer(parent);
  const dims = new Map(parent.initializers.map((one) => [one.name, one.dims]));
  const added: Initializer[] = [];
  const nodes = parent.nodes.flatMap((node): readonly Node[] => {
    if (!biased.has(node)) return [node];
    const [x = '', weight = '', bias = ''] = node.inputs;
    const length = dims.get(bias)?.[0] ?? 0;
    const add = (suffix: string, role: Initializer['role'], value: number): string => {
      const name = fresh(`${node.name}.norm.${suffix}`);
      const data = new Float32Array(length).fill(value);
      added.push({ name, role, dtype: 'float32', dims: [length], data });
      return name;
    };
    const sum = fresh(`${node.name}.sum`);
    const scale = add('scale', 'weight', Math.sqrt(1 + EPSILON));
    const [mean, variance] = [add('mean', 'state', 0), add('var', 'state', 1)];
    return [
      { ...node, inputs: [x, weight], outputs: [sum] },
      {
        name: fresh(`${node.name}.norm`),
        op: 'BatchNormalization',
        domain: '',
        inputs: [sum, scale, bias, mean, variance],
        outputs: node.outputs,
        attributes: { epsilon: { kind: 'float', value: EPSILON } },
      },
    ];
  });
  return withGraph(parent, { nodes, initializers: [...parent.initializers, ...added] });
}
