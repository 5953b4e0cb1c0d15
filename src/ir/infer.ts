/**
 * Shape inference: one pass in node order, one rule per operator (`shape/`). Besides types it follows
 * the *contents* of small integer and bool tensors, since exported models compute their Reshape
 * targets with Shape, Gather and Concat, and branch on sizes. Dimensions may be symbolic throughout.
 */
import { elementCount, type HostTensor, type TensorData } from '../util/tensor.js';
import { graphOf, tensorOf } from './attributes.js';
import type { Graph, Initializer, Node, TensorType } from './graph.js';
import { isKnownOp } from './op-schema.js';
import { MAX_CONTENTS } from './shape/contents.js';
import { shapeRules } from './shape/rules.js';
import { type Contents, fail, type Known, ShapeError } from './shape/shape.js';

export { ShapeError } from './shape/shape.js';

/** A nested graph as its node runs it. */
export interface BodyScope {
  readonly graph: Graph;
  readonly scope: TypeScope;
  /** How often one run of the node runs it; undefined where that is not known. */
  readonly runs: number | undefined;
}

/** Bodies of a node by attribute; those that never run are missing. */
export type Bodies = ReadonlyMap<string, BodyScope>;

/** Types and contents known so far; the builder extends one node at a time. */
export class TypeScope {
  /** Types of this graph's own values. */
  readonly types = new Map<string, TensorType>();
  readonly contents = new Map<string, Contents>();
  /** Elements of initializers of that role and of what Constant nodes give. */
  readonly #constants = new Map<string, TensorData>();
  readonly #bodies = new Map<Node, Bodies>();
  /** Names of a nested graph's own values, also of those whose type is unknown. */
  readonly #own = new Set<string>();

  /** @param outer the scope around a nested graph. */
  constructor(
    readonly opsets: Readonly<Record<string, number>>,
    private readonly outer?: TypeScope,
  ) {}

  /** Type of a value of this graph or of those around it. */
  typeOf(name: string): TensorType | undefined {
    return this.types.get(name) ?? this.#outerOf(name)?.typeOf(name);
  }

  /** Contents of a value of this graph or of those around it. */
  contentsOf(name: string): Contents | undefined {
    return this.contents.get(name) ?? this.#outerOf(name)?.contentsOf(name);
  }

  /** Elements of a constant of this graph or of those around it. */
  constantOf(name: string): TensorData | undefined {
    return this.#constants.get(name) ?? this.#outerOf(name)?.constantOf(name);
  }

  /** The nested graphs of a node that was added, as they run. */
  bodiesOf(node: Node): Bodies {
    return this.#bodies.get(node) ?? new Map();
  }

  /** Records an initializer. */
  addInitializer(initializer: Initializer): void {
    this.types.set(initializer.name, { dtype: initializer.dtype, shape: initializer.dims });
    if (initializer.role === 'constant' && initializer.data !== undefined) {
      this.#addConstant(initializer.name, { ...initializer, data: initializer.data });
    }
  }

  /** Infers the outputs of `node` and records them. Unknown operators leave theirs unknown. */
  addNode(node: Node): void {
    if (this.outer !== undefined) for (const output of node.outputs) this.#own.add(output);
    if (!isKnownOp(node.op, node.domain)) return;
    const value = node.op === 'Constant' ? tensorOf(node, 'value') : undefined;
    const output = node.outputs[0];
    if (value !== undefined && output !== undefined) this.#addConstant(output, value);
    const scopes = new Map<string, Omit<BodyScope, 'runs'>>();
    const { types, contents, furtherContents, runs } = shapeRules[node.op]({
      node,
      opset: this.opsets[''] ?? 0,
      inputs: node.inputs.map((name) => this.typeOf(name)),
      contents: node.inputs.map((name) => this.contentsOf(name)),
      constants: node.inputs.map((name) => this.constantOf(name)),
      inferBody: (attribute, inputs) => {
        const graph = graphOf(node, attribute);
        if (graph === undefined) fail(node, `expected a graph in ${attribute}, received none`);
        const scope = this.#enter(node, graph, inputs);
        scopes.set(attribute, { graph, scope });
        return graph.outputs.map(({ name, dtype }) => ({
          type: scope.typeOf(name) ?? { dtype },
          contents: scope.contentsOf(name),
        }));
      },
    });
    if (scopes.size > 0) {
      const entries = [...scopes].map(([attribute, body]) => {
        return [attribute, { ...body, runs: runs?.[attribute] }] as const;
      });
      this.#bodies.set(node, new Map(entries));
    }
    node.outputs.forEach((name, i) => {
      const type = types[i];
      const known = i === 0 ? contents : furtherContents?.[i - 1];
      if (name === '') return;
      if (type !== undefined) this.types.set(name, type);
      if (known !== undefined && known.length <= MAX_CONTENTS) this.contents.set(name, known);
    });
  }

  #outerOf(name: string): TypeScope | undefined {
    return this.#own.has(name) ? undefined : this.outer;
  }

  /** The scope of a nested graph whose inputs are known so far. */
  #enter(node: Node, graph: Graph, inputs: readonly Known[]): TypeScope {
    if (graph.inputs.length !== inputs.length) {
      fail(
        node,
        `body ${graph.name}: expected ${inputs.length} inputs, received ${graph.inputs.length}`,
      );
    }
    const scope = new TypeScope({ ...this.opsets, ...graph.opsets }, this);
    graph.inputs.forEach(({ name, dtype, shape }, i) => {
      const { type, contents } = inputs[i] as Known;
      scope.#own.add(name);
      if (type !== undefined && type.dtype !== dtype) {
        fail(node, `body ${graph.name}: input ${name} expected ${dtype}, received ${type.dtype}`);
      }
      // A name of a dimension need not mean here what it means outside.
      const declared = shape?.map((dim) => (typeof dim === 'number' ? dim : '?'));
      const known = type?.shape ?? declared;
      scope.types.set(name, known === undefined ? { dtype } : { dtype, shape: known });
      if (contents !== undefined) scope.contents.set(name, contents);
    });
    for (const initializer of graph.initializers) {
      scope.#own.add(initializer.name);
      scope.addInitializer(initializer);
    }
    try {
      for (const inner of graph.nodes) scope.addNode(inner);
    } catch (cause) {
      if (!(cause instanceof ShapeError)) throw cause;
      throw new ShapeError(`node ${node.name} (${node.op}), body ${graph.name}: ${cause.message}`, {
        cause,
      });
    }
    return scope;
  }

  #addConstant(name: string, tensor: HostTensor): void {
    this.#constants.set(name, tensor.data);
    const followed = ['int64', 'int32', 'bool'].includes(tensor.dtype);
    if (!followed || elementCount(tensor.dims) > MAX_CONTENTS) return;
    this.contents.set(name, Array.from(tensor.data, Number));
  }
}

/** Everything that is inferred of a graph. Throws `ShapeError` where a node contradicts itself. */
export function inferScope(graph: Graph): TypeScope {
  const scope = new TypeScope(graph.opsets);
  for (const { name, ...type } of graph.inputs) scope.types.set(name, type);
  for (const initializer of graph.initializers) scope.addInitializer(initializer);
  for (const node of graph.nodes) scope.addNode(node);
  return scope;
}

/** Types of all values of a graph, by name. Throws `ShapeError` where a node contradicts itself. */
export function inferTypes(graph: Graph): ReadonlyMap<string, TensorType> {
  return inferScope(graph).types;
}
