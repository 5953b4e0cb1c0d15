/**
 * Candidates that are no point of the space but a graph of their own, as text in the ONNX syntax:
 * `{ "graph": "<ir_version: 8, …" }`. Only the computation counts: weights are drawn by the evaluator,
 * as everybody's, so their data is dropped before anything looks at it.
 */
import { UsageError } from '../errors.js';
import { type Graph, type ValueInfo, withGraph } from '../ir/graph.js';
import { decodeModel } from '../ir/onnx/decode.js';
import { upgradeOpset } from '../ir/pass/upgrade-opset.js';
import { parseGraph } from '../ir/text/parse.js';
import { printGraph } from '../ir/text/print.js';
import { verify } from '../ir/verify.js';
import type { TaskShape } from '../space/space.js';
import type { Json } from '../trial/trial.js';

/** Longest text; a net of a thousand nodes has about 100 kB. */
export const MAX_GRAPH_TEXT = 512 * 1024;

/** The text of a foreign graph, or undefined for JSON of any other form. */
export function foreignTextOf(architecture: Json): string | undefined {
  if (typeof architecture !== 'object' || architecture === null) return undefined;
  const entries = Object.entries(architecture);
  const [key, text] = entries[0] ?? [];
  return entries.length === 1 && key === 'graph' && typeof text === 'string' ? text : undefined;
}

/** The architecture that stands for the graph of an ONNX file. Throws `UsageError` for what is none. */
export function foreignOfModel(bytes: Uint8Array, task: TaskShape): Json {
  return { graph: printGraph(fitting(decodeModel(bytes, 'the ONNX graph'), task)) };
}

/** The graph of a foreign text; throws `UsageError` unless it takes and gives what the task does. */
export function parseForeign(text: string, task: TaskShape): Graph {
  if (text.length > MAX_GRAPH_TEXT) {
    throw new UsageError(
      `graph: expected at most ${MAX_GRAPH_TEXT} characters, received ${text.length}`,
    );
  }
  return fitting(parseGraph(text), task);
}

function fitting(foreign: Graph, task: TaskShape): Graph {
  const { graph } = upgradeOpset(withGraph(foreign, { name: 'foreign', metadata: {} }));
  const { channels, height, width, classes } = task;
  requireValues('input', graph.inputs, 'image', ['N', channels, height, width]);
  requireValues('output', graph.outputs, 'logits', ['N', classes]);
  const bare = withGraph(graph, {
    initializers: graph.initializers.map((one) => {
      const { data: _, ...rest } = one;
      return one.role === 'constant' ? one : rest;
    }),
  });
  verify(bare);
  return bare;
}

function requireValues(
  what: string,
  values: readonly ValueInfo[],
  name: string,
  shape: readonly (string | number)[],
): void {
  const wanted = `${name} float32[${shape.join(', ')}]`;
  const received = values.map((v) => `${v.name} ${v.dtype}[${v.shape?.join(', ') ?? ''}]`);
  if (received.join('; ') === wanted) return;
  throw new UsageError(
    `graph: expected the one ${what} ${wanted}, received ${received.join('; ') || 'none'}`,
  );
}
