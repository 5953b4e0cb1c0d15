/**
 * A graph that was exported for one batch size, for any: the first dim of its inputs becomes symbolic,
 * and Reshape targets that spell the old size out take it from their input.
 */
import { UsageError } from '../../errors.js';
import { intOf } from '../attributes.js';
import { type Graph, type Initializer, type Node, type TensorType, withGraph } from '../graph.js';
import { inferTypes } from '../infer.js';
import { freshNamer } from './fresh-names.js';
import type { PassResult } from './pass.js';

const BATCH = 'N';

/**
 * The graph with a symbolic first dim in all inputs that have dims. Throws `UsageError` where the
 * inputs have different fixed batches, or an output does not follow the batch.
 */
export function freeBatch(graph: Graph): PassResult {
  const sizes = new Set(
    graph.inputs.flatMap(({ shape }) => (typeof shape?.[0] === 'number' ? [shape[0]] : [])),
  );
  const [size] = sizes;
  if (size === undefined) return { graph, changed: false };
  if (sizes.size > 1) {
    throw new UsageError(
      `graph ${graph.name}: expected inputs of one batch, received ${[...sizes].join(' and ')}`,
    );
  }
  const types = inferTypes(graph);
  const constants = new Map(graph.initializers.map((one) => [one.name, one]));
  const fresh = freshNamer(graph);
  const added: Initializer[] = [];
  const nodes = graph.nodes.map((node) => {
    const target = constants.get(node.inputs[1] ?? '');
    if (node.op !== 'Reshape' || node.domain !== '' || target?.data === undefined) return node;
    if (constants.has(node.inputs[0] ?? '')) return node;
    const dims = freedTarget(node, Array.from(target.data, Number), size, types);
    if (dims === undefined) return node;
    const name = fresh(`${node.name}.shape`);
    const data = BigInt64Array.from(dims, BigInt);
    added.push({ name, role: 'constant', dtype: 'int64', dims: [dims.length], data });
    return { ...node, inputs: [node.inputs[0] as string, name] };
  });
  const freed = withGraph(graph, {
    nodes,
    initializers: [...graph.initializers, ...added],
    inputs: graph.inputs.map((input) =>
      input.shape === undefined || input.shape.length === 0
        ? input
        : { ...input, shape: [BATCH, ...input.shape.slice(1)] },
    ),
  });
  return { graph: withGraph(freed, { outputs: outputsOf(freed, size) }), changed: true };
}

/** The target without the batch in it: 0 copies the input's first dim, −1 is what is left. */
function freedTarget(
  node: Node,
  target: readonly number[],
  size: number,
  types: ReadonlyMap<string, TensorType>,
): readonly number[] | undefined {
  if (target[0] !== size) return undefined;
  const rest = target.slice(1);
  const copies = types.get(node.inputs[0] ?? '')?.shape?.[0] === size;
  if (copies && intOf(node, 'allowzero', 0) === 0) return [0, ...rest];
  return rest.includes(-1) ? undefined : [-1, ...rest];
}

function outputsOf(graph: Graph, size: number): Graph['outputs'] {
  const types = inferTypes(graph);
  return graph.outputs.map((output) => {
    const shape = types.get(output.name)?.shape ?? output.shape;
    if (shape !== undefined && shape.length > 0 && shape[0] === size && size > 1) {
      throw new UsageError(
        `graph ${graph.name}: expected output ${output.name} to follow the batch, received a fixed ` +
          `first dim of ${size}; export the model with a free batch`,
      );
    }
    return shape === undefined ? output : { ...output, shape };
  });
}
