/**
 * Other names in an ONNX file, everything else as it was. Decoding to a Graph and encoding again may
 * run differently: initializers that are listed among the inputs, for one, are not constants to a
 * runtime, and a Graph lists none.
 *
 * Limit: fields that came after ONNX 1.10.2 are dropped (`proto.ts`).
 */
import { InternalError } from '../../errors.js';
import type { Graph } from '../graph.js';
import { type GraphProto, proto } from './proto.js';

/**
 * The model in `bytes` with the names of `named`: its decoded Graph with other names of nodes, of the
 * values they make, and so of outputs, in bodies too. Inputs and initializers keep theirs.
 */
export function renameModel(bytes: Uint8Array, named: Graph): Uint8Array {
  const model = proto.ModelProto.decode(bytes);
  renameGraph(model.graph ?? {}, named);
  return new Uint8Array(proto.ModelProto.encode(model).finish());
}

function renameGraph(graph: GraphProto, named: Graph): void {
  const messages = graph.node ?? [];
  if (messages.length !== named.nodes.length) {
    throw new InternalError(
      `graph ${named.name}: expected ${messages.length} nodes to rename, received ${named.nodes.length}`,
    );
  }
  const names = new Map<string, string>();
  messages.forEach((message, i) => {
    const node = named.nodes[i] as Graph['nodes'][number];
    message.output?.forEach((old, o) => {
      names.set(old, node.outputs[o] ?? old);
    });
    message.name = node.name;
    message.input = [...node.inputs];
    message.output = [...node.outputs];
    for (const attribute of message.attribute ?? []) {
      const body = node.attributes[attribute.name ?? ''];
      if (attribute.g && body?.kind === 'graph') renameGraph(attribute.g, body.value);
    }
  });
  graph.output?.forEach((value, i) => {
    value.name = named.outputs[i]?.name ?? value.name ?? '';
  });
  for (const value of graph.valueInfo ?? [])
    value.name = names.get(value.name ?? '') ?? value.name ?? '';
  for (const note of graph.quantizationAnnotation ?? []) {
    note.tensorName = names.get(note.tensorName ?? '') ?? note.tensorName ?? '';
  }
}
