/** Losses that the user brings as a graph: the model's own output, or a graph behind the prediction. */
import { UsageError } from '../../errors.js';
import type { GraphBuilder } from '../../ir/builder.js';
import type { Graph, Node } from '../../ir/graph.js';
import { upgradeOpset } from '../../ir/pass/upgrade-opset.js';
import { appendForward, requireKnown } from '../autodiff.js';
import type { Target } from './class-target.js';
import type { AppendedLoss } from './loss.js';

/** Before the names of a loss graph's values, to keep them apart from all others. */
const PREFIX = 'own-loss/';
/** Here the reductions took their axes as an input: a graph cannot be read as one of the other side. */
const REDUCTIONS_CHANGED = 18;

/** The model's own output as the loss. */
export function appendOutputLoss(b: GraphBuilder, output: string): AppendedLoss {
  return seeded(b, output, [], 'loss output: expected a scalar float32 output of the model');
}

/**
 * A graph with the inputs `prediction` and `target` (any order) and one scalar output, put behind the
 * prediction; gradients go through it.
 */
export function appendCustomLoss(
  b: GraphBuilder,
  graph: Graph,
  prediction: string,
  target: Target,
): AppendedLoss {
  if (target.mixed !== undefined) {
    throw new UsageError('recipe.mixup: expected a loss of class numbers, received loss custom');
  }
  const { graph: loss } = upgradeOpset(graph);
  const names = loss.inputs.map(({ name }) => name).sort();
  const [output] = loss.outputs;
  if (names.join() !== 'prediction,target' || output === undefined || loss.outputs.length !== 1) {
    throw new UsageError(
      `loss ${graph.name}: expected inputs prediction and target and one output, received inputs ` +
        `${names.join(', ') || 'none'} and ${loss.outputs.length} outputs`,
    );
  }
  requireSameSide(loss, b.opset);
  requireKnown(loss.nodes);
  const actual: Readonly<Record<string, string>> = { prediction, target: target.name };
  for (const { name, dtype } of loss.inputs) {
    const received = b.typeOf(actual[name] as string).dtype;
    if (received === dtype) continue;
    throw new UsageError(
      `loss ${graph.name}: expected ${name} of ${dtype}, received ${received} from the ` +
        `${name === 'target' ? 'data' : 'model'}`,
    );
  }
  const rename = (name: string) => (name === '' ? '' : (actual[name] ?? PREFIX + name));
  for (const initializer of loss.initializers) {
    b.initializer({ ...initializer, name: rename(initializer.name), role: 'constant' });
  }
  const nodes: Node[] = [];
  for (const node of loss.nodes) {
    const renamed = {
      ...node,
      name: rename(node.name),
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    };
    nodes.push(...appendForward(b, renamed));
  }
  const wanted = `loss ${graph.name}: expected a scalar float32 output`;
  return seeded(b, rename(output.name), nodes, wanted);
}

function requireSameSide(loss: Graph, opset: number): void {
  const own = loss.opsets[''] ?? 0;
  if (own < REDUCTIONS_CHANGED === opset < REDUCTIONS_CHANGED) return;
  throw new UsageError(
    `loss ${loss.name}: expected an operator set ${opset < REDUCTIONS_CHANGED ? 'below' : 'from'} ` +
      `${REDUCTIONS_CHANGED}, as the model's (${opset}), received ${own}; export it again`,
  );
}

/** A value of one element as the loss; backpropagation begins at it with 1. */
function seeded(
  b: GraphBuilder,
  value: string,
  nodes: readonly Node[],
  wanted: string,
): AppendedLoss {
  const { dtype } = b.typeOf(value);
  const dims = b.dimsOf(value);
  if (dtype !== 'float32' || b.sizeOf(value) !== 1) {
    throw new UsageError(`${wanted}, received ${dtype} [${dims}]`);
  }
  const loss = dims.length === 0 ? value : b.op('Reshape', [value, b.ints([])], {}, 'loss.scalar');
  const one = b.constant({ dtype: 'float32', dims, data: Float32Array.of(1) }, 'one');
  return { loss, decisions: 0, nodes, seeds: new Map([[value, one]]) };
}
