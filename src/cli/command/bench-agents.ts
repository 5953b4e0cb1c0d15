import type { Command } from 'commander';
import type { Problem } from '../../agent/agent.js';
import { createOperators } from '../../agent/operators.js';
import { type StrategyName, strategies, strategyNames } from '../../agent/strategy.js';
import { UsageError } from '../../errors.js';
import { writeDurably } from '../../evaluate/artifacts.js';
import { GUIDE, LATENCY, REPORT } from '../../evaluate/table/evaluator.js';
import { benchStrategy, scoringOf, type TableBenchOptions } from '../../search/table-bench.js';
import { boundsOf, type CurvePoint } from '../../search/table-curves.js';
import type { Objective } from '../../trial/objective.js';
import { type OutputOptions, print } from '../output.js';
import { parseChoice, parseWhole } from '../parse.js';
import { type SpaceChoice, type SpaceKind, spaceKinds } from '../spaces.js';
import { type AxisScale, drawStrategies } from '../strategy-plot.js';
import { closest } from '../suggest.js';
import { formatTable } from '../table.js';
import { DEFAULT_COLUMNS, openTable, type TableSpec } from '../table-source.js';

interface BenchAgentsFlags extends OutputOptions {
  readonly table: string;
  readonly guide: string;
  readonly report: string;
  readonly latency?: string;
  readonly limit?: number;
  readonly columns?: Partial<TableSpec['columns']>;
  readonly space?: SpaceKind;
  readonly decisions?: readonly string[];
  readonly agents: readonly StrategyName[];
  readonly queries: number;
  readonly seeds: number;
  readonly seed: number;
  readonly plot?: string;
  readonly plotAxis: AxisScale;
}

type BenchFlags = Omit<BenchAgentsFlags, 'json' | 'plotAxis'>;

/** What every `ci95` of the document is. */
const INTERVAL = '95 %, normal, over seeds';

/** Numbers of queries after which a curve is read off. */
const CHECKPOINTS = [50, 100, 200, 500, 1000];

/** `archwright bench-agents`. */
export function addBenchAgentsCommand(program: Command): void {
  program
    .command('bench-agents')
    .description('compare search strategies on published or own scores of architectures')
    .requiredOption('--table <file>', 'JSON or CSV, one row per architecture')
    .requiredOption('--guide <column>', 'score that guides the search; larger is better')
    .requiredOption('--report <column>', 'score that is reported of the winner')
    .option(
      '--latency <file:column>',
      'latencies of the same architectures: with --limit a limit, else a second objective',
    )
    .option('--columns <map>', 'names of columns, such as arch=cell_string,index=id', parseColumns)
    .option(
      '--space <kind>',
      `space of the architectures: ${spaceKinds.join(', ')} (default: cell)`,
      parseChoice('--space', spaceKinds),
    )
    .option(
      '--decisions <columns>',
      'instead of a space: the columns that make an architecture, such as depth,width',
      (text: string) => text.split(','),
    )
    .option('--limit <latency>', 'largest latency in milliseconds, such as 21ms', parseLimit)
    .option(
      '--agents <names>',
      `comma-separated, of ${strategyNames.join(', ')}`,
      parseAgents,
      strategyNames,
    )
    .option(
      '--queries <count>',
      'architectures that each search may ask for',
      parseWhole('--queries', 1),
      200,
    )
    .option('--seeds <count>', 'searches per strategy', parseWhole('--seeds', 2), 100)
    .option('--seed <number>', 'the first seed', parseWhole('--seed', 0), 0)
    .option('--plot <file>', 'write the curves over queries as an SVG file')
    .option(
      '--plot-axis <scale>',
      'axis of the queries: log, linear',
      parseChoice('--plot-axis', ['log', 'linear'] as const),
      'log',
    )
    .option('--json', 'print one JSON document')
    .action(async (flags: BenchAgentsFlags) => {
      const report = benchAgents(flags);
      if (flags.plot !== undefined) await writeDurably(flags.plot, plotOf(report, flags.plotAxis));
      print(report, flags, formatReport);
    });
}

function parseLimit(text: string): number {
  const value = Number(/^(\d+(?:\.\d+)?)(?:ms)?$/.exec(text)?.[1]);
  if (value > 0) return value;
  throw new UsageError(`--limit: expected milliseconds such as 21ms, received ${text}`);
}

function parseColumns(text: string): Partial<TableSpec['columns']> {
  const pairs = text.split(',').map((pair) => {
    const [key = '', ...rest] = pair.split('=');
    const name = rest.join('=');
    if (key in DEFAULT_COLUMNS && name !== '') return [key, name] as const;
    throw new UsageError(
      `--columns: expected arch=<column>, index=<column> or both with a comma, received ${text}`,
    );
  });
  return Object.fromEntries(pairs);
}

function parseAgents(text: string): StrategyName[] {
  return text.split(',').map((name) => {
    const known = strategyNames.find((each) => each === name);
    if (known !== undefined) return known;
    const hint = closest(name, strategyNames);
    throw new UsageError(
      `--agents: expected ${strategyNames.join(', ')}; received ${name}${hint === undefined ? '' : `; did you mean ${hint}?`}`,
    );
  });
}

