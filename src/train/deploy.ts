import { UsageError } from '../errors.js';
import { type Graph, withGraph } from '../ir/graph.js';
import { removeDeadNodes } from '../ir/pass/dead-nodes.js';
import { foldBatchNorm } from '../ir/pass/fold-batch-norm.js';
import { runPasses } from '../ir/pass/pass.js';

/** What an exported model says of itself, beside its provenance. */
export interface DeployOptions {
  /** Class names by index of the logits. */
  readonly classes: readonly string[];
  /** Further metadata, such as the run and trial it came from. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A trained graph as it is shipped: batch normalisation folded into the layer before it where it can
 * be, nothing left that no output needs, and metadata that says what the output is: `output.kind`
 * (`logits`: softmax gives probabilities) and `output.classes` (JSON list). Throws `UsageError` if a
 * weight has no data.
 */
export function deployGraph(graph: Graph, options: DeployOptions): Graph {
  const bare = graph.initializers.find(({ data }) => data === undefined);
  if (bare !== undefined) {
    throw new UsageError(
      `graph ${graph.name}: expected trained weights, received none for ${bare.name}`,
    );
  }
  const { graph: folded } = runPasses(graph, [foldBatchNorm, removeDeadNodes]);
  return withGraph(folded, { metadata: { ...folded.metadata, ...labelsOf(options) } });
}

/** The metadata entries of a file with these options. */
export function labelsOf({ classes, metadata }: DeployOptions): Readonly<Record<string, string>> {
  return {
    'output.kind': 'logits',
    'output.classes': JSON.stringify(classes),
    ...metadata,
  };
}
