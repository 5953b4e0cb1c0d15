/**
 * One walk over the child in the order of its nodes. Each paired node takes over the weights of its
 * partner; each new one becomes an identity where it can. Beside it runs a proof: which value of the
 * parent a value of the child equals, channel by channel. Where it reaches the outputs, the child
 * computes what its parent does.
 */
import type { Graph, Initializer, Node } from '../../ir/graph.js';
import type { Rng } from '../../util/random.js';
import type { Pairs } from './align.js';
import type { Channels } from './channels.js';
import { agrees } from './exact.js';
import { type AxisMap, gatherWeight, isIdentity, ZERO } from './gather.js';
import { identityLayer, identityNorm, initializersOf, type Weights } from './identity.js';
import type { InsertionPlan } from './insertion.js';
import { type ChannelMap, NONE } from './mapping.js';
import { ValueFacts } from './moments.js';

/**
 * How a tensor of the child came about:
 * - `copied`: every element is one of the parent's.
 * - `widened`: the parent's, with channels repeated.
 * - `kernel-embedded`: the parent's kernel, zeros around it (and maybe channels repeated).
 * - `deepened`: of a new layer, made so that it changes nothing yet.
 * - `partial`: some elements are the parent's, or all are but some of the parent's were left behind.
 * - `drawn`: nothing to inherit.
 */
export const INHERITANCE_KINDS = [
  'copied',
  'widened',
  'kernel-embedded',
  'deepened',
  'partial',
  'drawn',
] as const;
export type InheritanceKind = (typeof INHERITANCE_KINDS)[number];

export interface TensorInheritance {
  readonly kind: InheritanceKind;
  readonly data: Float32Array;
  /** Elements whose value came from the parent. */
  readonly taken: number;
  /** The parent's tensor, where there is one. */
  readonly source?: string;
  readonly isExact: boolean;
}

export interface TransferParts {
  readonly child: Graph;
  readonly parent: Graph;
  readonly channels: { readonly child: Channels; readonly parent: Channels };
  readonly pairs: Pairs;
  readonly map: ChannelMap;
  readonly plan: InsertionPlan;
  readonly rng: Rng;
}

export class Transfer {
  readonly tensors = new Map<string, TensorInheritance>();
  /** Value of the child → value of the parent that it equals. */
  readonly images = new Map<string, string>();
  readonly parts: TransferParts;
  readonly childInitializers: ReadonlyMap<string, Initializer>;
  readonly parentInitializers: ReadonlyMap<string, Initializer>;
  readonly #facts: ValueFacts;

  constructor(parts: TransferParts) {
    const { child, parent, plan, pairs } = parts;
    this.parts = parts;
    this.childInitializers = initializersOf(child);
    this.parentInitializers = initializersOf(parent);
    this.#facts = new ValueFacts(parent);
    child.inputs.forEach(({ name }, i) => {
      this.#relate(name, parent.inputs[i]?.name);
    });
    for (const [name, value] of plan.fills) {
      const { data } = this.childInitializers.get(name) as Initializer;
      this.#make('deepened', new Map([[name, new Float32Array(data?.length ?? 0).fill(value)]]));
    }
    for (const node of child.nodes) {
      const partner = pairs.get(node);
      if (partner === undefined) this.#insert(node);
      else this.#continue(node, partner);
    }
  }

  /** Whether the child's outputs are the parent's, entry by entry. */
  get isPreserved(): boolean {
    const { child, parent } = this.parts;
    return child.outputs.every(({ name }, i) => {
      const other = parent.outputs[i]?.name;
      if (other === undefined || this.images.get(name) !== other) return false;
      return this.axesOf(name, other)?.every(isIdentity) ?? false;
    });
  }

  /** Maps of the axes of a child's value into those of a parent's; `undefined` where they differ. */
  axesOf(value: string, other: string): readonly AxisMap[] | undefined {
    const { channels, map } = this.parts;
    const [labels, theirs] = [channels.child.of(value), channels.parent.of(other)];
    if (labels.length !== theirs.length) return undefined;
    const axes: AxisMap[] = [];
    for (const [i, label] of labels.entries()) {
      const target = theirs[i];
      if (label === undefined && target === undefined) continue;
      const from = map.axis(label, target);
      if (from === undefined || target === undefined) return undefined;
      const parentLength = target.reduce((sum, { size, inner }) => sum + size * inner, 0);
      axes.push({ from, parentLength });
    }
    return axes;
  }

