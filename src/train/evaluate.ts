import { UsageError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import { encodeModel } from '../ir/onnx/encode.js';
import type { HostTensor } from '../runtime/binding-types.js';
import type { TaskContext } from '../runtime/runner-protocol.js';
import { Session } from '../runtime/session.js';
import { normalizedRows, type SharedImages } from './shared-images.js';

export interface EvaluateArgs {
  /** Deployment graph with data for all weights. */
  readonly graph: Graph;
  readonly data: SharedImages;
  /** Images per run (default 256); the last run takes what is left. */
  readonly batch?: number;
  readonly threads: number;
}

export interface EvaluateResult {
  readonly correct: number;
  readonly count: number;
  /** correct / count */
  readonly accuracy: number;
  /** Mean cross-entropy, without label smoothing. */
  readonly loss: number;
  readonly seconds: number;
}

/** Scores a graph with a symbolic batch dimension on images, in inference form. */
export async function evaluateTask(
  args: EvaluateArgs,
  context: TaskContext,
): Promise<EvaluateResult> {
  const { graph, data, batch = 256 } = args;
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  if (input === undefined || output === undefined) {
    throw new UsageError(`graph ${graph.name}: expected an input and an output`);
  }
  const images = context.shared(data.images);
  const labels = context.shared(data.labels);
  const session = await Session.create(encodeModel(graph), {
    threads: args.threads,
    optimization: 'all',
    provider: 'cpu',
  });
  const started = performance.now();
  try {
    let correct = 0;
    let loss = 0;
    for (let from = 0; from < data.count; from += batch) {
      const rows = Math.min(batch, data.count - from);
      const feeds = { [input.name]: normalizedRows(data, images as Uint8Array, from, rows) };
      const logits = (await session.run(feeds, [output.name]))[output.name] as HostTensor;
      const classes = logits.data.length / rows;
      for (let row = 0; row < rows; row++) {
        const scores = logits.data.subarray(row * classes, (row + 1) * classes) as Float32Array;
        const label = Number(labels[from + row]);
        if (indexOfGreatest(scores) === label) correct++;
        loss += logSumExp(scores) - (scores[label] as number);
      }
    }
    return {
      correct,
      count: data.count,
      accuracy: correct / data.count,
      loss: loss / data.count,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    session.release();
  }
}

function indexOfGreatest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if ((values[i] as number) > (values[best] as number)) best = i;
  }
  return best;
}

function logSumExp(values: Float32Array): number {
  const peak = values[indexOfGreatest(values)] as number;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - peak);
  return peak + Math.log(sum);
}
