/**
 * Which channel of the parent each channel of the child continues. Where the child has more, some of
 * the parent's are continued twice (Net2WiderNet, arXiv 1511.05641), as evenly as the numbers allow;
 * where it has fewer, the last ones end.
 */
import type { Graph, Node } from '../../ir/graph.js';
import type { Rng } from '../../util/random.js';
import { elementCount } from '../../util/tensor.js';
import type { Pairs } from './align.js';
import { type AxisLabel, type Channels, lengthOf, type Segment } from './channels.js';

/** Entry of a map for what the parent does not have. */
export const NONE = -1;

interface GroupMap {
  /** The parent's group. */
  readonly group: number;
  /** Channels of the parent's group. */
  readonly count: number;
  /** Channel of the child → channel of the parent, or `NONE`. */
  readonly from: Int32Array;
}

/** Outputs are pinned to the parent's by votes that no number of nodes outweighs. */
const PINNED = 1e6;

export class ChannelMap {
  readonly #maps = new Map<number, GroupMap>();
  readonly #child: Channels;
  readonly #parent: Channels;
  readonly #rng: Rng;

  constructor(
    graphs: { readonly child: Graph; readonly parent: Graph },
    channels: { readonly child: Channels; readonly parent: Channels },
    pairs: Pairs,
    rng: Rng,
  ) {
    this.#child = channels.child;
    this.#parent = channels.parent;
    this.#rng = rng;
    this.#matchGroups(graphs, pairs);
    for (const node of graphs.child.nodes) if (!pairs.has(node)) this.#continueInto(node);
  }

  /** Entry of a child's axis → entry of the parent's; `undefined` where they count different things. */
  axis(child: AxisLabel, parent: AxisLabel): Int32Array | undefined {
    if (child === undefined || parent === undefined || child.length !== parent.length) {
      return undefined;
    }
    const result = new Int32Array(lengthOf(child));
    let [at, base] = [0, 0];
    for (const [i, { group, size, inner }] of child.entries()) {
      const other = parent[i] as Segment;
      const map = this.#maps.get(group);
      if (map === undefined || map.group !== other.group || inner !== other.inner) return undefined;
      for (let channel = 0; channel < size; channel++) {
        const from = map.from[channel] as number;
        for (let k = 0; k < inner; k++) {
          result[at++] = from === NONE ? NONE : base + from * inner + k;
        }
      }
      base += other.size * inner;
    }
    return result;
  }

  /** The parent's group of a child's axis of single channels, with the map into it. */
  single(label: AxisLabel): GroupMap | undefined {
    const [segment, ...others] = label ?? [];
    if (segment === undefined || segment.inner !== 1 || others.length > 0) return undefined;
    return this.#maps.get(segment.group);
  }

  /** Groups of the child belong to those groups of the parent that most paired values say. */
  #matchGroups({ child, parent }: { readonly child: Graph; readonly parent: Graph }, pairs: Pairs) {
    const votes = new Map<number, { readonly size: number; readonly for: Map<number, number> }>();
    const sizes = new Map<number, number>();
    const vote = (value: string, other: string, weight: number) => {
      const labels = this.#parent.of(other);
      this.#child.of(value).forEach((label, axis) => {
        const theirs = labels[axis];
        if (label === undefined || theirs === undefined || label.length !== theirs.length) return;
        label.forEach(({ group, size }, i) => {
          const { group: target, size: targetSize } = theirs[i] as Segment;
          sizes.set(target, targetSize);
          const ballot = votes.get(group) ?? { size, for: new Map<number, number>() };
          ballot.for.set(target, (ballot.for.get(target) ?? 0) + weight);
          votes.set(group, ballot);
        });
      });
    };
    for (const [i, { name }] of child.inputs.entries()) {
      vote(name, parent.inputs[i]?.name ?? '', PINNED);
    }
    for (const [i, { name }] of child.outputs.entries()) {
      vote(name, parent.outputs[i]?.name ?? '', PINNED);
    }
    const weights = new Map(child.initializers.map(({ name, dims }) => [name, elementCount(dims)]));
    for (const [node, other] of pairs) {
      // Layers speak louder than what merely hands their channels on.
      const weight = node.inputs.some((name) => (weights.get(name) ?? 0) > 1) ? 2 : 1;
      for (const [i, name] of node.outputs.entries()) vote(name, other.outputs[i] ?? '', weight);
    }
    for (const [group, ballot] of votes) {
      const [winner] = [...ballot.for].sort((a, b) => b[1] - a[1]);
      if (winner === undefined) continue;
      this.#set(group, ballot.size, winner[0], sizes.get(winner[0]) as number);
    }
  }

  /** A new layer that is wide enough continues the channels that it reads. */
  #continueInto({ op, inputs, outputs }: Node): void {
    if (op !== 'Conv' && op !== 'Gemm' && op !== 'MatMul') return;
    const axis = op === 'MatMul' ? -1 : 1;
    const read = this.single(this.#child.of(inputs[0] ?? '').at(axis));
    const [made] = this.#child.of(outputs[0] ?? '').at(axis) ?? [];
    if (read === undefined || made === undefined || this.#maps.has(made.group)) return;
    if (made.size >= read.count) this.#set(made.group, made.size, read.group, read.count);
  }

  #set(group: number, size: number, target: number, count: number): void {
    const rng = this.#rng.fork(this.#child.originOf(group));
    this.#maps.set(group, { group: target, count, from: spread(size, count, rng) });
  }
}

/** 0 … count−1 first, then again in a drawn order, as often as `size` needs. */
function spread(size: number, count: number, rng: Rng): Int32Array {
  const all = Array.from({ length: count }, (_, i) => i);
  const order = [...all];
  while (order.length < size) order.push(...rng.shuffle(all));
  return Int32Array.from(order.slice(0, size));
}
