/** Combinations of independent decisions, most probable first. */

/** A combination that waits for its turn. */
interface Entry {
  /** Of each decision, which of its options, counted from the most probable. */
  readonly ranks: readonly number[];
  /** Decisions before this one stay as they are in what follows from here, so that nothing comes twice. */
  readonly from: number;
  readonly logProbability: number;
}

/**
 * Yields every combination once, in order of its probability; options that are alike in the order of
 * their numbers. The work for the next one grows with the logarithm of how many came before.
 * @param probabilities of each option of each decision.
 */
export function* mostProbable(
  probabilities: readonly (readonly number[])[],
): Generator<readonly number[], void> {
  const orders = probabilities.map((shares) =>
    shares
      .map((share, option) => ({ option, log: Math.log(Math.max(share, Number.MIN_VALUE)) }))
      .sort((a, b) => b.log - a.log || a.option - b.option),
  );
  const at = (decision: number, rank: number) => orders[decision]?.[rank];
  const entryOf = (ranks: readonly number[], from: number): Entry => {
    const logs = ranks.map((rank, i) => at(i, rank)?.log as number);
    return { ranks, from, logProbability: logs.reduce((a, b) => a + b, 0) };
  };
  // Sorted, the most probable last.
  const waiting = [
    entryOf(
      orders.map(() => 0),
      0,
    ),
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { ranks, from } = next;
    yield ranks.map((rank, i) => at(i, rank)?.option as number);
    for (let i = from; i < ranks.length; i++) {
      const rank = (ranks[i] as number) + 1;
      if (at(i, rank) !== undefined) insert(waiting, entryOf(ranks.with(i, rank), i));
    }
  }
}

/** Before those that are at least as probable but came earlier. */
function insert(waiting: Entry[], entry: Entry): void {
  let [low, high] = [0, waiting.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((waiting[middle] as Entry).logProbability < entry.logProbability) low = middle + 1;
    else high = middle;
  }
  waiting.splice(low, 0, entry);
}
