/**
 * Static int8 quantisation in QDQ form: QuantizeLinear and DequantizeLinear around the nodes of the
 * plan (`quantize-plan.ts`), which a runtime fuses into integer kernels and any other runs as it
 * stands. Activations uint8 with one scale, weights int8 with one scale per output channel, biases
 * int32 with scale(input) · scale(weight). Source: ONNX QuantizeLinear-13, DequantizeLinear-13.
 */
import { UsageError } from '../../errors.js';
import type { HostTensor } from '../../util/tensor.js';
import { createAttributes } from '../attributes.js';
import { type Graph, type Initializer, type Node, withGraph } from '../graph.js';
import type { OpName } from '../op-schema.js';
import { removeDeadNodes } from './dead-nodes.js';
import { freshNamer } from './fresh-names.js';
import {
  type ActivationScale,
  activationScale,
  quantizeWeight,
  type ValueRange,
} from './quantize-numbers.js';
import { type Core, planQuantization, type QuantizationPlan } from './quantize-plan.js';
import { UPGRADED_OPSET } from './upgrade-opset.js';

export interface QuantizationOptions {
  /** Largest magnitude of a stored weight: 127 (default), or 63; see `quantizeWeight`. */
  readonly weightLimit?: number;
}

export interface QuantizationResult {
  readonly graph: Graph;
  readonly changed: boolean;
  /** Names of the nodes that compute in int8, or vanish in the range of one that does. */
  readonly quantized: readonly string[];
}

/**
 * The graph with every node of its plan quantised by `ranges` (`rangesNeeded` names them). Throws
 * `UsageError` where the graph is quantised already, its opset is older than 13, or a range is missing.
 */
export function insertQuantization(
  graph: Graph,
  ranges: ReadonlyMap<string, ValueRange>,
  options: QuantizationOptions = {},
): QuantizationResult {
  if ((graph.opsets[''] ?? 0) < UPGRADED_OPSET) {
    throw new UsageError(
      `graph ${graph.name}: expected opset ${UPGRADED_OPSET} or newer to quantise, received ${graph.opsets['']}`,
    );
  }
  const present = graph.nodes.find(isQuantized);
  if (present !== undefined) {
    throw new UsageError(
      `graph ${graph.name}: expected a float model to quantise, received one with node ${present.name} (${present.op})`,
    );
  }
  const plan = planQuantization(graph);
  if (plan.cores.size === 0) return { graph, changed: false, quantized: [] };
  const rewrite = new Rewrite(graph, plan, ranges, options.weightLimit ?? 127);
  const nodes = [...plan.cores.keys(), ...plan.others, ...plan.absorbed];
  const quantized = nodes.map(({ name }) => name);
  return { graph: removeDeadNodes(rewrite.run()).graph, changed: true, quantized };
}

/** Whether the node is one of a quantised model. */
export function isQuantized({ op }: Node): boolean {
  return /^(Dynamic)?QuantizeLinear$|^DequantizeLinear$|^QLinear|^QGemm$|Integer(ToFloat)?$/.test(
    op,
  );
}

class Rewrite {
  readonly #fresh: (hint: string) => string;
  readonly #scales = new Map<string, ActivationScale>();
  readonly #parameters = new Map<string, readonly [string, string]>();
  readonly #initializers: Initializer[];
  readonly #nodes: Node[] = [];
  /** Zero points of weights, by how many. */
  readonly #zeros = new Map<number, string>();
  /** What a core reads instead of a borrowed value. */
  readonly #dequantized = new Map<string, string>();

  constructor(
    private readonly graph: Graph,
    private readonly plan: QuantizationPlan,
    private readonly ranges: ReadonlyMap<string, ValueRange>,
    private readonly weightLimit: number,
  ) {
    this.#fresh = freshNamer(graph);
    this.#initializers = [...graph.initializers];
  }

