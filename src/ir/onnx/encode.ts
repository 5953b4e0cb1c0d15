/**
 * Graph to ONNX file: IR version 8, the graph's own operator sets, all tensors as `raw_data`. Equal
 * graphs give equal bytes.
 */
import { ArchwrightError } from '../../errors.js';
import { elementCodes } from '../element-codes.js';
import type { Dim, Graph, Initializer, Node, ValueInfo } from '../graph.js';
import { encodeAttribute } from './attribute-proto.js';
import { DOC_KEY, IR_VERSION } from './header.js';
import {
  type GraphProto,
  int64Of,
  type NodeProto,
  proto,
  type TensorProto,
  type ValueInfoProto,
} from './proto.js';
import { encodeRoles } from './roles.js';
import { encodeTensor } from './tensor-proto.js';

/**
 * The graph as an ONNX file. Metadata goes to `metadata_props`, but for `doc_string`, which has a
 * field of its own. Throws `ArchwrightError` for a weight without data: draw it first.
 */
export function encodeModel(graph: Graph): Uint8Array {
  const { [DOC_KEY]: docString, ...metadata } = encodeRoles(graph);
  const message = proto.ModelProto.create({
    irVersion: IR_VERSION,
    producerName: 'archwright',
    opsetImport: Object.entries(graph.opsets).map(([domain, version]) => ({ domain, version })),
    graph: encodeGraph(graph),
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    ...(docString === undefined ? {} : { docString }),
  });
  return new Uint8Array(proto.ModelProto.encode(message).finish());
}

function encodeGraph(graph: Graph): GraphProto {
  return {
    name: graph.name,
    node: graph.nodes.map(encodeNode),
    initializer: graph.initializers.map(encodeInitializer),
    input: graph.inputs.map(encodeValue),
    output: graph.outputs.map(encodeValue),
  };
}

function encodeNode(node: Node): NodeProto {
  return {
    name: node.name,
    opType: node.op,
    domain: node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, attribute]) =>
      encodeAttribute(name, attribute, encodeGraph),
    ),
  };
}

function encodeInitializer({ name, role, dtype, dims, data }: Initializer): TensorProto {
  if (data === undefined) {
    throw new ArchwrightError(
      `${role} ${name}: expected data to encode, received none; draw the weights first`,
    );
  }
  return encodeTensor({ dtype, dims, data }, name);
}

function encodeValue({ name, dtype, shape }: ValueInfo): ValueInfoProto {
  const elemType = elementCodes[dtype];
  const tensorType =
    shape === undefined ? { elemType } : { elemType, shape: { dim: shape.map(encodeDim) } };
  return { name, type: { tensorType } };
}

function encodeDim(dim: Dim) {
  if (typeof dim === 'number') return { dimValue: int64Of(dim, 'dimension') as number };
  return dim === '?' ? {} : { dimParam: dim };
}
