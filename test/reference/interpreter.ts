/**
 * Evaluates a graph in float64 with plain loops written from the ONNX operator specifications: slow,
 * obvious, and independent of what it checks. All element types are computed as float64; integers
 * whose operator depends on their type (Div, BitwiseNot, …) know theirs.
 */
import { graphOf } from '../../src/ir/attributes.js';
import { DEFAULT_OPSET, type Graph, type Node } from '../../src/ir/graph.js';
import type { ElementType } from '../../src/util/tensor.js';
import { control } from './control.js';
import { resultType } from './element-type.js';
import { need } from './kernel.js';
import { kernels } from './kernels.js';
import { fromHost } from './stored.js';
import type { Tensor } from './tensor.js';

export type Values = ReadonlyMap<string, Tensor>;

/** Every value of the graph, its inputs given by name; in a body, also those of the graph around it. */
export function interpret(
  graph: Graph,
  inputs: Readonly<Record<string, Tensor>>,
  outer?: Values,
): Values {
  const values = new Map<string, Tensor>(outer);
  const types = new Map(graph.inputs.map(({ name, dtype }) => [name, dtype]));
  for (const [name, value] of Object.entries(inputs))
    values.set(name, typed(value, types.get(name)));
  for (const { name, dtype, dims, data } of graph.initializers) {
    if (data !== undefined) values.set(name, fromHost({ dtype, dims, data }));
  }
  for (const node of graph.nodes) {
    const results = run(node, values, graph.opsets[''] ?? DEFAULT_OPSET);
    node.outputs.forEach((name, i) => {
      const value = results[i];
      if (name !== '' && value !== undefined) values.set(name, value);
    });
  }
  return values;
}

function typed(value: Tensor, dtype: ElementType | undefined): Tensor {
  return value.dtype !== undefined || dtype === undefined ? value : { ...value, dtype };
}

function run(node: Node, values: Values, opset: number): readonly Tensor[] {
  const inputs = node.inputs.map((name) => {
    const value = values.get(name);
    if (value === undefined && name !== '') throw new Error(`${node.name}: no value ${name}`);
    return value;
  });
  const runBody = (attribute: string, given: readonly Tensor[]): readonly Tensor[] => {
    const body = graphOf(node, attribute);
    if (body === undefined) throw new Error(`${node.name}: no graph ${attribute}`);
    const named = body.inputs.map(({ name }, i) => [name, need(given, i)] as const);
    const results = interpret(body, Object.fromEntries(named), values);
    return body.outputs.map(({ name }) => {
      const result = results.get(name);
      if (result === undefined) throw new Error(`${body.name}: no value ${name}`);
      return result;
    });
  };
  const [kernel, nesting] = [kernels[node.op], control[node.op]];
  const results = nesting?.(node, inputs, { opset, runBody }) ?? kernel?.(node, inputs, opset);
  if (results === undefined) throw new Error(`no reference for ${node.op}`);
  return results.map((value, i) => typed(value, resultType(node, inputs, i)));
}
