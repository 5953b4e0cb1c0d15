/**
 * An evaluator that reads scores from a table instead of training and measuring: the same stages in a
 * moment, so that a whole search can be run on what others have published.
 */
import { UsageError } from '../../errors.js';
import { removeDeadNodes } from '../../ir/pass/dead-nodes.js';
import type { Space } from '../../space/space.js';
import { violationsOf } from '../../trial/objective.js';
import type { Json, Metrics } from '../../trial/trial.js';
import {
  type BaselineDesign,
  type Candidate,
  type Design,
  type Evaluator,
  HIDDEN_SCORE,
  type StageCall,
  type StageOutcome,
} from '../evaluate.js';
import { keyOf } from './architectures.js';
import type { Scores } from './scores.js';

/** Metrics of a table: what the search sees of it … */
export const GUIDE = 'accuracy';
export const LATENCY = 'latencyMs';
/** … what is told of its winners at the end, and what the training of a row took. */
export const REPORT = 'reported';
export const SECONDS = 'seconds';

/** Time of a training where the table has none: all are alike. */
const EVEN_SECONDS = 1;
/** The clock goes in binary parts of a second, so that its sums are exact in any order. */
const TICKS = 1024;

export interface TableEvaluator extends Evaluator {
  /** Seconds that the trainings so far would have taken; the time of a run on a table. */
  readonly clock: () => number;
}

/** An evaluator on `scores`, which has a row for every point of `space`. */
export function createTableEvaluator(space: Space<Json>, scores: Scores): TableEvaluator {
  let seconds = 0;
  const metricsOf = (architecture: Json): Metrics => {
    const metrics = scores.metrics.get(keyOf(architecture));
    if (metrics !== undefined) return metrics;
    throw new UsageError(
      `architecture: expected one of the table, received ${keyOf(architecture)}`,
    );
  };
  const decode = (json: Json): Design => {
    const point = space.parse(json);
    metricsOf(point);
    const { graph } = removeDeadNodes(space.decode(point));
    // Cells that compute the same have rows of their own: the row is what counts.
    return { graph, hash: keyOf(point), description: space.describe(point) };
  };
  const humans = space.baselines().flatMap(({ name, architecture }) => {
    const isKnown = architecture !== undefined && scores.metrics.has(keyOf(architecture));
    return isKnown ? [{ name, architecture }] : [];
  });
  const pointOf = ({ agent, architecture }: Candidate): Json =>
    agent === 'baseline'
      ? (humans.find(({ name }) => name === architecture)?.architecture ?? null)
      : space.parse(architecture);
  return {
    baselines: humans.map(({ name, architecture }): BaselineDesign => {
      return { ...decode(architecture), name, description: `human design ${name}` };
    }),
    decode,
    clock: () => seconds,
    async run(candidate: Candidate, call: StageCall): Promise<StageOutcome> {
      const metrics = metricsOf(pointOf(candidate));
      if (call.stage === 'train') {
        seconds += Math.round((metrics[SECONDS] ?? EVEN_SECONDS) * TICKS) / TICKS;
      }
      return answer(metrics, call);
    },
  };
}

function answer(metrics: Metrics, { stage, constraints }: StageCall): StageOutcome {
  const passed = (...names: readonly string[]): StageOutcome => {
    const known = Object.entries(metrics).filter(([name]) => names.includes(name));
    return { status: 'passed', metrics: Object.fromEntries(known) };
  };
  switch (stage) {
    case 'screen': {
      const limits = constraints.filter(({ metric }) => metric === LATENCY);
      const violations = violationsOf(metrics, limits);
      if (violations.length === 0) return passed();
      return { ...passed(LATENCY), status: 'infeasible', violations };
    }
    case 'train':
    case 'extend':
      return passed(GUIDE);
    case 'measure':
      return passed(LATENCY);
    case 'retest':
      return passed(GUIDE, LATENCY);
    case 'hidden':
      return { status: 'passed', metrics: { [HIDDEN_SCORE]: metrics[REPORT] as number } };
    case 'limits':
    case 'export':
      return passed();
  }
}
