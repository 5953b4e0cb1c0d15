/**
 * Shape inference against the ONNX project's own conformance cases: the shapes and element types
 * that the rules infer are those of the reference outputs stored with each case.
 */
import { describe, expect, it } from 'vitest';
import { errorMessage } from '../../src/errors.js';
import { type Graph, type Initializer, withGraph } from '../../src/ir/graph.js';
import { inferTypes } from '../../src/ir/infer.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { proto } from '../../src/ir/onnx/proto.js';
import { decodeTensor } from '../../src/ir/onnx/tensor-proto.js';
import { isKnownOp } from '../../src/ir/op-schema.js';
import type { HostTensor } from '../../src/util/tensor.js';
import {
  type ConformanceCase,
  hasConformanceCases,
  readConformanceCases,
} from './conformance-cases.js';

const readTensor = (bytes: Uint8Array): HostTensor =>
  decodeTensor(proto.TensorProto.decode(bytes), 'test data');

interface Case {
  readonly name: string;
  readonly graph: Graph;
  readonly expected: readonly HostTensor[];
}

/** Operators some of whose sizes depend on the elements of what goes in. */
const dataDependent: ReadonlySet<string> = new Set('ImageDecoder NonZero Unique'.split(' '));

/** The case with inputs that may decide sizes made constant, so that they are known; or why not. */
function prepare(source: ConformanceCase): Case | string {
  let graph: Graph;
  try {
    graph = decodeModel(source.model);
  } catch (error) {
    const received = /received (.+)$/.exec(errorMessage(error))?.[1];
    return `hold ${received ?? errorMessage(error)}, which Graph cannot`;
  }
  const unknown = graph.nodes.find((node) => !isKnownOp(node.op, node.domain));
  if (unknown !== undefined) return `use ${unknown.op}, which is in no table`;
  const inputs = source.inputs.map(readTensor);
  const constants = graph.inputs.flatMap(({ name, dtype }, i): Initializer[] => {
    const tensor = inputs[i];
    const isIndex = dtype === 'int64' || dtype === 'int32' || dtype === 'bool';
    const decides = (isIndex || dtype === 'float32') && (tensor?.dims.length ?? 9) <= 1;
    return decides && tensor !== undefined ? [{ ...tensor, name, role: 'constant' }] : [];
  });
  const fixed = new Set(constants.map(({ name }) => name));
  return {
    name: source.name,
    graph: withGraph(graph, {
      inputs: graph.inputs.filter(({ name }) => !fixed.has(name)),
      initializers: [...graph.initializers, ...constants],
    }),
    expected: source.outputs.map(readTensor),
  };
}

/** What inference says, beside what the stored outputs are. */
function compare({ name, graph, expected }: Case): string[] {
  let types: ReturnType<typeof inferTypes>;
  try {
    types = inferTypes(graph);
  } catch (error) {
    return [`${name}: ${errorMessage(error)}`];
  }
  return expected.flatMap((tensor, i) => {
    const output = graph.outputs[i]?.name ?? '';
    const type = types.get(output);
    const isOpen = graph.nodes.some(({ op }) => dataDependent.has(op));
    const shape = type?.shape?.map((dim, axis) =>
      isOpen && dim === '?' ? tensor.dims[axis] : dim,
    );
    const inferred = `${type?.dtype}[${shape}]`;
    const truth = `${tensor.dtype}[${tensor.dims}]`;
    return inferred === truth
      ? []
      : [`${name}: output ${output} is ${truth}, inferred ${inferred}`];
  });
}

/** The same without the contents: what is inferred may be less, never something else. */
function contradictions({ name, graph, expected }: Case): string[] {
  const unknowing = withGraph(graph, {
    initializers: [],
    inputs: [
      ...graph.inputs,
      ...graph.initializers.map(({ data: _, dims, ...i }) => ({ ...i, shape: dims })),
    ],
  });
  const types = inferTypes(unknowing);
  return expected.flatMap((tensor, i) => {
    const shape = types.get(graph.outputs[i]?.name ?? '')?.shape;
    const agrees =
      shape === undefined ||
      (shape.length === tensor.dims.length &&
        shape.every((dim, axis) => typeof dim === 'string' || dim === tensor.dims[axis]));
    return agrees ? [] : [`${name}: output is [${tensor.dims}], inferred [${shape}]`];
  });
}

describe.skipIf(!hasConformanceCases)('shape inference on ONNX conformance cases', () => {
  it('agrees with the reference outputs of every case whose operators are known', () => {
    const skipped = new Map<string, number>();
    const cases = readConformanceCases().flatMap((source) => {
      const prepared = prepare(source);
      if (typeof prepared !== 'string') return [prepared];
      skipped.set(prepared, (skipped.get(prepared) ?? 0) + 1);
      return [];
    });
    const problems = cases.flatMap(compare);
    const reasons = [...skipped].sort((a, b) => b[1] - a[1]).map(([why, n]) => `${n} ${why}`);
    console.info(`conformance: ${cases.length} tried, skipped: ${reasons.join('; ')}`);
    expect(problems).toEqual([]);
    expect(cases.flatMap(contradictions)).toEqual([]);
    expect(cases.length).toBeGreaterThan(250);
  });
});
