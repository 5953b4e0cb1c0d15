/**
 * Shape inference: one pass in node order, one rule per operator (`shape/`). Besides types it follows
 * the *contents* of small integer tensors, since exported models compute their Reshape targets with
 * Shape, Gather and Concat. Dimensions may be symbolic throughout.
 */
import { elementCount, type HostTensor } from '../util/tensor.js';
import { tensorOf } from './attributes.js';
import type { Graph, Initializer, Node, TensorType } from './graph.js';
import { isKnownOp } from './op-schema.js';
import { MAX_CONTENTS } from './shape/contents.js';
import { shapeRules } from './shape/rules.js';
import type { Contents } from './shape/shape.js';

export { ShapeError } from './shape/shape.js';

/** Types and contents known so far; the builder extends one node at a time. */
export class TypeScope {
  readonly types = new Map<string, TensorType>();
  readonly contents = new Map<string, Contents>();

  constructor(readonly opsets: Readonly<Record<string, number>>) {}

  /** Records an initializer. */
  addInitializer(initializer: Initializer): void {
    this.types.set(initializer.name, { dtype: initializer.dtype, shape: initializer.dims });
    if (initializer.role === 'constant' && initializer.data !== undefined) {
      this.addContents(initializer.name, { ...initializer, data: initializer.data });
    }
  }

  /** Infers the outputs of `node` and records them. Unknown operators leave theirs unknown. */
  addNode(node: Node): void {
    if (!isKnownOp(node.op, node.domain)) return;
    const value = node.op === 'Constant' ? tensorOf(node, 'value') : undefined;
    const output = node.outputs[0];
    if (value !== undefined && output !== undefined) this.addContents(output, value);
    const { types, contents } = shapeRules[node.op]({
      node,
      opset: this.opsets[''] ?? 0,
      inputs: node.inputs.map((name) => this.types.get(name)),
      contents: node.inputs.map((name) => this.contents.get(name)),
    });
    node.outputs.forEach((name, i) => {
      const type = types[i];
      if (name !== '' && type !== undefined) this.types.set(name, type);
    });
    if (contents !== undefined && output !== undefined && contents.length <= MAX_CONTENTS) {
      this.contents.set(output, contents);
    }
  }

  private addContents(name: string, tensor: HostTensor): void {
    const integers = tensor.dtype === 'int64' || tensor.dtype === 'int32';
    if (!integers || elementCount(tensor.dims) > MAX_CONTENTS) return;
    this.contents.set(name, Array.from(tensor.data, Number));
  }
}

/** Types of all values of a graph, by name. Throws `ShapeError` where a node contradicts itself. */
export function inferTypes(graph: Graph): ReadonlyMap<string, TensorType> {
  const scope = new TypeScope(graph.opsets);
  for (const { name, ...type } of graph.inputs) scope.types.set(name, type);
  for (const initializer of graph.initializers) scope.addInitializer(initializer);
  for (const node of graph.nodes) scope.addNode(node);
  return scope.types;
}
