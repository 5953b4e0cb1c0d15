/** What a profile says: kernels, the user's nodes and operators with time, work and roofline. */
import { type GraphCost, inferCost } from '../../ir/cost.js';
import type { Graph } from '../../ir/graph.js';
import type { Roofline } from '../roofline.js';
import type { EventMemory } from './events.js';
import { type Fate, type KernelMap, mapKernels, type RuntimeGraph } from './fate.js';
import { type MarkedGraph, parseMark } from './mark.js';
import type { KernelTime } from './times.js';
import { KernelSizes, type Work, workOf } from './work.js';

/**
 * - `node`: computes nodes of the user's graph.
 * - `copy`: moves values between the memories of devices.
 * - `added`: put in by ONNX Runtime, to lay values out anew mostly.
 */
export type KernelKind = 'node' | 'copy' | 'added';

export interface KernelProfile extends Work {
  /** The user's name of the main node; else what ONNX Runtime calls it. */
  readonly name: string;
  readonly kind: KernelKind;
  /** Operators that it computes, such as `Conv+Relu`; of the runtime's own where it was added. */
  readonly op: string;
  readonly provider: string;
  /** Runs on the CPU although the device is another. */
  readonly fallback: boolean;
  /** The user's nodes that it computes, the main one first. */
  readonly nodes: readonly string[];
  /** Kernels that it stands between, where it was added or is a copy. */
  readonly between: {
    readonly after: readonly string[];
    readonly before: readonly string[];
  } | null;
  /** Estimated time in a run that is not profiled. */
  readonly latencyMs: number;
  /** Of the total. */
  readonly share: number;
  /** As recorded by the profiler on the host. */
  readonly profiledMs: number;
  /** Measured by the device's clock; null where the kernel runs on the host. */
  readonly deviceMs: number | null;
  readonly memory: EventMemory;
  /** Kernels of the bodies of If, Loop and Scan; their time is in `latencyMs`. */
  readonly body: readonly BodyKernel[];
}

/** A kernel inside a body. */
export interface BodyKernel {
  readonly name: string;
  readonly op: string;
  readonly provider: string;
  readonly latencyMs: number;
  readonly deviceMs: number | null;
  readonly body: readonly BodyKernel[];
}

/** What became of a node of the user's graph. */
export interface NodeProfile {
  readonly name: string;
  readonly op: string;
  readonly fate: Fate;
  /** Main nodes of the kernels that compute it. */
  readonly kernels: readonly string[];
  /** Time of the kernels whose main part it is. */
  readonly latencyMs: number;
  readonly flops: number | null;
}

/** Kernels with the same operators together. */
export interface OpProfile extends Work {
  readonly op: string;
  readonly kind: KernelKind;
  readonly count: number;
  readonly latencyMs: number;
  readonly share: number;
}

export interface ProfileReport {
  readonly kernels: readonly KernelProfile[];
  readonly nodes: readonly NodeProfile[];
  readonly byOp: readonly OpProfile[];
}

const copies: ReadonlySet<string> = new Set(['MemcpyToHost', 'MemcpyFromHost']);
const HOST = 'CPUExecutionProvider';

export interface ReportInput {
  /** The user's graph with the shape of every input fixed. */
  readonly graph: Graph;
  /** The user's graph under marked names. */
  readonly marked: MarkedGraph;
  /** Undefined where it was not written. */
  readonly runtime: RuntimeGraph | undefined;
  readonly kernels: readonly KernelTime[];
  /** Time of the run beside the kernels, microseconds. */
  readonly restUs: number;
  readonly onHost: boolean;
  readonly roofline: Roofline | null;
}

export function createReport(input: ReportInput): ProfileReport {
  const { graph, marked, kernels, roofline } = input;
  const cost = inferCost(graph);
  const runtime = input.runtime ?? { nodes: kernels.map(nameOnly), stored: [] };
  const map = mapKernels(marked.graph, runtime, (i) => {
    const { macs, bytesRead, bytesWritten } = cost.byNode[i] as GraphCost['byNode'][number];
    // Inputs decide where no sizes are known: what has weights is the main part.
    return 2 * macs + bytesRead + bytesWritten + (graph.nodes[i]?.inputs.length ?? 0);
  });
  const sizes = new KernelSizes(graph, cost, map);
  const totalUs = kernels.reduce((sum, { latencyUs }) => sum + latencyUs, input.restUs);
  const nameOf = (kernel: string): string => {
    const main = map.covered.get(kernel)?.[0];
    return main === undefined ? kernel : (graph.nodes[main]?.name ?? kernel);
  };
  const profiles = kernels.map((kernel): KernelProfile => {
    const covered = map.covered.get(kernel.name) ?? [];
    const kind = copies.has(kernel.op) ? 'copy' : covered.length > 0 ? 'node' : 'added';
    return {
      name: nameOf(kernel.name),
      kind,
      op: kind === 'node' ? joinOps(graph, covered) : kernel.op,
      provider: kernel.provider,
      fallback: !input.onHost && kernel.provider === HOST,
      nodes: covered.map((i) => graph.nodes[i]?.name ?? ''),
      between: kind === 'node' ? null : findNeighbours(runtime, kernel.name, nameOf),
      latencyMs: kernel.latencyUs / 1e3,
      share: totalUs > 0 ? kernel.latencyUs / totalUs : 0,
      profiledMs: kernel.profiledUs / 1e3,
      deviceMs: kernel.deviceUs === null ? null : kernel.deviceUs / 1e3,
      ...workOf(sizes.flopsOf(covered), sizes.bytesOf(covered, kernel.memory), kernel, roofline),
      memory: kernel.memory,
      body: kernel.body.map((inner) => describeInner(inner, marked)),
    };
  });
  return {
    kernels: profiles,
    nodes: describeNodes(graph, map, kernels, sizes, nameOf),
    byOp: groupByOp(profiles, roofline),
  };
}

