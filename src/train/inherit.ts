/**
 * A child takes over what its parent had learned. Nodes of the two graphs are aligned, channels are
 * followed through both, and each weight of the child comes from its counterpart: wider layers repeat
 * units (Net2Net, arXiv 1511.05641), new layers begin as identities, larger kernels as the old one in
 * zeros (network morphism, arXiv 1603.01670; LEMONADE, arXiv 1804.09081). Where that gives the parent's
 * outputs it is said, and holds to rounding; else as much as has a counterpart is taken over, and the
 * rest stays as it was drawn.
 *
 * Batch norms compute the same in inference form; while training they go by the batch.
 */
import { InternalError } from '../errors.js';
import { type Graph, type InitializerRole, withData } from '../ir/graph.js';
import type { Rng } from '../util/random.js';
import { elementCount } from '../util/tensor.js';
import { alignNodes } from './inherit/align.js';
import { planInsertions } from './inherit/insertion.js';
import { ChannelMap } from './inherit/mapping.js';
import { withNormsOf } from './inherit/norms.js';
import { traceChannels } from './inherit/trace.js';
import { INHERITANCE_KINDS, type InheritanceKind, Transfer } from './inherit/transfer.js';

export { INHERITANCE_KINDS, type InheritanceKind } from './inherit/transfer.js';

/** What became of one weight or running statistic of the child. */
export interface InheritedTensor {
  readonly name: string;
  readonly role: InitializerRole;
  readonly kind: InheritanceKind;
  readonly elements: number;
  /** Elements whose value came from the parent. */
  readonly taken: number;
}

export interface Inheritance {
  /** The child with data for all weights and states. */
  readonly graph: Graph;
  readonly tensors: readonly InheritedTensor[];
  /** Share of the child's weights (not of its running statistics) that came from the parent, 0 … 1. */
  readonly share: number;
  /** Whether the child computes what its parent does, up to rounding. */
  readonly isPreserved: boolean;
}

/** What a record says of an inheritance: numbers of tensors by kind. */
export type InheritanceSummary = Readonly<Record<InheritanceKind, number>> & {
  readonly share: number;
  readonly preserved: boolean;
};

/**
 * @param trained the parent, with data for all weights and states.
 * @param child with drawn data for all weights and states, of role and type float32.
 * @param rng for which channels are repeated, and the shares of the repeated.
 */
export function inheritWeights(trained: Graph, child: Graph, rng: Rng): Inheritance {
  for (const { name, data } of [...trained.initializers, ...child.initializers]) {
    if (data === undefined) throw new InternalError(`inheritance: ${name} has no data`);
  }
  const parent = withNormsOf(trained, child);
  const pairs = alignNodes(child, parent);
  const channels = { child: traceChannels(child), parent: traceChannels(parent) };
  const map = new ChannelMap({ child, parent }, channels, pairs, rng.fork('channels'));
  const plan = planInsertions(child, pairs);
  const parts = { child, parent, channels, pairs, map, plan, rng: rng.fork('shares') };
  const transfer = new Transfer(parts);
  const tensors = child.initializers
    .filter(({ role }) => role !== 'constant')
    .map(({ name, role, dims }): InheritedTensor => {
      const { kind = 'drawn', taken = 0 } = transfer.tensors.get(name) ?? {};
      return { name, role, kind, elements: elementCount(dims), taken };
    });
  const weights = tensors.filter(({ role }) => role === 'weight');
  const sum = (count: (tensor: InheritedTensor) => number): number =>
    weights.reduce((total, tensor) => total + count(tensor), 0);
  return {
    graph: withData(child, new Map([...transfer.tensors].map(([name, { data }]) => [name, data]))),
    tensors,
    share:
      sum(({ taken }) => taken) /
      Math.max(
        1,
        sum(({ elements }) => elements),
      ),
    isPreserved: transfer.isPreserved,
  };
}

/** The inheritance as a record keeps it. */
export function summarizeInheritance({
  tensors,
  share,
  isPreserved,
}: Inheritance): InheritanceSummary {
  const counts = INHERITANCE_KINDS.map(
    (kind) => [kind, tensors.filter((tensor) => tensor.kind === kind).length] as const,
  );
  return {
    ...(Object.fromEntries(counts) as Record<InheritanceKind, number>),
    share,
    preserved: isPreserved,
  };
}
