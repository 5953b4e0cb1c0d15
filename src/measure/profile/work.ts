/** The work of kernels, and how near their time comes to what the device can do. */
import type { GraphCost } from '../../ir/cost.js';
import type { Graph } from '../../ir/graph.js';
import { inferTypes } from '../../ir/infer.js';
import { readsOf } from '../../ir/uses.js';
import { tensorBytes } from '../../util/tensor.js';
import type { Roofline } from '../roofline.js';
import type { EventMemory } from './events.js';
import type { KernelMap } from './fate.js';

/** Work of a kernel, and how near its time comes to what the device can do. */
export interface Work {
  /** Two for each multiply–accumulate of matrix products and convolutions; null where not known. */
  readonly flops: number | null;
  /** Bytes of its inputs, weights and outputs. */
  readonly bytes: number;
  /** `flops` ÷ `bytes`. */
  readonly intensity: number | null;
  /**
   * Time that the roofline allows ÷ time taken: the longer of arithmetic at the peak rate and bytes
   * at the peak bandwidth. Above 1 where caches hold the bytes. Null without a roofline or a time.
   */
  readonly rooflineShare: number | null;
}

/** @param roofline Null where the peaks of the device are not known. */
export function workOf(
  flops: number | null,
  bytes: number,
  { latencyUs }: { readonly latencyUs: number },
  roofline: Roofline | null,
): Work {
  const intensity = flops === null || bytes === 0 ? null : flops / bytes;
  if (roofline === null || latencyUs === 0) return { flops, bytes, intensity, rooflineShare: null };
  const arithmeticUs = (1e6 * (flops ?? 0)) / roofline.float32.perSecond;
  const memoryUs = (1e6 * bytes) / roofline.bandwidth.perSecond;
  const rooflineShare = flops === null ? null : Math.max(arithmeticUs, memoryUs) / latencyUs;
  return { flops, bytes, intensity, rooflineShare };
}

/** Work of kernels, from that of the nodes they cover. Nodes in several kernels count in equal parts. */
export class KernelSizes {
  readonly #parts = new Map<number, number>();
  readonly #unknown: ReadonlySet<string>;
  readonly #types: ReturnType<typeof inferTypes>;

  constructor(
    readonly graph: Graph,
    readonly cost: GraphCost,
    { covered }: KernelMap,
  ) {
    this.#types = inferTypes(graph);
    this.#unknown = new Set(cost.unknownOps);
    for (const nodes of covered.values()) {
      for (const i of nodes) this.#parts.set(i, (this.#parts.get(i) ?? 0) + 1);
    }
  }

  /** Null where a node's operator or shapes are not known. Kernels that cover nothing compute 0. */
  flopsOf(nodes: readonly number[]): number | null {
    if (nodes.some((i) => !this.#isKnown(i))) return null;
    return nodes.reduce(
      (sum, i) => sum + (2 * (this.cost.byNode[i]?.macs ?? 0)) / (this.#parts.get(i) ?? 1),
      0,
    );
  }

  /** What the nodes move, less the values that stay inside; else what ONNX Runtime states. */
  bytesOf(nodes: readonly number[], stated: EventMemory): number {
    if (nodes.length === 0 || nodes.some((i) => !this.#isKnown(i))) {
      return stated.inputBytes + stated.weightBytes + stated.outputBytes;
    }
    const inside = new Map(
      nodes.flatMap((i) => (this.graph.nodes[i]?.outputs ?? []).map((name) => [name, i] as const)),
    );
    let bytes = 0;
    for (const i of nodes) {
      const { bytesRead, bytesWritten } = this.cost.byNode[i] as GraphCost['byNode'][number];
      bytes += (bytesRead + bytesWritten) / (this.#parts.get(i) ?? 1);
      const reads = this.graph.nodes[i] === undefined ? [] : readsOf(this.graph.nodes[i]);
      for (const read of new Set(reads)) {
        // Written by one and read by another of the kernel's nodes: in no memory of the device.
        if (inside.has(read)) bytes -= (2 * this.#sizeOf(read)) / (this.#parts.get(i) ?? 1);
      }
    }
    return Math.max(0, bytes);
  }

  /** `unknownOps` names an operator where it is not counted in some place; there nothing is. */
  #isKnown(i: number): boolean {
    const cost = this.cost.byNode[i];
    if (cost === undefined || !this.#unknown.has(cost.op)) return true;
    return cost.bytesRead + cost.bytesWritten > 0;
  }

  #sizeOf(value: string): number {
    const type = this.#types.get(value);
    const dims = type?.shape?.filter((dim) => typeof dim === 'number') ?? [];
    return type === undefined || dims.length !== type.shape?.length
      ? 0
      : tensorBytes(type.dtype, dims);
  }
}