  #continue(node: Node, partner: Node): void {
    node.inputs.forEach((name, i) => {
      const own = this.childInitializers.get(name);
      const theirs = this.parentInitializers.get(partner.inputs[i] ?? '');
      if (own === undefined || theirs === undefined || this.tensors.has(name)) return;
      if (own.role === 'constant' || theirs.role === 'constant') return;
      this.#takeOver(own, theirs, node.op === 'Conv' && i === 1);
    });
    if (!agrees(this, node, partner)) return;
    node.outputs.forEach((name, i) => {
      this.#relate(name, partner.outputs[i]);
    });
  }

  #takeOver(own: Initializer, theirs: Initializer, isKernel: boolean): void {
    const { channels, map, rng } = this.parts;
    if (own.dims.length !== theirs.dims.length) return;
    const [labels, targets] = [channels.child.of(own.name), channels.parent.of(theirs.name)];
    const axes: AxisMap[] = [];
    for (const [i, length] of own.dims.entries()) {
      const parentLength = theirs.dims[i] as number;
      const isLabelled = labels[i] !== undefined || targets[i] !== undefined;
      const from = isLabelled
        ? map.axis(labels[i], targets[i])
        : isKernel && i > 1
          ? centered(length, parentLength)
          : leading(length, parentLength);
      if (from === undefined) return;
      axes.push({ from, parentLength });
    }
    const summed = channels.child.summedAxis(own.name);
    const gathered = gatherWeight(own, theirs, axes, summed, rng.fork(own.name));
    const { data, taken, isExact, isEmbedded, isWidened } = gathered;
    const isWhole = isExact && axes.every(({ from, parentLength }) => from.length >= parentLength);
    const kind = isEmbedded ? 'kernel-embedded' : isWidened ? 'widened' : 'copied';
    if (taken === 0) return;
    this.tensors.set(own.name, {
      kind: isWhole ? kind : 'partial',
      data,
      taken,
      source: theirs.name,
      isExact: isWhole,
    });
  }

  #insert(node: Node): void {
    const { plan, channels, map } = this.parts;
    const [x = ''] = node.inputs;
    const [y = ''] = node.outputs;
    const same = plan.transparent.get(node);
    if (same !== undefined) {
      this.#relate(y, this.images.get(same));
      return;
    }
    if (plan.idle.has(node)) return;
    const image = this.images.get(x);
    const [read, made] = [channels.child.of(x), channels.child.of(y)];
    switch (node.op) {
      case 'Conv':
      case 'Gemm':
      case 'MatMul': {
        const weights = identityLayer(node, this.childInitializers, map, read, made);
        if (weights === undefined) return;
        this.#make('deepened', weights);
        break;
      }
      case 'BatchNormalization': {
        const into = map.axis(read[1], channels.parent.of(image ?? '')[1]);
        const moments = image === undefined ? undefined : this.#facts.momentsOf(image);
        const length = this.childInitializers.get(node.inputs[1] ?? '')?.dims[0];
        if (length === undefined) return;
        this.#make('deepened', identityNorm(node, length, moments, into));
        break;
      }
      case 'Relu':
      case 'Clip': {
        const bounds = new ValueFacts(this.parts.child).boundsOf(node);
        if (image === undefined || bounds === undefined) return;
        const [low, high] = this.#facts.rangeOf(image);
        if (low < bounds[0] || high > bounds[1]) return;
        break;
      }
      case 'Identity':
      case 'Dropout':
        break;
      default:
        return;
    }
    this.#relate(y, image);
  }

  #make(kind: InheritanceKind, weights: Weights): void {
    for (const [name, data] of weights) {
      if (this.tensors.has(name)) continue;
      this.tensors.set(name, { kind, data, taken: 0, isExact: true });
    }
  }

  /** Notes that a value equals one of the parent, if every entry of it has one to equal. */
  #relate(value: string, image: string | undefined): void {
    if (image === undefined) return;
    const axes = this.axesOf(value, image);
    if (axes?.every(({ from }) => !from.includes(NONE))) this.images.set(value, image);
  }
}

function leading(length: number, parentLength: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => (i < parentLength ? i : NONE));
}

/** The parent's taps in the middle; a smaller kernel keeps the parent's middle. */
function centered(length: number, parentLength: number): Int32Array {
  const offset = Math.floor((length - parentLength) / 2);
  return Int32Array.from({ length }, (_, i) => {
    const from = i - offset;
    return from >= 0 && from < parentLength ? from : ZERO;
  });
}
