/** A space that can be listed, as points: architectures with the same features share one. */
import type { Json } from '../../trial/trial.js';
import type { Operators } from '../agent.js';
import { type Scale, scaleOf } from './scale.js';

export interface Listing {
  readonly scale: Scale;
  /** Scaled features, each once. */
  readonly points: readonly Float64Array[];
  /** Architectures of each point, with their keys. */
  readonly members: readonly (readonly Member[])[];
  /** Index of the point of each architecture's key. */
  readonly groupOf: ReadonlyMap<string, number>;
  /** Indices of the points one edit away from an architecture, by its key: those looked up so far. */
  readonly around: Map<string, readonly number[]>;
}

export interface Member {
  readonly key: string;
  readonly architecture: Json;
}

/** Architectures beyond which a list is not scored whole. */
const MAX_LISTED = 30_000;

const listings = new WeakMap<Operators, Listing | null>();

/** The listing of a space, made once for its operators; undefined where there is none, or too long a one. */
export function listingOf(operators: Operators): Listing | undefined {
  let listing = listings.get(operators);
  if (listing === undefined) {
    listing = createListing(operators) ?? null;
    listings.set(operators, listing);
  }
  return listing ?? undefined;
}

function createListing({ list, features }: Operators): Listing | undefined {
  const all = list?.();
  if (all === undefined || all.length > MAX_LISTED) return undefined;
  const groups = new Map<string, { readonly point: Float64Array; readonly members: Member[] }>();
  for (const architecture of all) {
    const point = features(architecture);
    const group = groups.get(point.join());
    const member = { key: JSON.stringify(architecture), architecture };
    if (group === undefined) groups.set(point.join(), { point, members: [member] });
    else group.members.push(member);
  }
  const distinct = [...groups.values()];
  const scale = scaleOf(distinct.map(({ point }) => point));
  return {
    scale,
    points: distinct.map(({ point }) => scale(point)),
    members: distinct.map(({ members }) => members),
    groupOf: new Map(distinct.flatMap(({ members }, i) => members.map(({ key }) => [key, i]))),
    around: new Map(),
  };
}
