/** Scores during a training, and when they say that it should end. */

/** One score on rows that are not trained on. */
export interface Evaluation {
  /** Updates done. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  /** Share of right decisions; absent where the targets are no decisions. */
  readonly accuracy?: number;
}

/** The evaluation of the lowest loss, the first of equals; undefined for none. */
export function bestOf(evaluations: readonly Evaluation[]): Evaluation | undefined {
  return evaluations.reduce<Evaluation | undefined>(
    (best, one) => (best === undefined || one.loss < best.loss ? one : best),
    undefined,
  );
}

/** Whether the last `patience` evaluations brought no lower loss. */
export function isExhausted(evaluations: readonly Evaluation[], patience: number): boolean {
  const best = bestOf(evaluations);
  return best !== undefined && evaluations.length - 1 - evaluations.indexOf(best) >= patience;
}
