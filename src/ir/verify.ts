/**
 * What a legal graph is. Every pass, mutation and decoded file is held against this one definition:
 * values are assigned once and before they are read, names of nodes are unique, known operators
 * have the arity and attributes of their schema, data fits its dims, shapes infer and agree with
 * the declared outputs, and every operator set in use has a version.
 */
import { ArchwrightError, errorMessage } from '../errors.js';
import { createTensorData, elementCount, type HostTensor } from '../util/tensor.js';
import { subgraphsOf } from './attributes.js';
import type { Graph, Initializer, Node } from './graph.js';
import { TypeScope } from './infer.js';
import { isKnownOp, schemaOf } from './op-schema.js';
import { formatShape, unifyShapes } from './shape/dims.js';

/** A graph that is not legal; the message names the node or value. */
export class GraphError extends ArchwrightError {
  override name = 'GraphError';
}

/** Throws a `GraphError` with the first problem, if there is one. */
export function verify(graph: Graph): void {
  for (const problem of findProblems(graph, graph.opsets)) {
    throw new GraphError(`graph ${graph.name}: ${problem}`);
  }
}

/** All problems, one line each; none for a legal graph. */
export function problemsOf(graph: Graph): string[] {
  return [...findProblems(graph, graph.opsets)];
}

type Problems = Generator<string, void, undefined>;

/** A nested graph in its place. */
interface Nested {
  /** The values that it sees from around it. */
  readonly outer: ReadonlySet<string>;
  /** What is inferred of its values; undefined where it never runs. */
  readonly scope: TypeScope | undefined;
}

function* findProblems(graph: Graph, opsets: Graph['opsets'], nested?: Nested): Problems {
  const outer = nested?.outer;
  if (outer === undefined && opsets[''] === undefined) {
    yield "expected a version of ONNX's operator set, received none";
  }
  const defined = new Set<string>();
  const later = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const isVisible = (name: string) => defined.has(name) || outer?.has(name) === true;
  const scope = nested === undefined ? new TypeScope(opsets) : nested.scope;
  // A nested graph was inferred by the node that it belongs to.
  const inferring = nested === undefined ? scope : undefined;

  for (const { name, ...type } of graph.inputs) {
    yield* defineValue(name, 'input', defined);
    inferring?.types.set(name, type);
  }
  for (const initializer of graph.initializers) {
    yield* defineValue(initializer.name, 'initializer', defined);
    yield* initializerProblems(initializer);
    inferring?.addInitializer(initializer);
  }
  const names = new Set<string>();
  for (const node of graph.nodes) {
    const who = `node ${node.name} (${node.op})`;
    if (names.has(node.name)) yield `${who}: expected a name of its own, received one in use`;
    names.add(node.name);
    if (opsets[node.domain] === undefined) {
      yield `${who}: expected a version of operator set '${node.domain}', received none`;
    }
    for (const input of node.inputs) {
      if (input === '' || isVisible(input)) continue;
      const when = later.has(input) ? 'is defined only later' : 'is not defined';
      yield `${who}: input ${input} ${when}`;
    }
    yield* schemaProblems(node);
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.kind === 'tensor') yield* tensorProblems(attribute.value, who);
    }
    if (inferring !== undefined) yield* inferenceProblems(node, inferring);
    const runs = [...(scope?.bodiesOf(node).values() ?? [])];
    for (const body of subgraphsOf(node)) {
      const around = new Set([...(outer ?? []), ...defined]);
      const inner = runs.find((run) => run.graph === body)?.scope;
      const versions = { ...opsets, ...body.opsets };
      for (const problem of findProblems(body, versions, { outer: around, scope: inner })) {
        yield `${who}, body ${body.name}: ${problem}`;
      }
    }
    for (const output of node.outputs) {
      if (output !== '') yield* defineValue(output, `output of ${who}`, defined);
    }
  }
  for (const output of graph.outputs) {
    if (!isVisible(output.name)) {
      yield `output ${output.name} is not defined`;
      continue;
    }
    const type = scope?.typeOf(output.name);
    if (type === undefined) continue;
    if (type.dtype !== output.dtype) {
      yield `output ${output.name}: expected ${type.dtype} as inferred, received ${output.dtype}`;
    }
    if (output.shape !== undefined && type.shape !== undefined) {
      if (unifyShapes(type.shape, output.shape) === undefined) {
        yield `output ${output.name}: expected ${formatShape(type.shape)} as inferred, received ${formatShape(output.shape)}`;
      }
    }
  }
}

function* defineValue(name: string, what: string, defined: Set<string>): Problems {
  if (name === '') yield `${what}: expected a name, received an empty one`;
  else if (defined.has(name)) yield `${what}: value ${name} is defined twice`;
  defined.add(name);
}

function* initializerProblems({ name, role, dtype, dims, data }: Initializer): Problems {
  if (data !== undefined) yield* tensorProblems({ dtype, dims, data }, `initializer ${name}`);
  else if (role === 'constant') yield `initializer ${name}: expected data of a constant, got none`;
  if (dims.some((dim) => !Number.isInteger(dim) || dim < 0)) {
    yield `initializer ${name}: expected sizes of 0 or more, received ${formatShape(dims)}`;
  }
}

function* tensorProblems({ dtype, dims, data }: HostTensor, who: string): Problems {
  if (!(data instanceof createTensorData(dtype, 0).constructor)) {
    yield `${who}: expected data of ${dtype}, received ${data.constructor.name}`;
  }
  if (data.length !== elementCount(dims)) {
    yield `${who}: expected ${elementCount(dims)} elements for ${formatShape(dims)}, received ${data.length}`;
  }
}

function* schemaProblems(node: Node): Problems {
  if (!isKnownOp(node.op, node.domain)) return;
  const schema = schemaOf(node.op);
  const who = `node ${node.name} (${node.op})`;
  for (const side of ['inputs', 'outputs'] as const) {
    const [least, most] = schema[side];
    const count = node[side].length;
    if (count >= least && count <= most) continue;
    const range = least === most ? `${least}` : `${least} to ${most}`;
    yield `${who}: expected ${range} ${side}, received ${count}`;
  }
  for (let i = 0; i < schema.inputs[0]; i++) {
    if (node.inputs[i] === '') yield `${who}: expected input ${i}, received none`;
  }
  for (const [name, { kind }] of Object.entries(node.attributes)) {
    const expected = Object.hasOwn(schema.attributes, name) ? schema.attributes[name] : undefined;
    if (expected === undefined) yield `${who}: attribute ${name} is not of this operator`;
    else if (kind !== expected) {
      yield `${who}: attribute ${name} expected ${expected}, received ${kind}`;
    }
  }
}

function* inferenceProblems(node: Node, scope: TypeScope): Problems {
  try {
    scope.addNode(node);
  } catch (error) {
    if (!(error instanceof ArchwrightError)) throw error;
    yield errorMessage(error);
  }
}