/** Runs every strategy on the tables. */
export function benchAgents(flags: BenchFlags) {
  const options = optionsOf(flags);
  const bounds = boundsOf(scoringOf(options));
  const results = flags.agents.map((agent) => {
    process.stderr.write(`${agent}: ${flags.seeds} searches of ${flags.queries} queries\n`);
    return { agent, ...benchStrategy(strategies[agent].create, options) };
  });
  return {
    schema: 'archwright.bench-agents/1',
    table: flags.table,
    guide: flags.guide,
    report: flags.report,
    latency: flags.latency ?? null,
    limitMs: flags.limit ?? null,
    queries: flags.queries,
    seeds: flags.seeds,
    bounds,
    interval: INTERVAL,
    plot: flags.plot ?? null,
    results: results.map(({ curve, ...rest }) => {
      const hypervolume = curve.at(-1)?.hypervolume;
      return {
        ...rest,
        ...(hypervolume !== undefined && { hypervolume }),
        checkpoints: checkpointsOf(flags.queries).map(
          (queries) => curve[queries - 1] as CurvePoint,
        ),
        curve,
      };
    }),
  };
}

function checkpointsOf(queries: number): number[] {
  return [...CHECKPOINTS.filter((count) => count < queries), queries];
}

function optionsOf(flags: BenchFlags): TableBenchOptions {
  const { table: file, guide, report, latency, columns, limit } = flags;
  if (limit !== undefined && latency === undefined) {
    throw new UsageError('--limit: expected --latency <file:column> with it, received none');
  }
  const spec = { file, guide, report, latency, columns: { ...DEFAULT_COLUMNS, ...columns } };
  const { space, scores } = openTable(spec, spaceOf(flags));
  const plane: Objective[] = [
    { metric: GUIDE, direction: 'maximize' },
    { metric: LATENCY, direction: 'minimize' },
  ];
  const isPlanar = latency !== undefined;
  const problem: Problem = {
    operators: createOperators(space),
    objectives: isPlanar && limit === undefined ? plane : plane.slice(0, 1),
    constraints: limit === undefined ? [] : [{ metric: LATENCY, max: limit }],
  };
  const { queries, seeds, seed: firstSeed } = flags;
  return {
    problem,
    scores: scores.metrics,
    report: REPORT,
    ...(isPlanar && { plane }),
    queries,
    seeds,
    firstSeed,
  };
}

function spaceOf({ space, decisions }: BenchFlags): SpaceChoice {
  if (decisions === undefined) return { kind: space ?? 'cell' };
  if (space === undefined) return { kind: 'columns', decisions };
  throw new UsageError('--space, --decisions: expected one of them, received both');
}

function plotOf(report: ReturnType<typeof benchAgents>, axis: AxisScale): string {
  const { guide, latency, limitMs, seeds, results } = report;
  const device = latency?.slice(latency.lastIndexOf(':') + 1);
  const limit = limitMs === null ? '' : ` ≤ ${limitMs} ms`;
  return drawStrategies({
    title: `Searches by ${guide}${device === undefined ? '' : `, ${device}${limit}`}`,
    subtitle:
      `means over ${seeds} seeds; bands: ${INTERVAL}` +
      (limitMs === null ? '' : '; incumbents from where every search has one'),
    report: report.report,
    axis,
    strategies: results.map(({ agent, curve }) => ({ name: agent, curve })),
  });
}

function formatReport(report: ReturnType<typeof benchAgents>): string {
  const { bounds, results, queries } = report;
  const rows = results.map(({ agent, checkpoints, askTellMs, ...rest }) => ({
    agent,
    at: new Map(checkpoints.map((point) => [point.queries, point])),
    askTellMs,
    ...rest,
  }));
  const table = formatTable(
    [
      { title: 'strategy', value: ({ agent }) => agent },
      ...checkpointsOf(queries).map((count) => ({
        title: `${count} queries`,
        align: 'right' as const,
        value: (row: (typeof rows)[number]) => {
          const { mean, ci95 } = row.at.get(count) as CurvePoint;
          return `${mean.toFixed(2)} ±${(ci95[1] - mean).toFixed(2)}`;
        },
      })),
      ...(results.some(({ hypervolume }) => hypervolume !== undefined)
        ? [
            {
              title: 'hypervolume',
              align: 'right' as const,
              value: (row: (typeof rows)[number]) => row.hypervolume?.mean.toFixed(4) ?? '',
            },
          ]
        : []),
      { title: 'infeasible', align: 'right', value: (row) => String(row.infeasibleWinners) },
      { title: 'none found', align: 'right', value: (row) => String(row.withoutWinner) },
      { title: 'ask + tell', align: 'right', value: (row) => `${row.askTellMs.toFixed(2)} ms` },
    ],
    rows,
  );
  const { oracle, bestByGuide, feasible } = bounds;
  return `${table}\n${feasible} feasible architectures; the best has ${oracle.toFixed(2)}, the best by the guide ${bestByGuide.toFixed(2)}`;
}
