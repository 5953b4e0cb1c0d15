/**
 * Which axes of which tensors count the same channels. A layer that mixes channels makes a new group
 * of them; what works channel by channel hands its group on; what adds two values joins their groups.
 * A unit can be added to a group only in all tensors of the group at once.
 */
import { InternalError } from '../../errors.js';

/** Neighbouring entries of an axis: `inner` for each of the `size` channels of `group`. */
export interface Segment {
  readonly group: number;
  readonly size: number;
  /** Above 1 after Flatten: the positions of a feature map, channel by channel. */
  readonly inner: number;
}

/** What an axis counts; `undefined` is anything but channels: rows, positions, taps of a kernel. */
export type AxisLabel = readonly Segment[] | undefined;
export type Labels = readonly AxisLabel[];

/** The labels of all values and weights of a graph, and the groups that they refer to. */
export class Channels {
  readonly #joined: number[] = [];
  readonly #origins: string[] = [];
  readonly #labels = new Map<string, Labels>();
  readonly #summed = new Map<string, number>();

  /** A new group of `size` channels; `origin` names the value that it comes from. */
  create(origin: string, size: number): AxisLabel {
    const group = this.#joined.length;
    this.#joined.push(group);
    this.#origins.push(origin);
    return [{ group, size, inner: 1 }];
  }

  /** Labels of a value or weight, axis by axis; none where they are unknown. */
  of(value: string): Labels {
    return (this.#labels.get(value) ?? []).map((label) =>
      label?.map((segment) => ({ ...segment, group: this.root(segment.group) })),
    );
  }

  /** The axis of a weight that its layer sums over, if it does. */
  summedAxis(weight: string): number | undefined {
    return this.#summed.get(weight);
  }

  /** Says what the axes of `value` are; a tensor that is read twice joins what its readers say. */
  assign(value: string, labels: Labels, summed?: number): void {
    const before = this.#labels.get(value);
    this.#labels.set(value, before ? labels.map((one, i) => this.join(before[i], one)) : labels);
    if (summed !== undefined) this.#summed.set(value, summed);
  }

  /** One label for two axes that run side by side; the first where they cannot be one. */
  join(a: AxisLabel, b: AxisLabel): AxisLabel {
    if (a === undefined || b === undefined) return a ?? b;
    const isAlike =
      a.length === b.length &&
      a.every(({ size, inner }, i) => size === b[i]?.size && inner === b[i]?.inner);
    if (isAlike)
      for (const [i, { group }] of a.entries()) this.#union(group, (b[i] as Segment).group);
    return a;
  }

  /** The group that stands for `group` and all that were joined with it. */
  root(group: number): number {
    let root = group;
    while (this.#joined[root] !== root) {
      const next = this.#joined[root];
      if (next === undefined) throw new InternalError(`group ${group} of channels is unknown`);
      root = next;
    }
    return root;
  }

  /** The value that first had the group. */
  originOf(group: number): string {
    return this.#origins[this.root(group)] as string;
  }

  #union(a: number, b: number): void {
    const [low, high] = [this.root(a), this.root(b)].sort((x, y) => x - y) as [number, number];
    this.#joined[high] = low;
  }
}

/** Entries of a labelled axis. */
export function lengthOf(label: readonly Segment[]): number {
  return label.reduce((sum, { size, inner }) => sum + size * inner, 0);
}
