/** A conformance case as our own graph and tensors, or why it cannot be one. */
import { ArchwrightError, errorMessage } from '../../src/errors.js';
import { type Graph, type Initializer, withGraph } from '../../src/ir/graph.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { proto } from '../../src/ir/onnx/proto.js';
import { decodeTensor } from '../../src/ir/onnx/tensor-proto.js';
import { isKnownOp } from '../../src/ir/op-schema.js';
import type { HostTensor } from '../../src/util/tensor.js';
import type { CaseSource } from './source.js';

export interface Prepared {
  readonly graph: Graph;
  /** As `graph`, with integer inputs that decide shapes made constants. */
  readonly fixed: Graph;
  /** Inputs of `graph` by name. */
  readonly inputs: ReadonlyMap<string, HostTensor>;
  /** One per output of the graph. */
  readonly outputs: readonly HostTensor[];
}

/** The case, or the reason why it is skipped. */
export function prepareCase(source: CaseSource): Prepared | string {
  try {
    const graph = decodeModel(source.model, source.name);
    const unknown = graph.nodes.find((node) => !isKnownOp(node.op, node.domain));
    if (unknown !== undefined) return `operator ${unknown.domain || 'ai.onnx'}::${unknown.op}`;
    const read = (bytes: Uint8Array) => decodeTensor(proto.TensorProto.decode(bytes), 'test data');
    const tensors = source.inputs.map(read);
    const inputs = new Map(
      graph.inputs.flatMap(({ name }, i) => {
        const tensor = tensors[i];
        return tensor === undefined ? [] : [[name, tensor] as const];
      }),
    );
    return { graph, fixed: fixIntegers(graph, inputs), inputs, outputs: source.outputs.map(read) };
  } catch (error) {
    if (!(error instanceof ArchwrightError) && !(error instanceof RangeError)) throw error;
    const received = /received ([a-z][a-z0-9_ ]*)/.exec(errorMessage(error))?.[1];
    return `a value of ${received ?? errorMessage(error)}`;
  }
}

function fixIntegers(graph: Graph, inputs: ReadonlyMap<string, HostTensor>): Graph {
  const constants = graph.inputs.flatMap(({ name, dtype }): Initializer[] => {
    const tensor = inputs.get(name);
    const decides =
      dtype === 'int64' || dtype === 'int32' || dtype === 'bool' || (tensor?.dims.length ?? 9) <= 1;
    return decides && tensor !== undefined ? [{ ...tensor, name, role: 'constant' }] : [];
  });
  const names = new Set(constants.map(({ name }) => name));
  return withGraph(graph, {
    inputs: graph.inputs.filter(({ name }) => !names.has(name)),
    initializers: [...graph.initializers, ...constants],
  });
}
