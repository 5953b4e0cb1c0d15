/**
 * Which designs are all but certain to break a limit, learned from the designs that this run has
 * measured. For ordering and skipping proposals only: no prediction ever becomes a score or ends a
 * trial.
 */
import type { Graph } from '../ir/graph.js';
import {
  createGraphEncoder,
  featuresOf,
  fitPredictor,
  type GraphWork,
  type Prediction,
  type Quantity,
} from '../measure/predictor.js';
import type { Constraint } from '../trial/objective.js';
import { Rng } from '../util/random.js';
import type { Forecast, MeasuredDesign } from './evaluate.js';

/** Fewest measured designs to learn from … */
const LEAST_MEASURED = 12;
/** … and most: the latest ones, so that learning takes no noticeable share of a trial. */
const MOST_MEASURED = 100;

/** What was learned serves until there are this many times as many designs to learn from. */
const REFIT_FACTOR = 1.25;

/** Metrics that can be told from a graph. */
const QUANTITIES: Readonly<Record<string, Quantity>> = {
  latencyMs: 'latency',
  arenaPeakBytes: 'memory',
  processPeakBytes: 'memory',
};

/** Makes forecasts; remembers the work of graphs that it has seen. */
export function createForecaster() {
  const works = new WeakMap<Graph, GraphWork>();
  const rulesLearned = new Map<
    string,
    { latest: Graph | undefined; predict: (work: GraphWork) => Prediction }
  >();
  const workOf = (graph: Graph): GraphWork => {
    const known = works.get(graph) ?? featuresOf(graph, { N: 1 });
    works.set(graph, known);
    return known;
  };
  return (
    measured: readonly MeasuredDesign[],
    constraints: readonly Constraint[],
  ): Forecast | undefined => {
    const rules = constraints.flatMap(({ metric, max }) => {
      const quantity = QUANTITIES[metric];
      if (quantity === undefined || max === undefined) return [];
      const usable = measured.filter(({ metrics }) => (metrics[metric] ?? 0) > 0);
      if (usable.length < LEAST_MEASURED) return [];
      const learned = usable.slice(0, countLearned(usable.length));
      const latest = learned.at(-1);
      const fitted = rulesLearned.get(metric);
      if (fitted !== undefined && fitted.latest === latest?.graph) {
        return [{ metric, limit: max, predict: fitted.predict }];
      }
      const known = learned
        .slice(-MOST_MEASURED)
        .map(({ graph, metrics }) => ({ work: workOf(graph), value: metrics[metric] as number }));
      const { schema, encode } = createGraphEncoder(
        known.map(({ work }) => work),
        quantity,
      );
      const samples = known.map(({ work, value }) => ({ features: encode(work), value }));
      const predictor = fitPredictor(schema, samples, { rng: new Rng(`forecast/${metric}`) });
      const predict = (work: GraphWork) => predictor.predict(encode(work));
      rulesLearned.set(metric, { latest: latest?.graph, predict });
      return [{ metric, limit: max, predict }];
    });
    if (rules.length === 0) return undefined;
    return ({ graph }) => {
      const work = featuresOf(graph, { N: 1 });
      return rules.flatMap(({ metric, limit, predict }) => {
        const { value, interval } = predict(work);
        return interval[0] > limit ? [{ metric, limit, actual: value }] : [];
      });
    };
  };
}

/** How many of `measured` designs to learn from: 12, 15, 18, 22 …, whatever was asked before. */
function countLearned(measured: number): number {
  let count: number = LEAST_MEASURED;
  while (Math.floor(count * REFIT_FACTOR) <= measured) count = Math.floor(count * REFIT_FACTOR);
  return count;
}
