/** The end of a search for people: front, baselines, each agent's best at the same cost, limits. */
import type { ArmSummary, RunSummary, TrialSummary } from '../search/summary.js';
import { describeLimits, formatMetric } from './progress.js';
import {
  type Column,
  formatCount,
  formatDuration,
  formatMs,
  formatPercent,
  formatTable,
} from './table.js';

interface Row {
  readonly kind: string;
  readonly trial: TrialSummary;
  readonly note: string;
}

const columns: readonly Column<Row>[] = [
  { title: '', value: ({ kind }) => kind },
  { title: 'trial', value: ({ trial }) => String(trial.id), align: 'right' },
  { title: 'hidden accuracy', value: ({ trial }) => formatHoldout(trial), align: 'right' },
  {
    title: 'search',
    value: ({ trial: { metrics } }) =>
      metrics.accuracy === undefined ? '–' : formatPercent(metrics.accuracy),
    align: 'right',
  },
  {
    title: 'retests',
    value: ({ trial }) => (trial.retest === null ? '–' : formatPercent(trial.retest.mean)),
    align: 'right',
  },
  {
    title: 'ms',
    value: ({ trial: { metrics } }) =>
      metrics.latencyMs === undefined ? '–' : formatMs(metrics.latencyMs),
    align: 'right',
  },
  {
    title: 'params',
    value: ({ trial: { metrics } }) =>
      metrics.params === undefined ? '–' : formatCount(metrics.params),
    align: 'right',
  },
  { title: '', value: ({ note }) => note },
];

/** The summary of a run as text, without a trailing newline. */
export function formatSummary(summary: RunSummary, runDir: string): string {
  const { front, baselines, arms, budget, trials } = summary;
  const rows: Row[] = [
    ...front.map((trial) => ({
      kind: 'front',
      trial,
      note: `${againstBaseline(trial.againstBaseline?.verdict)}${trial.description}`,
    })),
    ...baselines.map((trial) => ({
      kind: trial.name,
      trial,
      note: trial.state === 'complete' ? '' : describeState(trial),
    })),
    ...arms.flatMap(bestOf),
  ];
  const limits = describeLimits(summary.constraints);
  const lines = [
    formatTable(columns, rows),
    '',
    `limits     ${limits === '' ? 'none' : limits}`,
    ...arms.map(describeArm),
    `trials     ${trials.complete} complete, ${trials.pruned} pruned, ${trials.infeasible} infeasible, ${trials.failed} failed`,
    `time       ${formatDuration(budget.elapsedSeconds)}, ${formatPercent(budget.overheadShare)} of it outside training and measuring`,
    `run        ${runDir} (${summary.status})`,
    ...front.flatMap(({ onnx }) => (onnx === null ? [] : [`exported   ${runDir}/${onnx}`])),
  ];
  return lines.join('\n');
}

function bestOf({ agent, best }: ArmSummary): Row[] {
  return best === null ? [] : [{ kind: `best of ${agent}`, trial: best, note: best.description }];
}

function describeArm({ agent, trials, seconds, hypervolume }: ArmSummary): string {
  const count = Object.values(trials).reduce((sum, n) => sum + n, 0);
  return (
    `${agent.padEnd(10)} ${count} trials in ${formatDuration(seconds)}, ` +
    `hypervolume ${hypervolume.toPrecision(4)}`
  );
}

function againstBaseline(verdict: string | undefined): string {
  return verdict === undefined ? '' : `[${verdict} against the best human design] `;
}

function describeState(trial: TrialSummary): string {
  const values = Object.entries(trial.constraints).map(([name, v]) => formatMetric(name, v));
  return `${trial.state} ${values.join(', ')}`;
}

function formatHoldout({ holdout }: TrialSummary): string {
  if (holdout === null) return '–';
  if (holdout.interval === null) return formatPercent(holdout.accuracy);
  const [low, high] = holdout.interval.map((share) => (100 * share).toFixed(2));
  return `${formatPercent(holdout.accuracy)} [${low}, ${high}]`;
}