  run(): Graph {
    for (const node of this.graph.nodes) {
      const core = this.plan.cores.get(node);
      const made = node.outputs.filter((name) => this.plan.owned.has(name));
      const renamed = new Map(made.map((name) => [name, this.#fresh(`${name}.float`)]));
      this.#nodes.push({
        ...node,
        inputs: core === undefined ? node.inputs : this.#coreInputs(node, core),
        outputs: node.outputs.map((name) => renamed.get(name) ?? name),
      });
      for (const [name, raw] of renamed) this.#roundTrip(raw, name, name);
    }
    return withGraph(this.graph, { nodes: this.#nodes, initializers: this.#initializers });
  }

  #coreInputs(node: Node, { weight, bias, axis }: Core): string[] {
    const [x = ''] = node.inputs;
    const { scale } = this.#scaleOf(x);
    const { dims } = weight;
    const tensors = quantizeWeight(
      { dims, data: weight.data as Float32Array, axis },
      bias?.data as Float32Array | undefined,
      scale,
      this.weightLimit,
    );
    const channels = [tensors.scales.length];
    const read = [
      this.#input(x),
      this.#stored(
        `${node.name}.weight`,
        { dtype: 'int8', dims, data: tensors.data },
        tensors.scales,
        axis,
        this.#zeroPoints(tensors.scales.length),
      ),
    ];
    if (tensors.bias === undefined) return read;
    const int32: HostTensor = { dtype: 'int32', dims: channels, data: tensors.bias };
    return [...read, this.#stored(`${node.name}.bias`, int32, tensors.biasScales, 0)];
  }

  /** The value as cores read it: out of its own DequantizeLinear. */
  #input(name: string): string {
    if (this.plan.owned.has(name)) return name;
    const known = this.#dequantized.get(name);
    if (known !== undefined) return known;
    const output = this.#fresh(`${name}.dq`);
    this.#dequantized.set(name, output);
    this.#roundTrip(name, output, name);
    return output;
  }

  /** `from` through QuantizeLinear and DequantizeLinear to `to`, by the scale of `value`. */
  #roundTrip(from: string, to: string, value: string): void {
    const root = this.plan.owned.get(value) ?? value;
    let parameters = this.#parameters.get(root);
    if (parameters === undefined) {
      const { scale, zeroPoint } = this.#scaleOf(value);
      parameters = [
        this.#constant(`${root}.scale`, {
          dtype: 'float32',
          dims: [],
          data: Float32Array.of(scale),
        }),
        this.#constant(`${root}.zero`, {
          dtype: 'uint8',
          dims: [],
          data: Uint8Array.of(zeroPoint),
        }),
      ];
      this.#parameters.set(root, parameters);
    }
    const quantized = this.#fresh(`${value}.q`);
    this.#add('QuantizeLinear', [from, ...parameters], quantized, {});
    const name = this.#fresh(`${to}.dq`);
    this.#add('DequantizeLinear', [quantized, ...parameters], to, {}, name);
  }

  #stored(
    name: string,
    tensor: HostTensor,
    scales: Float32Array,
    axis: number,
    zeroPoints?: string,
  ): string {
    const inputs = [
      this.#constant(`${name}.q`, tensor),
      this.#constant(`${name}.scale`, { dtype: 'float32', dims: [scales.length], data: scales }),
      ...(zeroPoints === undefined ? [] : [zeroPoints]),
    ];
    return this.#add('DequantizeLinear', inputs, this.#fresh(`${name}.dq`), { axis });
  }

  /** As many int8 zeros, stored once. */
  #zeroPoints(count: number): string {
    const known = this.#zeros.get(count);
    if (known !== undefined) return known;
    const tensor: HostTensor = { dtype: 'int8', dims: [count], data: new Int8Array(count) };
    const name = this.#constant(`zeros${count}`, tensor);
    this.#zeros.set(count, name);
    return name;
  }

  #scaleOf(value: string): ActivationScale {
    const root = this.plan.owned.get(value) ?? value;
    const known = this.#scales.get(root);
    if (known !== undefined) return known;
    const range = this.ranges.get(root);
    if (range === undefined || !Number.isFinite(range.max - range.min)) {
      throw new UsageError(
        `graph ${this.graph.name}: expected a finite range of value ${root}, received ${range === undefined ? 'none' : `${range.min} to ${range.max}`}`,
      );
    }
    const scale = activationScale(range);
    this.#scales.set(root, scale);
    return scale;
  }

  #constant(hint: string, tensor: HostTensor): string {
    const name = this.#fresh(hint);
    this.#initializers.push({ ...tensor, name, role: 'constant' });
    return name;
  }

  #add(
    op: OpName,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, number>>,
    name = output,
  ): string {
    const node = { name, op, domain: '', inputs, outputs: [output] };
    this.#nodes.push({ ...node, attributes: createAttributes(op, attributes) });
    return output;
  }
}