function nameOnly({ name, op }: KernelTime) {
  return { name, op, inputs: [], outputs: [] };
}

/** The operators of the nodes in their order, each once: `Conv+Add+Relu`. */
function joinOps(graph: Graph, covered: readonly number[]): string {
  const ops = covered.toSorted((a, b) => a - b).map((i) => graph.nodes[i]?.op ?? '');
  return [...new Set(ops)].join('+');
}

function findNeighbours(
  { nodes }: RuntimeGraph,
  kernel: string,
  nameOf: (kernel: string) => string,
): KernelProfile['between'] {
  const own = nodes.find(({ name }) => name === kernel);
  if (own === undefined) return { after: [], before: [] };
  const after = nodes.filter(({ outputs }) => outputs.some((name) => own.inputs.includes(name)));
  const before = nodes.filter(({ inputs }) => inputs.some((name) => own.outputs.includes(name)));
  const names = (list: typeof nodes) => list.map(({ name }) => nameOf(name));
  return { after: names(after), before: names(before) };
}

function describeInner(kernel: KernelTime, marked: MarkedGraph): BodyKernel {
  const mark = parseMark(kernel.name);
  const node = mark?.inner === undefined ? undefined : marked.inner.get(mark.node)?.[mark.inner];
  return {
    name: node?.name ?? kernel.name,
    op: kernel.op,
    provider: kernel.provider,
    latencyMs: kernel.latencyUs / 1e3,
    deviceMs: kernel.deviceUs === null ? null : kernel.deviceUs / 1e3,
    body: kernel.body.map((inner) => describeInner(inner, marked)),
  };
}

function describeNodes(
  graph: Graph,
  { covered, fates }: KernelMap,
  kernels: readonly KernelTime[],
  sizes: KernelSizes,
  nameOf: (kernel: string) => string,
): NodeProfile[] {
  const times = new Map(kernels.map(({ name, latencyUs }) => [name, latencyUs]));
  const by = graph.nodes.map((): string[] => []);
  const latencyUs = new Float64Array(graph.nodes.length);
  for (const [kernel, nodes] of covered) {
    for (const i of nodes) by[i]?.push(nameOf(kernel));
    const [main] = nodes;
    if (main !== undefined)
      latencyUs[main] = (latencyUs[main] as number) + (times.get(kernel) ?? 0);
  }
  return graph.nodes.map(({ name, op }, i) => ({
    name,
    op,
    fate: fates[i] as Fate,
    kernels: [...new Set(by[i])],
    latencyMs: (latencyUs[i] as number) / 1e3,
    flops: sizes.flopsOf([i]),
  }));
}

function groupByOp(kernels: readonly KernelProfile[], roofline: Roofline | null): OpProfile[] {
  const groups = new Map<string, KernelProfile[]>();
  for (const kernel of kernels) {
    const key = `${kernel.kind} ${kernel.op}`;
    groups.set(key, [...(groups.get(key) ?? []), kernel]);
  }
  return [...groups.values()]
    .map((group): OpProfile => {
      const sum = (pick: (kernel: KernelProfile) => number) =>
        group.reduce((total, kernel) => total + pick(kernel), 0);
      const { op, kind } = group[0] as KernelProfile;
      const flops = group.some((kernel) => kernel.flops === null) ? null : sum((k) => k.flops ?? 0);
      const latencyMs = sum((kernel) => kernel.latencyMs);
      const bytes = sum((kernel) => kernel.bytes);
      return {
        op,
        kind,
        count: group.length,
        latencyMs,
        share: sum(({ share }) => share),
        ...workOf(flops, bytes, { latencyUs: 1e3 * latencyMs }, roofline),
      };
    })
    .sort((a, b) => b.latencyMs - a.latencyMs);
}
