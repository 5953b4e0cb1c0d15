/**
 * What a person sees while a search runs, on standard error: one line per finished trial, and on a
 * terminal a last line that lives (trial, stage, best under the limits, front, time left).
 */
import type { SearchEvent } from '../search/events.js';
import type { TrainProgress } from '../train/trainer.js';
import type { Constraint } from '../trial/objective.js';
import type { Metrics, Trial } from '../trial/trial.js';
import { formatBytes, formatCount, formatDuration, formatMs } from './table.js';

export interface Progress {
  onEvent(event: SearchEvent): void;
  onTraining(progress: TrainProgress): void;
  /** Removes the living line. */
  close(): void;
}

const phaseTitles = {
  baselines: 'human designs',
  search: 'search',
  retest: 'retest of the champions, paired seeds',
  hidden: 'hidden split, opened once',
  export: 'export',
} as const;

/** Writes to `stream`; `live` says whether it is a terminal. */
export function createProgress(
  stream: NodeJS.WritableStream & { columns?: number },
  live: boolean,
): Progress {
  const state = { phase: '', trial: '', stage: '', best: '', left: '', training: '' };
  let drawn = false;
  const clear = (): void => {
    if (drawn) stream.write('\r\u001b[2K');
    drawn = false;
  };
  const line = (text: string): void => {
    clear();
    stream.write(`${text}\n`);
  };
  const draw = (): void => {
    if (!live) return;
    clear();
    const parts = [state.phase, state.trial, state.stage + state.training, state.best, state.left];
    const text = parts.filter((part) => part !== '').join(' · ');
    stream.write(text.slice(0, (stream.columns ?? 100) - 1));
    drawn = true;
  };
  return {
    onEvent(event) {
      switch (event.kind) {
        case 'resumed':
          line(
            `resumed: ${event.endedTrials} trials done in ${formatDuration(event.elapsedSeconds)}`,
          );
          break;
        case 'phase-started':
          state.phase = event.phase;
          line(`── ${phaseTitles[event.phase]}`);
          break;
        case 'constraints-resolved':
          if (event.constraints.length > 0) line(`limits: ${describeLimits(event.constraints)}`);
          break;
        case 'trial-started':
          state.trial = `trial ${event.id} (${event.agent})`;
          state.stage = '';
          state.training = '';
          break;
        case 'stage-started':
          state.stage = event.round > 0 ? `${event.stage} ${event.round + 1}` : event.stage;
          state.trial = `trial ${event.trial}`;
          state.training = '';
          break;
        case 'stage-finished':
          if (event.stage === 'retest' && event.outcome.status === 'passed') {
            line(
              `trial ${event.trial} retrained, seed ${event.round + 1}: ` +
                `${describeMetrics(event.outcome.metrics)}  (${formatDuration(event.seconds)})`,
            );
          }
          break;
        case 'trial-ended': {
          const { best, frontSize, secondsLeft, trialsLeft } = event;
          state.best =
            best === undefined
              ? 'nothing within the limits yet'
              : `best ${describeMetrics(best.metrics)}, front of ${frontSize}`;
          state.left = [
            secondsLeft === undefined ? '' : `${formatDuration(secondsLeft)} left`,
            trialsLeft === undefined ? '' : `${trialsLeft} trials left`,
          ]
            .filter((part) => part !== '')
            .join(', ');
          line(describeTrial(event.trial));
          break;
        }
        case 'agent-exhausted':
          line(`${event.agent} proposes no more: ${event.reason}`);
          break;
        case 'search-ended':
          line(`search ended: ${endings[event.reason]}`);
          break;
        case 'finished':
          line(`finished: ${event.front.length} on the front`);
      }
      draw();
    },
    onTraining({ step, steps, loss }) {
      state.training = ` ${Math.round((100 * step) / steps)} % loss ${loss.toFixed(3)}`;
      draw();
    },
    close: clear,
  };
}

const endings = {
  seconds: 'its share of the time is used',
  trials: 'all trials are used',
  exhausted: 'no agent has anything new to propose',
} as const;

function describeTrial(trial: Trial): string {
  const head = `${String(trial.id).padStart(4)} ${trial.agent.padEnd(9)} ${trial.operator.padEnd(9)}`;
  const tail = `${trial.description}  (${formatDuration(trial.costSeconds)})`;
  return `${head} ${trial.state.padEnd(10)} ${describeOutcome(trial)}  ${tail}`;
}

function describeOutcome(trial: Trial): string {
  if (trial.state === 'failed') return `${trial.stage}: ${trial.reason}`;
  if (trial.state !== 'infeasible') return describeMetrics(trial.metrics);
  return trial.violations
    .map((v) => `${formatMetric(v.metric, v.actual)}, limit ${formatMetric(v.metric, v.limit)}`)
    .join('; ');
}

/** The metrics that people look at first. */
export function describeMetrics(metrics: Metrics): string {
  return ['accuracy', 'latencyMs', 'params']
    .flatMap((name) => {
      const value = metrics[name];
      return value === undefined ? [] : [formatMetric(name, value)];
    })
    .join(', ');
}

/** The limits in words. */
export function describeLimits(constraints: readonly Constraint[]): string {
  return constraints
    .flatMap(({ metric, max, min }) => [
      ...(max === undefined ? [] : [`${metric} ≤ ${formatValue(metric, max)}`]),
      ...(min === undefined ? [] : [`${metric} ≥ ${formatValue(metric, min)}`]),
    ])
    .join(', ');
}

/** A metric with its unit, or with its name where it has none. */
export function formatMetric(name: string, value: number): string {
  const text = formatValue(name, value);
  return name === 'accuracy' || name.endsWith('Ms') || name.endsWith('Bytes')
    ? text
    : `${text} ${name}`;
}

function formatValue(name: string, value: number): string {
  if (name === 'accuracy') return `${(100 * value).toFixed(2)} %`;
  if (name.endsWith('Ms')) return `${formatMs(value)} ms`;
  if (name.endsWith('Bytes')) return formatBytes(value);
  return formatCount(value);
}
