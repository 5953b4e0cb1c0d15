/** What can be said of a model without running it. */

import type { Graph, Node } from '../ir/graph.js';
import { inferTypes } from '../ir/infer.js';
import { listOverridable } from '../ir/onnx/overridable.js';
import { isKnownOp } from '../ir/op-schema.js';
import { isQuantized } from '../ir/pass/quantize.js';
import { allNodes } from '../ir/uses.js';
import type { ResolvedInputs } from '../measure/dims.js';
import { inferCostOf } from '../measure/measure.js';
import { type ElementType, tensorBytes } from '../util/tensor.js';
import { deprecated, opsetGates, releaseOf } from './opsets.js';

/** A dimension of the inputs that the file leaves open. */
export interface OpenDim {
  readonly dim: string;
  /** Inputs and the axis, such as `image[0]`. */
  readonly places: readonly string[];
  /** Size that everything here was run with. */
  readonly assumed: number;
}

/** Nodes of one operator. */
export interface OpNodes {
  readonly op: string;
  readonly domain: string;
  readonly nodes: readonly string[];
}

export interface ModelFacts {
  readonly opset: number;
  /** ONNX release that brought the opset; null where not known. */
  readonly onnxRelease: string | null;
  /** Versions of other operator sets, by domain. */
  readonly domains: Readonly<Record<string, number>>;
  /** What newer opsets would bring. */
  readonly opsetMisses: readonly { readonly opset: number; readonly brings: string }[];
  readonly nodes: number;
  readonly params: number;
  readonly macs: number;
  /** Deprecated operators, with the opset that did so. */
  readonly deprecated: readonly (OpNodes & { readonly since: number; readonly instead: string })[];
  /** Operators outside our tables: they run, but are neither counted nor trained. */
  readonly unknown: readonly OpNodes[];
  readonly openDims: readonly OpenDim[];
  /** Stored tensors that the file lists as inputs too: a runtime must not fold or fuse them. */
  readonly overridable: number;
  /** Nodes of quantised operators and the element types of what they store; null for a float model. */
  readonly quantization: {
    readonly ops: Readonly<Record<string, number>>;
    readonly types: readonly string[];
  } | null;
  /** Values and stored tensors of float64. */
  readonly float64: readonly string[];
  /** Constants (not weights) of a MiB and more. */
  readonly largeConstants: readonly { readonly name: string; readonly bytes: number }[];
}

const LARGE_BYTES = 1024 ** 2;

/** Looks at `model`, which `graph` was decoded from; `inputs` has the sizes that its open dimensions are given. */
export function inspectModel(model: Uint8Array, graph: Graph, inputs: ResolvedInputs): ModelFacts {
  const { '': opset = 0, ...domains } = graph.opsets;
  const { params, macs } = inferCostOf(inputs);
  const nodes = allNodes(graph);
  const old = byOp(nodes.filter(({ op, domain }) => domain === '' && op in deprecated));
  return {
    opset,
    onnxRelease: releaseOf(opset) ?? null,
    domains,
    opsetMisses: opsetGates.filter((gate) => gate.opset > opset),
    nodes: nodes.length,
    params,
    macs,
    deprecated: old.map((group) => ({
      ...group,
      ...(deprecated[group.op] as (typeof deprecated)[string]),
    })),
    unknown: byOp(nodes.filter(({ op, domain }) => !isKnownOp(op, domain))),
    openDims: openDimsOf(graph, inputs),
    overridable: listOverridable(model).length,
    quantization: quantizationOf(graph, nodes),
    float64: [...inferTypes(graph)]
      .filter(([, { dtype }]) => dtype === 'float64')
      .map(([name]) => name),
    largeConstants: graph.initializers
      .filter(({ role }) => role === 'constant')
      .map(({ name, dtype, dims: size }) => ({
        name,
        bytes: tensorBytes(dtype, size),
      }))
      .filter(({ bytes }) => bytes >= LARGE_BYTES)
      .sort((a, b) => b.bytes - a.bytes),
  };
}

function byOp(nodes: readonly Node[]): OpNodes[] {
  const groups = new Map<string, OpNodes & { readonly nodes: string[] }>();
  for (const { op, domain, name } of nodes) {
    const key = `${domain}.${op}`;
    const group = groups.get(key) ?? { op, domain, nodes: [] };
    groups.set(key, group);
    group.nodes.push(name);
  }
  return [...groups.values()];
}

function openDimsOf(graph: Graph, { dims }: ResolvedInputs): OpenDim[] {
  const open = graph.inputs.flatMap(({ name, shape }) =>
    (dims[name] ?? []).flatMap((assumed, axis) => {
      const dim = shape?.[axis] ?? '?';
      return typeof dim === 'number' ? [] : [{ dim, place: `${name}[${axis}]`, assumed }];
    }),
  );
  const groups = new Map<string, OpenDim>();
  for (const { dim, place, assumed } of open) {
    // Unnamed dimensions are equal to nothing.
    const key = dim === '?' ? place : dim;
    groups.set(key, { dim, places: [...(groups.get(key)?.places ?? []), place], assumed });
  }
  return [...groups.values()];
}

function quantizationOf(graph: Graph, nodes: readonly Node[]): ModelFacts['quantization'] {
  const quantized = nodes.filter(isQuantized);
  if (quantized.length === 0) return null;
  const ops: Record<string, number> = {};
  for (const { op } of quantized) ops[op] = (ops[op] ?? 0) + 1;
  const small: ReadonlySet<ElementType> = new Set(['int8', 'uint8', 'int16', 'uint16', 'int32']);
  const read = new Set(quantized.flatMap(({ inputs }) => inputs));
  const stored = graph.initializers.filter(({ name, dtype }) => read.has(name) && small.has(dtype));
  return { ops, types: [...new Set(stored.map(({ dtype }) => dtype))].sort() };
}
