import { UsageError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import { encodeModel } from '../ir/onnx/encode.js';
import type { HostTensor } from '../runtime/binding-types.js';
import type { TaskContext } from '../runtime/runner-protocol.js';
import { Session } from '../runtime/session.js';
import { readRows, type SharedColumn } from './column.js';
import type { LossSpec } from './loss/loss.js';
import { type Score, scoreBatch } from './loss/score.js';
import { rowsOf, type SharedData } from './shared-rows.js';

export interface EvaluateArgs {
  /** Graph with data for all weights and a free batch; its one output is the prediction, or the loss. */
  readonly graph: Graph;
  readonly data: SharedData;
  /** Rows per run (default 256); the last run takes what is left. */
  readonly batch?: number;
  readonly threads: number;
  /** Default: cross-entropy. */
  readonly loss?: LossSpec;
}

export interface EvaluateResult {
  /** Mean loss, without label smoothing. */
  readonly loss: number;
  /** Rows. */
  readonly count: number;
  /** Right decisions; absent, like `accuracy`, where the targets are no decisions. */
  readonly correct?: number;
  /** Share of right decisions. */
  readonly accuracy?: number;
  readonly seconds: number;
}

/** The result where targets are classes. */
export type ClassificationResult = Required<EvaluateResult>;

const plainCrossEntropy: LossSpec = { loss: 'cross-entropy', labelSmoothing: 0, huberDelta: 1 };

/** Scores a graph on rows, in inference form. */
export async function evaluateTask(
  { graph, data, batch = 256, threads, loss: spec = plainCrossEntropy }: EvaluateArgs,
  context: TaskContext,
): Promise<EvaluateResult> {
  const [output] = graph.outputs;
  if (output === undefined) throw new UsageError(`graph ${graph.name}: expected an output`);
  const rows = rowsOf(data, graph);
  const load = (one: Graph) =>
    Session.create(encodeModel(one), { threads, optimization: 'all', provider: 'cpu' });
  const session = await load(graph);
  const judge = spec.graph && (await load(spec.graph));
  const started = performance.now();
  try {
    let [loss, correct, decisions] = [0, 0, 0];
    for (let from = 0; from < rows.count; from += batch) {
      const count = Math.min(batch, rows.count - from);
      const read = (column: SharedColumn) =>
        readRows(column, context.shared(column.array), from, count);
      const feeds = Object.fromEntries(rows.inputs.map((one) => [one.name, read(one)]));
      const prediction = (await session.run(feeds, [output.name]))[output.name] as HostTensor;
      const target = rows.target && read(rows.target);
      const score = await scoreOf(spec, prediction, target, judge);
      loss += score.loss * count;
      correct += score.correct;
      decisions += score.decisions;
    }
    return {
      count: rows.count,
      loss: loss / rows.count,
      ...(decisions > 0 && { correct, accuracy: correct / decisions }),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    session.release();
    judge?.release();
  }
}

async function scoreOf(
  spec: LossSpec,
  prediction: HostTensor,
  target: HostTensor | undefined,
  judge: Session | undefined,
): Promise<Score> {
  const scalar = (tensor: HostTensor): Score => ({
    loss: Number(tensor.data[0]),
    correct: 0,
    decisions: 0,
  });
  if (spec.loss === 'output') return scalar(prediction);
  if (target === undefined) {
    throw new UsageError(`loss ${spec.loss}: expected targets in the data, received none`);
  }
  if (judge === undefined) return scoreBatch(spec, prediction, target);
  const results = await judge.run({ prediction, target });
  return scalar(Object.values(results)[0] as HostTensor);
}
