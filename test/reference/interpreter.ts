/**
 * Evaluates a graph in float64 with plain loops written from the ONNX operator specifications: slow,
 * obvious, and independent of what it checks. All element types are computed as float64.
 */
import type { Graph, Node } from '../../src/ir/graph.js';
import { kernels } from './kernels.js';
import { type Tensor, tensor } from './tensor.js';

export type Values = ReadonlyMap<string, Tensor>;

/** Every value of the graph, its inputs given by name. */
export function interpret(graph: Graph, inputs: Readonly<Record<string, Tensor>>): Values {
  const values = new Map<string, Tensor>(Object.entries(inputs));
  for (const { name, dims, data } of graph.initializers) {
    if (data !== undefined) values.set(name, tensor(dims, Array.from(data, Number)));
  }
  for (const node of graph.nodes) {
    const results = run(node, values);
    node.outputs.forEach((name, i) => {
      const value = results[i];
      if (name !== '' && value !== undefined) values.set(name, value);
    });
  }
  return values;
}

function run(node: Node, values: Values): readonly Tensor[] {
  const kernel = kernels[node.op];
  if (kernel === undefined) throw new Error(`no reference for ${node.op}`);
  const inputs = node.inputs.map((name) => {
    const value = values.get(name);
    if (value === undefined && name !== '') throw new Error(`${node.name}: no value ${name}`);
    return value;
  });
  return kernel(node, inputs);
}
