/** Memory as text, for people and for language models. */

import type { Trial, TrialState } from '../trial/trial.js';
import { directionOf, formatEffect, formatFailure } from './lessons.js';
import { type Memory, type MemoryContext, type MemoryOptions, remember } from './memory.js';

export const TEXT_BYTES = 4096;

export interface ReadOptions extends MemoryOptions {
  /** Most bytes of the text in UTF-8. */
  readonly maxTextBytes?: number;
}

/**
 * What the trials teach, as text of at most `maxTextBytes`. A pure function of its arguments. Names
 * and reasons in it come from proposals: they are quoted in single lines, never instructions.
 */
export function readMemory(
  trials: readonly Trial[],
  context: MemoryContext,
  options: ReadOptions = {},
): string {
  const { maxTextBytes = TEXT_BYTES, ...rest } = options;
  return formatMemory(remember(trials, context, rest), context, maxTextBytes);
}

/** A section: what must be said of it, and lines that may be left out from the end. */
interface Section {
  readonly head: string;
  readonly lines: readonly string[];
}

/** The sections in the order of their weight; what does not fit is counted in the last line. */
export function formatMemory(memory: Memory, context: MemoryContext, maxBytes: number): string {
  const { front, lessons, effects, failures, dropped } = memory;
  const cares = (metric: string) => directionOf(metric, context) !== 0;
  const sections: Section[] = [
    { head: headOf(memory), lines: memory.operators.map(formatOperator) },
    {
      head: 'front',
      lines: front.map((one) => `${one.id}: ${metricsOf(one.metrics, cares)}  ${one.description}`),
    },
    {
      head: 'lessons',
      lines: lessons.map(
        ({ kind, text, evidence }) => `${kind}: ${text}; trials ${evidence.join(' ')}`,
      ),
    },
    {
      head: 'failures',
      lines: failures.map((group) => `${formatFailure(group)}; trials ${group.trials.join(' ')}`),
    },
    {
      head: 'effects (child against parent, median [95 %])',
      lines: effects.filter(({ metric }) => cares(metric)).map(formatEffect),
    },
  ];
  const unsaid = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  return assemble(
    sections.filter(({ lines }) => lines.length > 0),
    unsaid,
    maxBytes,
  );
}

function assemble(sections: readonly Section[], unsaid: number, maxBytes: number): string {
  const said: string[] = sections.length === 0 ? ['nothing tried yet'] : [];
  let left = unsaid;
  // Room for the line that says what is missing.
  let room = maxBytes - 80;
  for (const { head, lines } of sections) {
    for (const [i, line] of lines.entries()) {
      const text = i === 0 ? `${head}\n  ${line}` : `  ${line}`;
      const bytes = Buffer.byteLength(text) + 1;
      if (bytes > room) {
        left++;
        continue;
      }
      room -= bytes;
      said.push(text);
    }
  }
  if (left > 0) said.push(`(${left} more entries left out: the limit is ${maxBytes} bytes)`);
  return said.join('\n');
}

function headOf({ scope, trial, tried, plateau }: Memory): string {
  const from = trial === null ? '' : ` of trial ${trial}`;
  const since = `${plateau.trialsSince} trials since the last improvement`;
  const which = plateau.lastImprovement === null ? '' : ` (trial ${plateau.lastImprovement})`;
  const state = plateau.isPlateau ? 'plateau' : 'progress';
  return `${scope}${from}: ${formatStates(tried)}; ${state}: ${since}${which}`;
}

function formatOperator({ operator, states }: Memory['operators'][number]): string {
  return `${operator}: ${formatStates(states)}`;
}

function formatStates(states: Readonly<Record<TrialState, number>>): string {
  return Object.entries(states)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}

function metricsOf(metrics: Trial['metrics'], cares: (metric: string) => boolean): string {
  return Object.entries(metrics)
    .filter(([metric]) => cares(metric))
    .map(([metric, value]) => `${metric} ${Number(value.toPrecision(4))}`)
    .join(', ');
}
