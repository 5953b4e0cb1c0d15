/**
 * A family of evaluators: whatever turns a candidate into measured facts, one stage at a time. The
 * search loop decides which stage runs next and judges the limits; an evaluator decides nothing
 * about other candidates. The same interface serves the local device and a remote worker.
 *
 * Stages, in order:
 * - `limits`: static facts without running anything: the graph verifies, its parameters, operations
 *   and bytes are counted, guards look at it.
 * - `screen`: a brief latency probe. It rejects only what is clearly over a latency limit, by more
 *   than a brief probe can be wrong, and so spares the training of candidates that cannot win. It
 *   passes at once where no latency is limited.
 * - `train`: short training; the score is taken on the search split.
 * - `measure`: full latency and memory on the device.
 * - `extend`: training goes on from the weights of `train` up to the full recipe (where those began
 *   with inherited weights: the full recipe from scratch); the new score takes the place of the
 *   short one, under the same metric name.
 * - `retest`: the full recipe from scratch with the seed of the call; once per `round`.
 * - `hidden`: the weights of `extend`, scored on the hidden split.
 * - `export`: the deployable file of a member of the final front.
 *
 * What must outlive the process (weights that a later stage needs, exported files) an evaluator
 * writes into the run folder, to a temporary name, synced and renamed, *before* it returns, and
 * names it in `artifacts`. A stage that was cut short is run again with the same call and
 * overwrites what it left.
 */
import type { Graph } from '../ir/graph.js';
import type { Constraint } from '../trial/objective.js';
import type { Json, Metrics, Violation } from '../trial/trial.js';

export const STAGES = [
  'limits',
  'screen',
  'train',
  'measure',
  'extend',
  'retest',
  'hidden',
  'export',
] as const;
export type StageName = (typeof STAGES)[number];

/** Metrics that the stage `hidden` returns: counts, so that the interval can be computed. */
export const HIDDEN_CORRECT = 'hiddenCorrect';
export const HIDDEN_SAMPLES = 'hiddenSamples';
/** Metric in place of the two where nothing was counted: a share that was published. */
export const HIDDEN_SCORE = 'hiddenScore';

/** What an architecture decodes to. */
export interface Design {
  readonly graph: Graph;
  /** Canonical hash of `graph`: equal for the same computation under other names. */
  readonly hash: string;
  /** One line for people. */
  readonly description: string;
}

/** A human design that is evaluated by the same stages. */
export interface BaselineDesign extends Design {
  readonly name: string;
}

/** A trial under evaluation. */
export interface Candidate extends Design {
  /** Id of the trial; unique in the run, so files may be named by it. */
  readonly id: number;
  /** Name of the agent that proposed it; `baseline` for human designs. */
  readonly agent: string;
  readonly operator: string;
  readonly parents: readonly number[];
  /** The point of the space; the name of the design where `agent` is `baseline`. */
  readonly architecture: Json;
}

/** The candidate ran the stage to its end. */
export interface PassedStage {
  readonly status: 'passed';
  /** Finite numbers only. Later stages overwrite earlier ones by name. */
  readonly metrics: Metrics;
  /** Whatever else is worth keeping: curves, spreads, flags. */
  readonly detail?: Json;
  /** Files that the stage left, by role (`weights`, `onnx`), as paths relative to the run folder. */
  readonly artifacts?: Readonly<Record<string, string>>;
}

/** The candidate breaks a guard, or in `screen` is clearly over a limit. */
export interface InfeasibleStage {
  readonly status: 'infeasible';
  readonly metrics: Metrics;
  readonly violations: readonly Violation[];
}

/** The candidate could not be evaluated: a crash, a hang, a divergence, an illegal graph. */
export interface FailedStage {
  readonly status: 'failed';
  /** One line for people. */
  readonly reason: string;
  readonly metrics: Metrics;
}

/** Plain JSON, so that it can be recorded and sent. */
export type StageOutcome = PassedStage | InfeasibleStage | FailedStage;

/** A stage that the candidate has behind it. */
export interface FinishedStage {
  readonly stage: StageName;
  readonly round: number;
  readonly outcome: StageOutcome;
}

/** A trial that a candidate was made from. It has ended. */
export interface ParentRecord {
  readonly id: number;
  /** Its finished stages, oldest first. */
  readonly history: readonly FinishedStage[];
}

/** One request to an evaluator. */
export interface StageCall {
  readonly stage: StageName;
  /** Counted from 0; above 0 only in `retest`. */
  readonly round: number;
  /**
   * Seed of everything random in the stage. The same for all candidates of a run, and in `retest`
   * for all candidates of a round, so that scores are compared on paired draws.
   */
  readonly seed: number;
  /** The run's limits, for `screen`; empty while baselines that the limits refer to are measured. */
  readonly constraints: readonly Constraint[];
  /** The candidate's finished stages, oldest first. */
  readonly history: readonly FinishedStage[];
  /** The candidate's parents, in their order. */
  readonly parents: readonly ParentRecord[];
}

/** A design and what the run has measured of it. */
export interface MeasuredDesign {
  readonly graph: Graph;
  readonly metrics: Metrics;
}

/** The limits that a design is all but certain to break, with the predicted values. */
export type Forecast = (design: Design) => readonly Violation[];

export interface Evaluator {
  /** Human designs, in the order of their evaluation; names are unique. */
  readonly baselines: readonly BaselineDesign[];
  /**
   * Turns a proposed architecture into a design. Pure and quick.
   * @throws ArchwrightError (or UsageError) saying why the architecture is illegal.
   */
  decode(architecture: Json): Design;
  /**
   * Learns from what was measured which proposals are not worth a trial; `undefined` while that is
   * too little. A function of its arguments alone. Absent where the evaluator cannot tell.
   */
  forecast?(
    measured: readonly MeasuredDesign[],
    constraints: readonly Constraint[],
  ): Forecast | undefined;
  /**
   * Runs one stage. A candidate's own fault is an outcome, never an exception; what is thrown
   * (a full disk, a broken invariant) stops the run, which can be resumed.
   */
  run(candidate: Candidate, call: StageCall): Promise<StageOutcome>;
}

/** What the stage `train` recorded as inherited; `null` where it began with drawn weights. */
export function inheritedOf(history: readonly FinishedStage[]): Json {
  const outcome = history.find(({ stage }) => stage === 'train')?.outcome;
  if (outcome?.status !== 'passed') return null;
  return (outcome.detail as { readonly inherited?: Json } | undefined)?.inherited ?? null;
}

/** The file that the last passed run of `stage` left under `role`, or `undefined`. */
export function artifactOf(
  history: readonly FinishedStage[],
  stage: StageName,
  role: string,
): string | undefined {
  const finished = history.findLast((one) => one.stage === stage);
  return finished?.outcome.status === 'passed' ? finished.outcome.artifacts?.[role] : undefined;
}
