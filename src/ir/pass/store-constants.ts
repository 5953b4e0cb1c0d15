/**
 * Constants as initializers, where passes that rewrite stored tensors look for them. Exporters write
 * them as Constant nodes too, and a tensor of one value as ConstantOfShape.
 */
import { createTensorData, elementCount, type HostTensor } from '../../util/tensor.js';
import { tensorOf } from '../attributes.js';
import { type Graph, type Initializer, type Node, withGraph } from '../graph.js';
import { inferTypes } from '../infer.js';
import { inferRoles } from '../onnx/roles.js';
import { removeDeadNodes } from './dead-nodes.js';
import type { Pass, PassResult } from './pass.js';

/** Operators whose tensors are worth their size when a ConstantOfShape fills them. */
const layers: ReadonlySet<string> = new Set(['BatchNormalization', 'Conv', 'Gemm', 'MatMul']);
/** Operators that change dims alone. */
const reshaping: ReadonlySet<string> = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** Turns every Constant node into an initializer, but for those that are outputs of the graph. */
export const storeConstants: Pass = (graph) =>
  storeOutputs(graph, (node) => (node.op === 'Constant' ? constantOf(node) : undefined));

/**
 * Turns every ConstantOfShape of a stored shape into an initializer where it is read by a Conv, Gemm,
 * MatMul or BatchNormalization, and Reshape and its kin of stored tensors everywhere.
 */
export const storeWeights: Pass = (graph) => {
  const stored = new Map(graph.initializers.map((initializer) => [initializer.name, initializer]));
  const types = inferTypes(graph);
  const weights = new Set(
    graph.nodes
      .filter(({ op, domain }) => domain === '' && layers.has(op))
      .flatMap(({ inputs }) => inputs),
  );
  return storeOutputs(graph, (node) => {
    const [output = ''] = node.outputs;
    const source = stored.get(node.inputs[0] ?? '');
    if (source?.data === undefined) return undefined;
    if (node.op === 'ConstantOfShape' && weights.has(output)) return filledOf(node, source);
    const dims = types.get(output)?.shape?.map(Number);
    if (!reshaping.has(node.op) || dims === undefined || dims.some(Number.isNaN)) return undefined;
    return { dtype: source.dtype, dims, data: source.data };
  });
};

/** Replaces nodes by the tensors that `evaluate` gives for their only output. */
function storeOutputs(graph: Graph, evaluate: (node: Node) => HostTensor | undefined): PassResult {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const added: Initializer[] = [];
  const nodes = graph.nodes.filter((node) => {
    const [name = ''] = node.outputs;
    if (node.domain !== '' || outputs.has(name)) return true;
    const tensor = evaluate(node);
    if (tensor === undefined) return true;
    added.push({ ...tensor, name, role: 'constant' });
    return false;
  });
  if (added.length === 0) return { graph, changed: false };
  const moved = withGraph(graph, { nodes, initializers: [...graph.initializers, ...added] });
  return { graph: removeDeadNodes(withInferredRoles(moved, added)).graph, changed: true };
}

/** Roles of the new initializers as they would be in a file that stored them so. */
function withInferredRoles(graph: Graph, added: readonly Initializer[]): Graph {
  const names = new Set(added.map(({ name }) => name));
  const roles = inferRoles(graph);
  return withGraph(graph, {
    initializers: graph.initializers.map((one) =>
      names.has(one.name) ? { ...one, role: roles.get(one.name) ?? one.role } : one,
    ),
  });
}

function constantOf(node: Node): HostTensor | undefined {
  const { value, value_float, value_floats, value_int, value_ints } = node.attributes;
  if (value?.kind === 'tensor') return value.value;
  if (value_float?.kind === 'float') return floats([], [value_float.value]);
  if (value_floats?.kind === 'floats') {
    return floats([value_floats.value.length], value_floats.value);
  }
  if (value_int?.kind === 'int') return integers([], [value_int.value]);
  if (value_ints?.kind === 'ints') return integers([value_ints.value.length], value_ints.value);
  return undefined;
}

const floats = (dims: readonly number[], values: readonly number[]): HostTensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from(values),
});

const integers = (dims: readonly number[], values: readonly number[]): HostTensor => ({
  dtype: 'int64',
  dims,
  data: BigInt64Array.from(values, BigInt),
});

function filledOf(node: Node, shape: Initializer): HostTensor {
  const dims = Array.from(shape.data ?? [], Number);
  const value = tensorOf(node, 'value');
  const dtype = value?.dtype ?? 'float32';
  const data = createTensorData(dtype, elementCount(dims));
  const [fill] = value?.data ?? [];
  if (fill !== undefined) (data as Float32Array).fill(fill as number);
  return { dtype, dims, data };
}
