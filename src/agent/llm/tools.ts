/**
 * The tools of a model. They read; the one that proposes fills a list. None takes a path, an address
 * or a command. What they answer is JSON: foreign text stands in it as bounded strings.
 */
import { z } from 'zod';
import { ArchwrightError, InternalError } from '../../errors.js';
import { scopes } from '../../memory/scope.js';
import { rankTrials } from '../../trial/rank.js';
import type { Json, Trial } from '../../trial/trial.js';
import type { Problem, RunView } from '../agent.js';
import { quoteJson, quoteText } from './foreign.js';
import type { ToolSpec } from './model.js';
import type { createProposalReader } from './proposal.js';
import type { Workbench } from './workbench.js';

/** Characters of a tool's answer. */
export const MAX_ANSWER_CHARACTERS = 6000;
/** Bytes of what the run's own trials taught. */
const MEMORY_BYTES = 3500;
const MOST_LISTED = 20;

export const PROPOSE = 'propose';

export interface ToolContext {
  readonly problem: Problem;
  readonly view: RunView;
  readonly bench: Workbench;
  readonly reader: ReturnType<typeof createProposalReader>;
}

export interface Tool extends ToolSpec {
  /** @throws ArchwrightError with a line for the model. */
  run(input: Json): Json;
}

/** All tools but `propose`. */
export function createTools({ problem, view, bench, reader }: ToolContext): readonly Tool[] {
  const trial = z.strictObject({ trial: z.int().positive().describe('Number of a trial') });
  const draft = z.strictObject({ proposal: reader.schema });
  const find = (id: number): Trial => {
    const found = view.trials().find((one) => one.id === id);
    if (found === undefined) throw new ArchwrightError(`trial ${id}: there is none that has ended`);
    return found;
  };
  return [
    define('describe_space', 'Decisions and values of the search space', none, () =>
      describeSpace(bench, problem),
    ),
    define(
      'list_trials',
      'Trials so far: the best ones, those that failed or broke a limit, or the latest',
      z.strictObject({
        which: z.enum(['best', 'failed', 'latest']),
        count: z.int().min(1).max(MOST_LISTED).default(10),
      }),
      ({ which, count }) => pick(view.trials(), problem, which).slice(0, count).map(summarize),
    ),
    define('inspect_trial', 'All that is known of a trial', trial, ({ trial: id }) => {
      const found = find(id);
      return { ...summarize(found), architecture: found.architecture, parents: found.parents };
    }),
    define(
      'profile_trial',
      'What was recorded of the stages of a trial: measurements, curves, memory',
      trial,
      ({ trial: id }) => {
        const stages = view.stages(find(id).id);
        return stages.map(({ stage, outcome }) => ({ stage, outcome: quoteJson(outcome, 200, 5) }));
      },
    ),
    define('predict_latency', 'Forecast latency of a proposal', draft, ({ proposal }) => {
      if (bench.predictLatency === undefined) return 'this run has no predictor';
      const { architecture } = reader.read(proposal as Json);
      const forecast = bench.predictLatency(architecture);
      if (forecast === undefined) return 'too few measurements to learn from yet';
      return { latencyMs: forecast.ms, interval: forecast.interval };
    }),
    define(
      'check_draft',
      'Whether a proposal is legal and new, and its static costs; spends nothing',
      draft,
      ({ proposal }) => {
        const { architecture } = reader.read(proposal as Json);
        const { hash, ...check } = bench.check(architecture);
        const known = view.trials().find((one) => one.hash === hash);
        return { ...check, ...(known && { sameAsTrial: known.id }) } as unknown as Json;
      },
    ),
    define(
      'read_memory',
      'What changes did to metrics, what failed and why, and lessons: of all trials (global), of those ' +
        'that share a parent with one (sibling), or of those that it came from (ancestor)',
      z.strictObject({
        scope: z.enum(scopes).default('global'),
        trial: z.int().positive().optional().describe('Trial that sibling and ancestor look from'),
      }),
      ({ scope, trial: id }) => {
        const from = { scope, ...(id !== undefined && { trial: id }) };
        const text = bench.readMemory({ ...from, maxTextBytes: MEMORY_BYTES });
        return { quoted: text.split('\n').map((line) => quoteText(line)) };
      },
    ),
  ];
}

/** Text of a tool's answer, whatever the model gave it. */
export function runTool(tools: readonly Tool[], name: string, input: Json): string {
  const tool = tools.find((one) => one.name === name);
  try {
    if (tool === undefined) throw new ArchwrightError('there is no such tool');
    return bounded(tool.run(input));
  } catch (error) {
    if (!(error instanceof ArchwrightError) || error instanceof InternalError) throw error;
    return bounded({ error: quoteText(error.message) });
  }
}

/** A trial as models see it. */
export function summarize(trial: Trial): { readonly [key: string]: Json } {
  const { id, agent, operator, state, description, metrics } = trial;
  return {
    trial: id,
    agent,
    operator,
    state,
    description: quoteText(description),
    metrics,
    ...(trial.state === 'infeasible' && { violations: trial.violations as unknown as Json }),
    ...((trial.state === 'failed' || trial.state === 'pruned') && {
      stage: trial.stage,
      quotedReason: quoteText(trial.reason),
    }),
  };
}

/** JSON of a value, cut where it is too long. */
export function bounded(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= MAX_ANSWER_CHARACTERS
    ? text
    : `${text.slice(0, MAX_ANSWER_CHARACTERS)}… (cut)`;
}

const none = z.object({});

function define<T>(
  name: string,
  description: string,
  schema: z.ZodType<T>,
  run: (input: T) => Json,
): Tool {
  return {
    name,
    description,
    schema: z.toJSONSchema(schema, { io: 'input' }) as unknown as Json,
    run(input) {
      const result = schema.safeParse(input ?? {});
      if (result.success) return run(result.data);
      const issue = result.error.issues[0];
      throw new ArchwrightError(`${issue?.path.map(String).join('.') || name}: ${issue?.message}`);
    },
  };
}

function describeSpace({ space }: Workbench, { objectives, constraints }: Problem): Json {
  const { name, task, decisions } = space;
  return {
    space: name,
    task: { ...task },
    objectives: objectives.map((one) => ({ ...one })),
    constraints: constraints.map((one) => ({ ...one })),
    decisions: Object.fromEntries(decisions.map((one) => [one.name, one.values])),
  };
}

function pick(
  trials: readonly Trial[],
  { objectives }: Problem,
  which: 'best' | 'failed' | 'latest',
): readonly Trial[] {
  if (which === 'best') return rankTrials(trials, objectives);
  const newest = trials.toReversed();
  if (which === 'latest') return newest;
  return newest.filter(({ state }) => state === 'failed' || state === 'infeasible');
}
