/**
 * What a model may propose: a whole architecture, changes of named decisions of a trial, or a child of
 * two trials. Each is data that the space turns into a point of itself; anything else is refused with
 * a reason.
 */
import { z } from 'zod';
import { UsageError } from '../../errors.js';
import type { Space } from '../../space/space.js';
import type { Json, Proposal, Trial } from '../../trial/trial.js';
import type { Problem } from '../agent.js';

/** Changes at once: beyond these a draft says it better. */
const MOST_CHANGES = 16;
const REASON_CHARACTERS = 500;

/** One proposal, as JSON. */
export function createProposalSchema({ schema, decisions }: Space<Json>) {
  const trial = z.int().positive().describe('Number of a trial');
  const decision = z.enum(decisions.map(({ name }) => name));
  const value = z.union([z.number(), z.string().max(64), z.boolean()]);
  const reason = z.string().max(REASON_CHARACTERS).optional().describe('Why it should be better');
  const changes = z.array(z.strictObject({ decision, value })).min(1).max(MOST_CHANGES);
  return z.discriminatedUnion('operator', [
    z.strictObject({ operator: z.literal('draft'), architecture: schema, reason }),
    z.strictObject({ operator: z.literal('improve'), parent: trial, changes, reason }),
    z.strictObject({ operator: z.literal('debug'), parent: trial, changes, reason }),
    z.strictObject({
      operator: z.literal('crossover'),
      first: trial,
      second: trial,
      fromSecond: z.array(decision).min(1).max(decisions.length),
      reason,
    }),
  ]);
}

export type ProposalInput =
  | { readonly operator: 'draft'; readonly architecture: Json }
  | {
      readonly operator: 'improve' | 'debug';
      readonly parent: number;
      readonly changes: readonly { readonly decision: string; readonly value: Json }[];
    }
  | {
      readonly operator: 'crossover';
      readonly first: number;
      readonly second: number;
      readonly fromSecond: readonly string[];
    };

/** Turns answers into proposals. */
export function createProposalReader(
  space: Space<Json>,
  { operators }: Problem,
  trials: () => readonly Trial[],
) {
  const schema = createProposalSchema(space);
  const { decisions } = operators;

  const trialOf = (id: number): Trial => {
    const trial = trials().find((one) => one.id === id);
    if (trial === undefined) throw new UsageError(`trial ${id}: there is none that has ended`);
    return trial;
  };
  /** The options that a trial took. Human designs are no points of the space. */
  const choicesOf = ({ id, architecture }: Trial): number[] => {
    try {
      return [...operators.choices(architecture)];
    } catch {
      throw new UsageError(`trial ${id}: not a point of the space, so nothing can be made from it`);
    }
  };
  const indexOf = (name: string) => decisions.findIndex((one) => one.name === name);

  const edit = (input: Extract<ProposalInput, { parent: number }>): Proposal => {
    const { operator, parent: id, changes } = input;
    const parent = trialOf(id);
    if (operator === 'debug' && parent.state !== 'failed' && parent.state !== 'infeasible') {
      throw new UsageError(`trial ${id}: debug is for failed and infeasible trials; use improve`);
    }
    const before = choicesOf(parent);
    const choices = [...before];
    for (const { decision, value } of changes) {
      const values = decisions[indexOf(decision)]?.values ?? [];
      const option = values.indexOf(value as string);
      if (option < 0) {
        const known = values.join(', ');
        throw new UsageError(`${decision}: expected one of ${known}, received ${toText(value)}`);
      }
      choices[indexOf(decision)] = option;
    }
    const architecture = operators.fromChoices(choices);
    const after = operators.choices(architecture);
    const idle = changes.find(({ decision }) => after[indexOf(decision)] === -1);
    if (idle !== undefined) {
      throw new UsageError(`${idle.decision}: has no meaning in that architecture`);
    }
    return { architecture, operator, parents: [id] };
  };

  const cross = (input: Extract<ProposalInput, { first: number }>): Proposal => {
    const { operator, first, second, fromSecond } = input;
    if (first === second) throw new UsageError('crossover: expected two different trials');
    const choices = choicesOf(trialOf(first));
    const other = choicesOf(trialOf(second));
    for (const name of fromSecond) {
      const option = other[indexOf(name)];
      if (option !== undefined && option >= 0) choices[indexOf(name)] = option;
    }
    return { architecture: operators.fromChoices(choices), operator, parents: [first, second] };
  };

  return {
    schema,
    /** @throws UsageError with what is wrong, in one line. */
    read(json: Json): Proposal {
      const result = schema.safeParse(json);
      if (!result.success) throw new UsageError(complaintOf(result.error));
      const input = result.data as unknown as ProposalInput;
      if (input.operator === 'crossover') return cross(input);
      if (input.operator !== 'draft') return edit(input);
      const architecture = space.parse(input.architecture);
      return { architecture, operator: 'draft', parents: [] };
    },
  };
}

function complaintOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  const path = issue?.path.map(String).join('.') || 'proposal';
  return `${path}: ${issue?.message ?? 'not as the schema says'}`;
}

function toText(value: Json): string {
  return JSON.stringify(value).slice(0, 60);
}
