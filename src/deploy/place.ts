/** Where the nodes of a model really run on a device. */
import type { Device } from '../device/device.js';
import { isWorkFailure } from '../device/run.js';
import { errorMessage } from '../errors.js';
import { type GraphCost, inferCost } from '../ir/cost.js';
import type { Graph } from '../ir/graph.js';
import type { ResolvedInputs } from '../measure/dims.js';
import { type Fate, mapKernels } from '../measure/profile/fate.js';
import { withProfileFolder } from '../measure/profile/files.js';
import { markGraph } from '../measure/profile/mark.js';
import { nameModel, readRuntimeGraph } from '../measure/profile.js';
import type { PlaceArgs, PlaceResult } from './place-task.js';

/** What became of one node of the user's graph. */
export interface PlacedNode {
  readonly name: string;
  readonly op: string;
  /** See `Fate`. */
  readonly fate: Fate;
  /** Execution provider of the kernel that computes it; null for what no kernel computes. */
  readonly provider: string | null;
}

export type Placement =
  | { readonly device: string; readonly runs: false; readonly reason: string }
  | {
      readonly device: string;
      readonly runs: true;
      readonly nodes: readonly PlacedNode[];
      /** Kernels by execution provider. */
      readonly kernels: Readonly<Record<string, number>>;
      /** Nodes that run on the CPU although the device is another. */
      readonly fallbacks: readonly { readonly name: string; readonly op: string }[];
      /** Kernels that move values between the memories of devices. */
      readonly copies: number;
    };

const CPU = 'CPUExecutionProvider';
const copying: ReadonlySet<string> = new Set(['MemcpyToHost', 'MemcpyFromHost']);
/** Loading and one run take no longer on any device that works. */
const TIMEOUT_MS = 300_000;

/**
 * Loads `model` (the file that `graph` was decoded from) on the device, runs it once under the
 * profiler and says which execution provider computed each node. Takes the device's lease. A model
 * that the device refuses or dies of is an answer; rejects for faults of our own.
 */
export async function placeNodes(
  device: Device,
  model: Uint8Array,
  graph: Graph,
  inputs: ResolvedInputs,
): Promise<Placement> {
  const marked = markGraph(graph).graph;
  try {
    const result = await withProfileFolder((folder) => {
      const args: PlaceArgs = {
        model: nameModel(model, marked, inputs.graph),
        dims: inputs.dims,
        session: device.sessionOptions(),
        folder,
      };
      const module = new URL('place-task.js', import.meta.url).href;
      const task = { module, name: 'placeTask', args };
      return device.lease(() => device.runner.call<PlaceResult>(task, { timeoutMs: TIMEOUT_MS }));
    });
    return describe(device, inputs.graph, marked, result);
  } catch (error) {
    // What ONNX Runtime refuses is an error of ours by name; anything else is a fault.
    const refused = isWorkFailure(error) && /^(Archwright|Runner|Usage)Error$/.test(error.name);
    if (!refused) throw error;
    return { device: device.id, runs: false, reason: errorMessage(error) };
  }
}

function describe(
  device: Device,
  graph: Graph,
  marked: Graph,
  { kernels, runtimeModel }: PlaceResult,
): Placement {
  const runtime = readRuntimeGraph(runtimeModel) ?? {
    nodes: kernels.map(({ name, op }) => ({ name, op, inputs: [], outputs: [] })),
    stored: [],
  };
  const { byNode } = inferCost(graph);
  const { covered, fates } = mapKernels(marked, runtime, (i) => {
    const { macs, bytesRead, bytesWritten } = byNode[i] as GraphCost['byNode'][number];
    return 2 * macs + bytesRead + bytesWritten;
  });
  const providers = new Map<number, string>();
  const counts: Record<string, number> = {};
  for (const { name, provider } of kernels) {
    counts[provider] = (counts[provider] ?? 0) + 1;
    for (const i of covered.get(name) ?? []) providers.set(i, provider);
  }
  const nodes = graph.nodes.map(({ name, op }, i): PlacedNode => {
    return { name, op, fate: fates[i] as Fate, provider: providers.get(i) ?? null };
  });
  const onHost = device.provider === 'cpu';
  const fallbacks = onHost ? [] : nodes.filter(({ provider }) => provider === CPU);
  return {
    device: device.id,
    runs: true,
    nodes,
    kernels: counts,
    fallbacks: fallbacks.map(({ name, op }) => ({ name, op })),
    copies: kernels.filter(({ op }) => copying.has(op)).length,
  };
}
