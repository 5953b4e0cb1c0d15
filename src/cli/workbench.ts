/** What a language model of a search reaches of the run. */
import type { Problem, RunView } from '../agent/agent.js';
import type { Workbench } from '../agent/llm/workbench.js';
import type { Evaluator } from '../evaluate/evaluate.js';
import { examineStatically } from '../evaluate/static.js';
import type { Limits } from '../guard/guard.js';
import { formatEffect } from '../memory/lessons.js';
import { type ReadOptions, readMemory } from '../memory/text.js';
import { BASELINE_AGENT } from '../search/pipeline.js';
import type { Space } from '../space/space.js';
import type { Json } from '../trial/trial.js';
import { createLatencyForecast } from './latency-forecast.js';

/** The run as its composition root has it. */
export interface WorkbenchParts {
  readonly problem: Problem;
  readonly view: RunView;
  readonly space: Space<Json>;
  readonly evaluator: Evaluator;
}

/** Most effects that are told of an earlier run. */
const MOST_CARRIED = 10;

export function createWorkbench(parts: WorkbenchParts, limits: Limits): Workbench {
  const { view, space, evaluator } = parts;
  const predictLatency = createLatencyForecast(space);
  return {
    space,
    check(architecture) {
      const { graph, hash, description } = evaluator.decode(space.parse(architecture));
      const { illegal, metrics, violations } = examineStatically(graph, limits);
      return {
        hash,
        description,
        metrics,
        violations,
        ...(illegal !== undefined && { refusal: illegal }),
      };
    },
    // Rows of plain columns have no graph to foretell from.
    ...(space.name !== 'columns' && {
      predictLatency: (architecture: Json) => predictLatency(view.trials(), architecture),
    }),
    readMemory: (options) => recall(parts, options),
  };
}

/** What the run has learned so far and, seen from no trial, what it was begun with. */
function recall({ problem, view }: WorkbenchParts, options: ReadOptions): string {
  const { operators: choosing, objectives, constraints, remembered = [] } = problem;
  const trials = view.trials().filter(({ agent }) => agent !== BASELINE_AGENT);
  const own = readMemory(trials, { choosing, objectives, constraints }, options);
  if (remembered.length === 0 || (options.scope ?? 'global') !== 'global') return own;
  const carried = remembered.slice(0, MOST_CARRIED).map((effect) => `  ${formatEffect(effect)}`);
  return [own, 'effects in an earlier run', ...carried].join('\n');
}
