/**
 * What the short training of a trial starts from when its parents' weights are inherited
 * (`train.inherit`). Parents are trials that have ended, and their weights lie in the run folder, so a
 * resumed run inherits the same.
 *
 * Inheritance makes the short score of a child the fruit of more training than that of a trial without
 * parents. It may choose who is trained longer, and whom evolution breeds from; it must not be what
 * trials, arms and human designs are ranked by. So the stage `extend` of a trial that inherited starts
 * from scratch with the full recipe, as if nothing had been inherited: scores of complete trials are
 * bit for bit those of a run without inheritance. That costs a short training more for each promoted
 * child. And inherited short scores tell children apart less well than short scores from scratch do
 * (rank correlation with long training 0.57 against 0.89, benchmarks/results/inheritance.md): they
 * favour what is near its parent. Both are why it is off by default.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Graph } from '../ir/graph.js';
import { decodeModel } from '../ir/onnx/decode.js';
import {
  type Inheritance,
  type InheritanceSummary,
  inheritWeights,
  summarizeInheritance,
} from '../train/inherit.js';
import { drawWeights } from '../train/initialize.js';
import { Rng } from '../util/random.js';
import { artifactOf, type StageCall } from './evaluate.js';

/** What the record of the stage `train` says under `inherited`. */
export type InheritanceRecord = InheritanceSummary & {
  /** Id of the trial that the weights came from. */
  readonly from: number;
};

export interface InheritedStart {
  /** The candidate's graph with data for all weights and states. */
  readonly graph: Graph;
  readonly record: InheritanceRecord;
}

/**
 * The candidate's graph with the weights of the parent that has most to give, the first of equals;
 * `undefined` where no parent was trained.
 * @param seed that the candidate's own weights are drawn from where nothing is inherited.
 */
export async function inheritFromParents(
  runDir: string,
  graph: Graph,
  { parents }: StageCall,
  seed: string,
): Promise<InheritedStart | undefined> {
  let best: { readonly from: number; readonly inheritance: Inheritance } | undefined;
  const drawn = drawWeights(graph, new Rng(seed).fork('weights'));
  for (const { id, history } of parents) {
    const path =
      artifactOf(history, 'extend', 'weights') ?? artifactOf(history, 'train', 'weights');
    if (path === undefined) continue;
    const parent = decodeModel(await readFile(join(runDir, path)), path);
    const inheritance = inheritWeights(parent, drawn, new Rng(seed).fork('inherit'));
    if (best === undefined || inheritance.share > best.inheritance.share) {
      best = { from: id, inheritance };
    }
  }
  if (best === undefined) return undefined;
  const { from, inheritance } = best;
  return { graph: inheritance.graph, record: { from, ...summarizeInheritance(inheritance) } };
}
