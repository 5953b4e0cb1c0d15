/**
 * A graph of an older operator set in terms of a newer one. What changed between opsets 7 and 13:
 * attributes became inputs (Slice 10; Clip, Pad, TopK 10/11; Squeeze, Unsqueeze, Split, ReduceSum
 * 13), Softmax and its kin lost their flattening (13), Upsample and Scatter were renamed (11),
 * Dropout takes its ratio as an input (12). Source: ONNX operator change log.
 */
import { UsageError } from '../../errors.js';
import { createTensorData, type HostTensor } from '../../util/tensor.js';
import { floatOf, intOf, intsOf, mapSubgraphs, stringOf } from '../attributes.js';
import {
  type Attribute,
  type Graph,
  type Initializer,
  type Node,
  type TensorType,
  withGraph,
} from '../graph.js';
import { inferScope, type TypeScope } from '../infer.js';
import { clampInt64 } from '../onnx/header.js';
import { isKnownOp } from '../op-schema.js';
import { countUses } from '../uses.js';
import { freshNamer } from './fresh-names.js';
import type { PassResult } from './pass.js';

/** The newest operator set that `upgradeOpset` writes: the first with quantisation per channel. */
export const UPGRADED_OPSET = 13;
/** Before it, broadcasting was an attribute. */
const OLDEST_OPSET = 7;

interface Context {
  readonly opset: number;
  typeOf(name: string): TensorType | undefined;
  isUsed(name: string | undefined): boolean;
  /** Name of a new constant. */
  constant(tensor: HostTensor, hint: string): string;
  fresh(hint: string): string;
}

type Converter = (node: Node, context: Context) => readonly Node[];

/**
 * The graph in opset 13, its bodies too, or as it is when it is there already. Throws `UsageError` for
 * what has no translation: opsets before 7, operators that no list here knows.
 */
export function upgradeOpset(graph: Graph): PassResult {
  const opset = graph.opsets[''] ?? 0;
  if (opset >= UPGRADED_OPSET) return { graph, changed: false };
  const refuse = (what: string): never => {
    throw new UsageError(
      `opset ${opset}: expected ${UPGRADED_OPSET} or newer, or a model that can be translated, received ` +
        `${what}; export the model again with a newer opset`,
    );
  };
  if (opset < OLDEST_OPSET) refuse(`an opset before ${OLDEST_OPSET}`);
  const fresh = freshNamer(graph);
  const added: Initializer[] = [];
  const constant = (tensor: HostTensor, hint: string): string => {
    const name = fresh(hint);
    added.push({ ...tensor, name, role: 'constant' });
    return name;
  };
  /** Constants that a body needs are stored around it. */
  const convertNodes = (within: Graph, scope: TypeScope): Node[] => {
    const uses = countUses(within);
    const isUsed = (name: string | undefined) => name !== undefined && (uses.get(name) ?? 0) > 0;
    const context: Context = {
      opset,
      typeOf: (name) => scope.typeOf(name),
      isUsed,
      fresh,
      constant,
    };
    return within.nodes.flatMap((source) => {
      const bodies = [...scope.bodiesOf(source).values()];
      const node = mapSubgraphs(source, (body) => ({
        ...body,
        opsets: { ...body.opsets, '': UPGRADED_OPSET },
        // Of a branch that is never taken nothing is inferred but what is around it.
        nodes: convertNodes(body, bodies.find((run) => run.graph === body)?.scope ?? scope),
      }));
      const convert = node.domain === '' ? converters[node.op] : undefined;
      if (convert !== undefined) return convert(node, context);
      const known = node.domain !== '' || isKnownOp(node.op);
      if (!known) refuse(`node ${node.name} (${node.op})`);
      if (node.op === 'Scan' && opset < 9) refuse(`node ${node.name} (Scan) with a batch axis`);
      return [node];
    });
  };
  const nodes = convertNodes(graph, inferScope(graph));
  const opsets = { ...graph.opsets, '': UPGRADED_OPSET };
  const initializers = [...graph.initializers, ...added];
  return { graph: withGraph(graph, { opsets, nodes, initializers }), changed: true };
}

const int = (value: number): Attribute => ({ kind: 'int', value });
const text = (value: string): Attribute => ({ kind: 'string', value });

function without(node: Node, ...names: readonly string[]): Node['attributes'] {
  return Object.fromEntries(
    Object.entries(node.attributes).filter(([key]) => !names.includes(key)),
  );
}

function intsTensor(values: readonly number[]): HostTensor {
  return { dtype: 'int64', dims: [values.length], data: BigInt64Array.from(values, clampInt64) };
}

/** The integer list in an attribute as the input that took its place. */
const listToInput =
  (attribute: string): Converter =>
  (node, { constant }) => {
    const list = intsOf(node, attribute);
    if (list === undefined) return [node];
    const input = constant(intsTensor(list), `${node.name}.${attribute}`);
    return [{ ...node, inputs: [...node.inputs, input], attributes: without(node, attribute) }];
  };

/** A scalar of the element type that the first input has. */
function scalarLike(node: Node, value: number, hint: string, context: Context): string {
  const dtype = context.typeOf(node.inputs[0] ?? '')?.dtype ?? 'float32';
  const data = createTensorData(dtype, 1);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[0] = BigInt(value);
  else data[0] = value;
  return context.constant({ dtype, dims: [], data }, `${node.name}.${hint}`);
}

