/**
 * ONNX file to Graph. Unknown operators and domains are kept as they are. Dropped: intermediate
 * value infos, doc strings below the model's own, quantisation annotations, training info.
 */
import { errorMessage, UsageError } from '../../errors.js';
import type { ElementType } from '../../util/tensor.js';
import { type Dim, freezeGraph, type Graph, type Node, type ValueInfo } from '../graph.js';
import { decodeAttribute } from './attribute-proto.js';
import { DOC_KEY, uniqueNodeNames } from './header.js';
import {
  type GraphProto,
  type Int64,
  type ModelProto,
  type NodeProto,
  numberOf,
  proto,
  type ValueInfoProto,
} from './proto.js';
import { decodeRoles, ROLES_KEY, withRoles } from './roles.js';
import { Scope } from './scope.js';
import { decodeElementType, decodeTensor } from './tensor-proto.js';

type Opsets = Graph['opsets'];

/**
 * Decodes an ONNX file. `file` names it in messages. Roles of initializers come from the file when
 * Archwright wrote it, else from their consumers. Throws `UsageError` for bytes that are not an ONNX
 * model and for what Graph cannot hold: string and sparse tensors, external data, sequence and
 * optional types, model-local functions.
 */
export function decodeModel(bytes: Uint8Array, file = 'the bytes given'): Graph {
  const model = decodeMessage(bytes, file);
  try {
    return freezeGraph(decodeModelProto(model));
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(`${file}: ${cause.message}`, { cause });
  }
}

function decodeMessage(bytes: Uint8Array, file: string): ModelProto {
  const refuse = (reason: string, options?: ErrorOptions) =>
    new UsageError(
      `expected an ONNX model, received ${file} (${bytes.length} bytes): ${reason}`,
      options,
    );
  if (bytes.length === 0) throw refuse('it is empty');
  let model: ModelProto;
  try {
    model = proto.ModelProto.decode(bytes);
  } catch (cause) {
    throw refuse(`it is not protobuf, or is cut off (${errorMessage(cause)})`, { cause });
  }
  if (!model.graph) throw refuse('it has no graph');
  if (!model.opsetImport?.length) throw refuse('it has no opset_import');
  return model;
}

function decodeModelProto(model: ModelProto): Graph {
  if (model.functions?.length) {
    throw new UsageError(
      'expected a model without local functions, received ' +
        `${model.functions.length}; inline them first`,
    );
  }
  const opsets = Object.fromEntries(
    (model.opsetImport ?? []).map(({ domain, version }) => [
      domainOf(domain),
      numberOf(version as Int64),
    ]),
  );
  const properties = (model.metadataProps ?? []).map(({ key, value }) => [key ?? '', value ?? '']);
  const { [ROLES_KEY]: _, ...metadata } = Object.fromEntries(properties);
  if (model.docString) metadata[DOC_KEY] ??= model.docString;
  const graph = decodeGraph(model.graph ?? {}, opsets);
  const roles = decodeRoles(graph, Object.fromEntries(properties));
  return { ...graph, metadata, initializers: withRoles(graph.initializers, roles) };
}

/** A graph with all initializers constant, as they stay in nested graphs. */
function decodeGraph(
  graph: GraphProto,
  opsets: Opsets,
  parent?: Scope,
  given: GivenTypes = [],
): Graph {
  if (graph.sparseInitializer?.length) {
    throw new UsageError(
      `graph ${graph.name}: expected dense initializers, received a sparse one; densify it first`,
    );
  }
  const scope = new Scope(parent);
  const initializers = (graph.initializer ?? []).map((tensor) => {
    const name = tensor.name ?? '';
    return { name, role: 'constant' as const, ...decodeTensor(tensor, `initializer ${name}`) };
  });
  const owned = new Set(initializers.map(({ name }) => name));
  // Before IR version 4 initializers were listed among the inputs too.
  const inputs = (graph.input ?? [])
    .filter(({ name }) => !owned.has(name ?? ''))
    .map((value, i) => decodeValue(value, scope, given[i]));
  for (const { name, dtype } of [...inputs, ...initializers]) scope.declare(name, dtype);
  return {
    name: graph.name || 'graph',
    opsets,
    inputs,
    initializers,
    nodes: decodeNodes(graph.node ?? [], opsets, scope),
    outputs: (graph.output ?? []).map((value) => decodeValue(value, scope)),
    metadata: {},
  };
}

function decodeNodes(messages: readonly NodeProto[], opsets: Opsets, scope: Scope): Node[] {
  const loose = messages.map(({ name, opType, output }) => ({
    name: name ?? '',
    op: opType ?? '',
    outputs: [...(output ?? [])],
  }));
  const names = uniqueNodeNames(loose);
  return messages.map((message, i) => {
    const { op, outputs } = loose[i] as (typeof loose)[number];
    const name = names[i] as string;
    const given = givenTypes(message, scope);
    const nested = (graph: GraphProto) => decodeGraph(graph, opsets, scope, given);
    const attributes = (message.attribute ?? []).map((attribute) => {
      const where = `node ${name} (${op}), attribute ${attribute.name}`;
      return [attribute.name ?? '', decodeAttribute(attribute, where, nested)] as const;
    });
    const node: Node = {
      name,
      op,
      domain: domainOf(message.domain),
      inputs: [...(message.input ?? [])],
      outputs,
      attributes: Object.fromEntries(attributes),
    };
    scope.addNode(node);
    return node;
  });
}

/** Element types of the inputs of a nested graph, by position, as far as they are known. */
type GivenTypes = readonly (ElementType | undefined)[];

/** What a node hands to its nested graph: Scan its inputs, Loop a counter and a condition first. */
function givenTypes({ opType, input }: NodeProto, scope: Scope): GivenTypes {
  const types = (input ?? []).map((name) => scope.typeOf(name));
  if (opType === 'Loop') return ['int64', 'bool', ...types.slice(2)];
  return opType === 'Scan' ? types : [];
}

/** A type that the file leaves out, as nested graphs may: `scope` knows an output's, `given` an input's. */
function decodeValue(value: ValueInfoProto, scope: Scope, given?: ElementType): ValueInfo {
  const name = value.name ?? '';
  const type = value.type?.tensorType;
  if (!type) {
    const dtype = given ?? scope.typeOf(name);
    if (dtype !== undefined) return { name, dtype };
    const received = Object.keys(value.type ?? {})[0] ?? 'none';
    throw new UsageError(`value ${name}: expected a tensor type, received ${received}`);
  }
  const dtype = decodeElementType(type.elemType ?? 0, `value ${name}`);
  const dims = type.shape?.dim ?? (type.shape ? [] : undefined);
  return dims === undefined ? { name, dtype } : { name, dtype, shape: dims.map(decodeDim) };
}

function decodeDim(dim: { dimValue?: unknown; dimParam?: string | null }): Dim {
  if (dim.dimParam) return dim.dimParam;
  const size = Object.hasOwn(dim, 'dimValue') ? numberOf(dim.dimValue as Int64) : -1;
  return size < 0 ? '?' : size;
}

/** `ai.onnx` is the long name of ONNX's own operator set. */
function domainOf(domain: string | null | undefined): string {
  return domain === 'ai.onnx' ? '' : (domain ?? '');
}
