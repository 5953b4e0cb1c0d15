/** Tasks on NAS-Bench-201 with its published scores, and their space. */
import { join } from 'node:path';
import { createOperators } from '../../dist/agent/operators.js';
import { DEFAULT_COLUMNS, openTable } from '../../dist/cli/table-source.js';
import { GUIDE, LATENCY, REPORT } from '../../dist/evaluate/table/evaluator.js';

const HELP = 'help-latency.json.gz';
const HARDWARE = 'hw-nas-bench.json.gz';
const LIMITS = [
  ['1080ti_256', HELP, 21],
  ['gold_6240', HELP, 8.76],
  ['samsung_a50', HELP, 19],
  ['eyeriss', HARDWARE, 4.87, 'eyeriss_latency_ms'],
  ['raspi4', HARDWARE, 22.1, 'raspi4_latency_ms'],
];

const accuracy = (dataset) => ({ guide: `${dataset}_val_12`, report: `${dataset}_test_200` });

/** The column of the latency is called as the device where nothing else is said. */
const limited = (kind, pareto, [device, file, limit, column]) => ({
  name: `${kind}-${device}`,
  ...accuracy('c10'),
  queries: 200,
  device,
  file,
  limit,
  pareto,
  ...(column !== undefined && { column }),
});

/** Name, columns, budget; `pareto` where latency is an objective besides its limit. */
export const tasks = [
  { name: 'cifar10', ...accuracy('c10'), queries: 500 },
  { name: 'cifar100', ...accuracy('c100'), queries: 500 },
  { name: 'imagenet16-120', ...accuracy('in16'), queries: 500 },
  ...LIMITS.map((limit) => limited('limit', false, limit)),
  ...LIMITS.map((limit) => limited('pareto', true, limit)),
];

/** What searches and scores of a task need. */
export function openTask(folder, task) {
  const { guide, report, device, file, column = device, limit, pareto, queries } = task;
  const { space, scores } = openTable(
    {
      file: join(folder, 'accuracy.json.gz'),
      guide,
      report,
      ...(device !== undefined && { latency: `${join(folder, file)}:${column}` }),
      columns: DEFAULT_COLUMNS,
    },
    { kind: 'cell' },
  );
  const plane = [
    { metric: GUIDE, direction: 'maximize' },
    { metric: LATENCY, direction: 'minimize' },
  ];
  const problem = {
    operators: createOperators(space),
    objectives: pareto ? plane : plane.slice(0, 1),
    constraints: limit === undefined ? [] : [{ metric: LATENCY, max: limit }],
  };
  return {
    options: {
      problem,
      scores: scores.metrics,
      report: REPORT,
      ...(device !== undefined && { plane }),
      queries,
      seeds: 1,
      firstSeed: 0,
    },
    space,
    architectures: scores.architectures,
  };
}
