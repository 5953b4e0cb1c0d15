/** The results as Markdown, made of the raw searches. */
import { scoringOf, summarize } from '../../dist/search/table-bench.js';
import { boundsOf } from '../../dist/search/table-curves.js';
import { readRuns } from './raw.mjs';
import { openTask, tasks } from './tasks.mjs';

const CHECKPOINTS = [50, 100, 200, 500];
/** Reruns of the published algorithms on the same task, by others. */
const PUBLISHED = [
  ['random, published', [93.44, 93.75, 93.9, 94.01]],
  ['evolution (population 20, sample 5), published', [93.67, 94.06, 94.18, 94.3]],
  ['local search, published', [93.41, 93.97, 94.2, 94.36]],
];

const TITLES = {
  cifar10: 'CIFAR-10',
  cifar100: 'CIFAR-100: not tuned for',
  'imagenet16-120': 'ImageNet16-120: not tuned for',
};

const INTRO = `# Strategies on published tables

NAS-Bench-201: 15,625 cells, six edges with five operations each. A search sees the validation accuracy
after 12 epochs (and, where there is a limit, a latency), never what is reported: the test accuracy after
200 epochs of the cell that it takes for the best. Mean ± standard error over seeds.

Made by \`benchmarks/published-tables.mjs\`. What counts as a query, the same for all: an agent is asked
again while it proposes what was evaluated before, at most 20 times, uncharged and untold; after that the
repeat costs a query and is told. A search under a limit learns of a cell that breaks it the latency only;
Optuna, whose constraints come beside a value, learns the accuracy too.

Optuna is 3.1.0 with default settings: six categorical parameters, limits by \`constraints_func\`.
\`optuna-tpe-multivariate\` is \`TPESampler(multivariate=True)\`. TPE has 200 queries at most, as its asks
take the longer, the more it was told. Where a row has fewer seeds than others, the table says so.
`;

/** @param names strategies in the order of their rows. */
export function render(data, work, names) {
  const results = tasks.flatMap((task) => {
    const rows = names
      .map((name) => ({ name, runs: readRuns(work, task, name) }))
      .filter(({ runs }) => runs.length > 0);
    if (rows.length === 0) return [];
    const { options, architectures } = openTask(data, task);
    const scoring = scoringOf(options);
    return [
      {
        task,
        bounds: boundsOf(scoring),
        rows: rows.map(({ name, runs }) => {
          const searches = runs.map(({ seed, queried, winner }) => ({
            seed,
            queried: queried.map((row) => architectures[row]),
            ...(winner !== null && { winner: architectures[winner] }),
          }));
          return { name, seeds: runs.length, ...summarize(searches, scoring) };
        }),
      },
    ];
  });
  const free = results.filter(({ task }) => task.limit === undefined);
  const limited = results.filter(({ task }) => task.limit !== undefined && !task.pareto);
  const pareto = results.filter(({ task }) => task.pareto);
  return [
    INTRO,
    ...free.map(freeSection),
    ...(limited.length === 0 ? [] : [limitedSection(limited, names)]),
    ...(pareto.length === 0 ? [] : [paretoSection(pareto, names)]),
  ].join('\n');
}

function freeSection({ task, bounds, rows }) {
  const cells = rows.map(({ name, seeds, curve }) => [
    name,
    String(seeds),
    ...CHECKPOINTS.map((count) => meanText(curve[count - 1])),
  ]);
  const published =
    task.name === 'cifar10'
      ? PUBLISHED.map(([name, values]) => [name, '', ...values.map((value) => value.toFixed(2))])
      : [];
  const heads = ['strategy', 'seeds', ...CHECKPOINTS.map((count) => `${count} queries`)];
  return section(
    TITLES[task.name],
    `Guide \`${task.guide}\`, reported \`${task.report}\`. ${boundsText(bounds)}`,
    heads,
    [...cells, ...published],
  );
}

function limitedSection(results, names) {
  const rows = tableOf(results, names, (point) => meanText(point));
  const sum = (name, key) =>
    results
      .flatMap(({ rows: all }) => all.filter((row) => row.name === name))
      .reduce((total, row) => total + row[key], 0);
  const searched = rows.map((row) => [
    ...row,
    String(sum(row[0], 'infeasibleWinners')),
    String(sum(row[0], 'withoutWinner')),
  ]);
  const bests = [
    ['optimum', '', ...results.map(({ bounds }) => bounds.oracle.toFixed(2)), '', ''],
    [
      'best by the guide',
      '',
      ...results.map(({ bounds }) => bounds.bestByGuide.toFixed(2)),
      '',
      '',
    ],
  ];
  return section(
    'CIFAR-10 within a latency limit, 200 queries',
    'The best feasible cell by the guide wins; accuracy is the only objective. `infeasible` counts winners ' +
      'that break the limit by the table, `none` searches without a feasible cell, over all five limits.',
    ['strategy', 'seeds', ...results.map(limitText), 'infeasible', 'none'],
    [...searched, ...bests],
  );
}

function paretoSection(results, names) {
  return section(
    'CIFAR-10, accuracy and latency within the limit, 200 queries',
    'Both are objectives. The volume that the feasible cells dominate in terms of the guide and the latency, ' +
      'from the lowest accuracy of the table and the limit, in percent of what all feasible cells of the ' +
      'table dominate.',
    ['strategy', 'seeds', ...results.map(limitText)],
    tableOf(results, names, ({ hypervolume }) => meanText(hypervolume, 100)),
  );
}

const limitText = ({ task }) => `${task.device} ≤ ${task.limit} ms`;

/** A row per strategy, a column per task, of the last points. */
function tableOf(results, names, textOf) {
  return names.flatMap((name) => {
    const found = results.map(({ rows }) => rows.find((row) => row.name === name));
    if (found.every((row) => row === undefined)) return [];
    const seeds = [...new Set(found.flatMap((row) => (row === undefined ? [] : [row.seeds])))];
    const cells = found.map((row) => (row === undefined ? '' : textOf(row.curve.at(-1))));
    return [[name, seeds.join('/'), ...cells]];
  });
}

function boundsText({ oracle, bestByGuide }) {
  return `The optimum is ${oracle.toFixed(2)}, the best by the guide has ${bestByGuide.toFixed(2)}.`;
}

/** Blank where the searches ended before. */
function meanText(point, scale = 1) {
  if (point === undefined) return '';
  const error = (point.ci95[1] - point.mean) / 1.959964;
  return `${(scale * point.mean).toFixed(2)} ± ${(scale * error).toFixed(2)}`;
}

function section(title, text, heads, rows) {
  return [
    `## ${title}`,
    '',
    text,
    '',
    `| ${heads.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(heads.length - 1)}`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n');
}
