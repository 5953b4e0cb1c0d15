/**
 * Arms: the agents of a run side by side on one device. Each asks when it has spent the least, so at
 * any moment all have had the same evaluation time to within one trial, and what one finds can be
 * compared with what another (always a random one) finds at the same cost.
 */

/** What an arm has done so far. */
export interface ArmState {
  readonly name: string;
  /** Evaluation seconds of its trials. */
  readonly spentSeconds: number;
  /** Trials in a row, up to the last, that no new legal architecture was found for. */
  readonly barren: number;
}

/** Barren trials in a row after which an arm is asked no more: its space or its wits are exhausted. */
export const RETIRED_AFTER = 3;

/** The arm that asks next, the earlier one of equals; `undefined` when all have retired. */
export function nextArm(arms: readonly ArmState[]): ArmState | undefined {
  let next: ArmState | undefined;
  for (const arm of arms) {
    if (arm.barren >= RETIRED_AFTER) continue;
    if (next === undefined || arm.spentSeconds < next.spentSeconds) next = arm;
  }
  return next;
}
