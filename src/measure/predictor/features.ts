/**
 * What a predictor sees of a network: counts for the ridge, and one or more *accounts* of its work,
 * each a different opinion on what the device executes (as written, or after a converter has folded
 * parts away). A schema names the columns and says what is believed of them before any measurement.
 */

/** One network. */
export interface Features {
  /** Columns of the op-count ridge. */
  readonly counts: readonly number[];
  /** Columns of each account, the groups of the account one after the other. */
  readonly accounts: readonly (readonly number[])[];
}

/**
 * Columns of one kind of work and unit. The first is the total; the others are parts of it (by
 * operator, say), through which one part may cost more or less than the total says.
 */
export interface TermGroup {
  readonly name: string;
  readonly columns: readonly string[];
  /** Share of the mean value that the total is expected to explain. */
  readonly share: number;
}

export interface Account {
  readonly name: string;
  /** How likely this account is the device's, before any measurement. */
  readonly probability: number;
  readonly groups: readonly TermGroup[];
}

export interface FeatureSchema {
  readonly counts: readonly string[];
  readonly accounts: readonly Account[];
}

/** A measured network. */
export interface Sample {
  readonly features: Features;
  /** Latency, memory …: positive, in any unit. */
  readonly value: number;
}

/** What a fitted model says of a network, in the samples' unit. */
export interface Estimate {
  readonly value: number;
  readonly stddev: number;
}

export interface FittedModel {
  estimate(features: Features): Estimate;
}