const clip: Converter = (node, context) => {
  if (context.opset >= 11) return [node];
  const { min, max } = node.attributes;
  const low = min && scalarLike(node, floatOf(node, 'min', 0), 'min', context);
  const high = max && scalarLike(node, floatOf(node, 'max', 0), 'max', context);
  const inputs = [node.inputs[0] as string, low ?? '', high ?? ''];
  return [{ ...node, inputs, attributes: {} }];
};

const pad: Converter = (node, context) => {
  if (context.opset >= 11) return [node];
  const pads = context.constant(intsTensor(intsOf(node, 'pads') ?? []), `${node.name}.pads`);
  const value = scalarLike(node, floatOf(node, 'value', 0), 'value', context);
  const attributes = without(node, 'pads', 'value');
  return [{ ...node, inputs: [node.inputs[0] as string, pads, value], attributes }];
};

const slice: Converter = (node, { opset, constant }) => {
  if (opset >= 10) return [node];
  const [x = ''] = node.inputs;
  const lists = (['starts', 'ends', 'axes'] as const).flatMap((name) => {
    const list = intsOf(node, name);
    return list === undefined ? [] : [constant(intsTensor(list), `${node.name}.${name}`)];
  });
  return [{ ...node, inputs: [x, ...lists], attributes: {} }];
};

/** The rows before the axis times the elements from it on, normalised along the last; as it was. */
const softmax: Converter = (node, { typeOf, fresh }) => {
  const [x = ''] = node.inputs;
  const axis = intOf(node, 'axis', 1);
  const rank = typeOf(x)?.shape?.length;
  const isLast = axis === -1 || (rank !== undefined && axis === rank - 1);
  if (isLast) return [{ ...node, attributes: { axis: int(-1) } }];
  const base = { domain: '', attributes: {} };
  const [shape, flat, soft] = ['shape', 'flat', 'soft'].map((part) =>
    fresh(`${node.name}.${part}`),
  );
  const [s, f, y] = [shape as string, flat as string, soft as string];
  return [
    { ...base, name: s, op: 'Shape', inputs: [x], outputs: [s] },
    { ...base, name: f, op: 'Flatten', inputs: [x], outputs: [f], attributes: { axis: int(axis) } },
    { ...base, name: y, op: node.op, inputs: [f], outputs: [y], attributes: { axis: int(-1) } },
    { ...base, name: node.name, op: 'Reshape', inputs: [y, s], outputs: node.outputs },
  ];
};

/** In inference, what goes in. */
const dropout: Converter = (node, { opset, isUsed }) => {
  if (opset >= 12) return [node];
  if (isUsed(node.outputs[1])) {
    throw new UsageError(`node ${node.name} (Dropout): expected a mask that nobody reads`);
  }
  const [inputs, outputs] = [node.inputs.slice(0, 1), node.outputs.slice(0, 1)];
  return [{ ...node, op: 'Identity', inputs, outputs, attributes: {} }];
};

const batchNormalization: Converter = (node) => {
  if (intOf(node, 'spatial', 1) !== 1) {
    throw new UsageError(
      `node ${node.name} (BatchNormalization): expected statistics per channel, received spatial 0`,
    );
  }
  return [{ ...node, attributes: without(node, 'spatial') }];
};

/** Resize before opset 11, and Upsample: positions scaled from the corner, rounded down. */
const resize: Converter = (node, { opset, constant }) => {
  if (node.op === 'Resize' && opset >= 11) return [node];
  const [x = '', input] = node.inputs;
  const { scales } = node.attributes;
  const given =
    input ??
    constant(
      {
        dtype: 'float32',
        dims: [scales?.kind === 'floats' ? scales.value.length : 0],
        data: Float32Array.from(scales?.kind === 'floats' ? scales.value : []),
      },
      `${node.name}.scales`,
    );
  return [
    {
      ...node,
      op: 'Resize',
      inputs: [x, '', given],
      attributes: {
        mode: text(stringOf(node, 'mode', 'nearest')),
        coordinate_transformation_mode: text('asymmetric'),
        nearest_mode: text('floor'),
      },
    },
  ];
};

const topK: Converter = (node, { opset, constant }) => {
  if (opset >= 10) return [node];
  const k = constant(intsTensor([intOf(node, 'k', 1)]), `${node.name}.k`);
  return [{ ...node, inputs: [node.inputs[0] as string, k], attributes: without(node, 'k') }];
};

const converters: Readonly<Record<string, Converter>> = {
  BatchNormalization: batchNormalization,
  Clip: clip,
  Dropout: dropout,
  Hardmax: softmax,
  LogSoftmax: softmax,
  Pad: pad,
  ReduceSum: listToInput('axes'),
  Resize: resize,
  Scatter: (node) => [{ ...node, op: 'ScatterElements' }],
  ScatterElements: (node) => [node],
  Slice: slice,
  Softmax: softmax,
  Split: listToInput('split'),
  Squeeze: listToInput('axes'),
  TopK: topK,
  Unsqueeze: listToInput('axes'),
  Upsample: resize,
};
