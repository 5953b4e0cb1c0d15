import type { Command } from 'commander';
import type { Problem } from '../../agent/agent.js';
import { createOperators } from '../../agent/operators.js';
import { type StrategyName, strategies, strategyNames } from '../../agent/strategy.js';
import { UsageError } from '../../errors.js';
import { joinScores, type MetricSource } from '../../evaluate/table/scores.js';
import { columnOf, readTable, type Table } from '../../evaluate/table/table.js';
import {
  benchStrategy,
  boundsOf,
  type TableBenchOptions,
  type TableBenchResult,
} from '../../search/table-bench.js';
import { createCellSpace } from '../../space/cell.js';
import { type OutputOptions, print } from '../output.js';
import { parseWhole } from '../parse.js';
import { closest } from '../suggest.js';
import { formatTable } from '../table.js';

interface BenchAgentsFlags extends OutputOptions {
  readonly table: string;
  readonly guide: string;
  readonly report: string;
  readonly latency?: string;
  readonly limit?: number;
  readonly agents: readonly StrategyName[];
  readonly queries: number;
  readonly seeds: number;
  readonly seed: number;
}

/** Numbers of queries after which a curve is read off. */
const CHECKPOINTS = [50, 100, 200, 500, 1000];

/** `archwright bench-agents`. */
export function addBenchAgentsCommand(program: Command): void {
  program
    .command('bench-agents')
    .description('compare search strategies on published scores of NAS-Bench-201 cells')
    .requiredOption('--table <file>', 'JSON or CSV, one row per cell: arch, index, scores')
    .requiredOption('--guide <column>', 'score that guides the search; larger is better')
    .requiredOption('--report <column>', 'score that is reported of the winner')
    .option(
      '--latency <file:column>',
      'latencies of the same cells: with --limit a limit, else a second objective',
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
    .option('--json', 'print one JSON document')
    .action((flags: BenchAgentsFlags) => {
      print(benchAgents(flags), flags, formatReport);
    });
}

function parseLimit(text: string): number {
  const value = Number(/^(\d+(?:\.\d+)?)(?:ms)?$/.exec(text)?.[1]);
  if (value > 0) return value;
  throw new UsageError(`--limit: expected milliseconds such as 21ms, received ${text}`);
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
export function benchAgents(flags: Omit<BenchAgentsFlags, 'json'>) {
  const options = optionsOf(flags);
  const bounds = boundsOf(options);
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
    results: results.map(({ curve, ...rest }) => ({
      ...rest,
      checkpoints: checkpointsOf(flags.queries).map((queries) => {
        const point = curve[queries - 1] as TableBenchResult['curve'][number];
        return { queries, ...point, regret: bounds.oracle - point.mean };
      }),
      curve: curve.map(({ mean, ci95 }) => ({ mean, ci95 })),
    })),
  };
}

function checkpointsOf(queries: number): number[] {
  return [...CHECKPOINTS.filter((count) => count < queries), queries];
}

const GUIDE = 'accuracy';
const REPORT = 'reported';
const LATENCY = 'latencyMs';

function optionsOf(flags: Omit<BenchAgentsFlags, 'json'>): TableBenchOptions {
  const table = readTable(flags.table);
  const sources: MetricSource[] = [
    { metric: GUIDE, table, column: flags.guide },
    { metric: REPORT, table, column: flags.report },
  ];
  if (flags.latency !== undefined) sources.push(latencySource(flags.latency, table));
  else if (flags.limit !== undefined) {
    throw new UsageError('--limit: expected --latency <file:column> with it, received none');
  }
  // The task decides the decoded network alone, which nothing here looks at.
  const space = createCellSpace({ channels: 3, height: 32, width: 32, classes: 10 });
  const isLimited = flags.limit !== undefined;
  const problem: Problem = {
    operators: createOperators(space),
    objectives: [
      { metric: GUIDE, direction: 'maximize' },
      ...(flags.latency !== undefined && !isLimited
        ? [{ metric: LATENCY, direction: 'minimize' } as const]
        : []),
    ],
    constraints: isLimited ? [{ metric: LATENCY, max: flags.limit as number }] : [],
  };
  const { queries, seeds, seed: firstSeed } = flags;
  const scores = joinScores(table, sources);
  const missing = space.list?.().find((cell) => !scores.has(cell));
  if (missing !== undefined) {
    throw new UsageError(
      `${flags.table}: expected a row for every cell, received none for ${missing}`,
    );
  }
  return { problem, scores, report: REPORT, queries, seeds, firstSeed };
}

function latencySource(text: string, main: Table): MetricSource {
  const at = text.lastIndexOf(':');
  if (at < 0 && main.columns.includes(text)) return { metric: LATENCY, table: main, column: text };
  if (at <= 0) {
    throw new UsageError(
      `--latency: expected file:column, or a column of --table, received ${text}`,
    );
  }
  const table = readTable(text.slice(0, at));
  const column = text.slice(at + 1);
  columnOf(table, column);
  return { metric: LATENCY, table, column };
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
          const { mean, ci95 } = row.at.get(count) as TableBenchResult['curve'][number];
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
  return `${table}\n${feasible} feasible cells; the best has ${oracle.toFixed(2)}, the best by the guide ${bestByGuide.toFixed(2)}`;
}
