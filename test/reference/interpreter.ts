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

/** Whether the operator can be evaluated. */
export function hasKernel(op: string): boolean {
  return kernels[op] !== undefined || control[op] !== undefined;
}

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
  for (const [i, node] of graph.nodes.entries()) {
    const results =
      node.op === 'Gradient'
        ? differentiate({ ...graph, nodes: graph.nodes.slice(0, i) }, node, values)
        : run(node, values, graph.opsets[''] ?? DEFAULT_OPSET);
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

/** Gradient: dΣy/dx for each of `xs`, by central differences of the nodes before it. */
function differentiate(before: Graph, node: Node, values: Values): readonly Tensor[] {
  const { xs, y, zs } = node.attributes;
  const names = [xs, zs].flatMap((list) => (list?.kind === 'strings' ? list.value : []));
  const given = names.map((name, i) => [name, values.get(node.inputs[i] ?? '')] as const);
  const nodes = before.nodes.filter(({ outputs }) => !outputs.some((o) => names.includes(o)));
  const sum = (moved: Readonly<Record<string, Tensor>>) => {
    const point = Object.fromEntries([...values, ...given]) as Record<string, Tensor>;
    const results = interpret({ ...before, nodes, initializers: [] }, { ...point, ...moved });
    return results.get(y?.kind === 'string' ? y.value : '')?.data.reduce((a, b) => a + b, 0) ?? 0;
  };
  const step = 1e-4;
  return node.outputs.map((_, i) => {
    const [name, value] = given[i] as readonly [string, Tensor];
    const slopes = value.data.map((_, n) => {
      const at = (by: number) =>
        sum({ [name]: { ...value, data: value.data.map((v, k) => (k === n ? v + by : v)) } });
      return (at(step) - at(-step)) / (2 * step);
    });
    return { dims: value.dims, data: slopes };
  });
}
