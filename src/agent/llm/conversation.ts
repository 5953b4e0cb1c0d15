/**
 * One call: a model is asked for proposals, uses its tools, and is told what was wrong, all within a
 * bounded number of requests. Every request is on record before it is sent, every answer before it is
 * looked at.
 */
import type { ModelMessage } from 'ai';
import { z } from 'zod';
import { ArchwrightError, InternalError } from '../../errors.js';
import type { Json, Proposal } from '../../trial/trial.js';
import type { Rng } from '../../util/random.js';
import { estimateTokens, type Usage } from './budget.js';
import { quoteText } from './foreign.js';
import { type Model, type ModelReply, type ToolCall, type ToolSpec, usageOf } from './model.js';
import { SYSTEM } from './prompt.js';
import { type Sleep, withRetries } from './retry.js';
import { bounded, PROPOSE, runTool, type Tool } from './tools.js';
import type { Transcript } from './transcript.js';
import { CallError } from './transport.js';

/** Requests of a call; in the last one only `propose` may be used. */
export const MAX_STEPS = 8;
/** Tool calls of an answer that are looked at. */
const MAX_CALLS = 8;
const MAX_TEXT = 8000;
/** Characters of a tool call's input. */
const MAX_INPUT = 32_000;
const MAX_PROPOSALS = 16;

/** There is not enough left for another request. */
export class BudgetSpent extends ArchwrightError {
  override name = 'BudgetSpent';
}

export interface CallContext {
  readonly model: Model;
  readonly modelName: string;
  readonly transcript: Transcript;
  readonly tools: readonly Tool[];
  /** JSON Schema of one proposal. */
  readonly proposalSchema: Json;
  /** The proposal, if it is legal and new. Throws `ArchwrightError` saying why it is not. */
  readonly admit: (json: Json) => Proposal;
  readonly rng: Rng;
  readonly sleep: Sleep;
  readonly signal: AbortSignal | undefined;
}

export interface CallResult {
  readonly proposals: readonly Proposal[];
  /** Why others were not taken. */
  readonly rejected: readonly string[];
  /** Why the call was broken off, if it was. */
  readonly error?: CallError | BudgetSpent;
}

/** Asks for `wanted` proposals. */
export async function converse(
  context: CallContext,
  task: string,
  wanted: number,
): Promise<CallResult> {
  const { transcript, tools, admit, proposalSchema, signal } = context;
  const call = transcript.calls + 1;
  const messages: ModelMessage[] = [{ role: 'user', content: task }];
  const proposals: Proposal[] = [];
  const rejected: string[] = [];
  const hand = proposeTool(proposalSchema);
  let recorded = 0;

  const take = (input: Json): Json => {
    const list = listOf(input);
    if (list === undefined) return { error: 'expected {"proposals": [ … ]}' };
    return list.slice(0, MAX_PROPOSALS).map((json) => {
      if (proposals.length >= wanted) return { rejected: `only ${wanted} are asked for` };
      try {
        proposals.push(admit(json));
        return 'accepted';
      } catch (error) {
        if (!(error instanceof ArchwrightError) || error instanceof InternalError) throw error;
        const reason = quoteText(error.message);
        rejected.push(reason);
        return { rejected: reason };
      }
    });
  };
  const answer = ({ name, input }: ToolCall, index: number): string => {
    if (index >= MAX_CALLS) return bounded({ error: `expected at most ${MAX_CALLS} calls` });
    if (JSON.stringify(input).length > MAX_INPUT)
      return bounded({ error: 'the input is too long' });
    return name === PROPOSE ? bounded(take(input)) : runTool(tools, name, input);
  };

  try {
    for (let step = 1; step <= MAX_STEPS && proposals.length < wanted; step++) {
      if (step === MAX_STEPS && proposals.length > 0) break;
      const fresh = messages.slice(recorded) as unknown as Json;
      const request = {
        system: SYSTEM,
        messages,
        // The last step offers nothing else; a model that still talks has spent its call.
        tools: step === MAX_STEPS ? [hand] : [...tools, hand],
        signal,
      };
      const reply = await send(context, request, { call, step, fresh });
      recorded = messages.length;
      if (reply.calls.length === 0) {
        const json = parseJson(reply.text);
        const outcome = json === undefined ? 'call the tool propose' : bounded(take(json));
        messages.push({ role: 'assistant', content: reply.text.slice(0, MAX_TEXT) || '…' });
        messages.push({ role: 'user', content: outcome });
      } else {
        messages.push(...exchange(reply, call, step, answer));
      }
    }
    return { proposals, rejected };
  } catch (error) {
    if (!(error instanceof CallError || error instanceof BudgetSpent)) throw error;
    return { proposals, rejected, error };
  }
}

/** One request, tried until it succeeds or cannot, all on record. */
function send(
  { model, modelName, transcript, rng, sleep, signal }: CallContext,
  request: Omit<Parameters<Model['send']>[0], 'maxOutputTokens'>,
  { call, step, fresh }: { call: number; step: number; fresh: Json },
): Promise<ModelReply> {
  const { budget } = transcript;
  const input = estimateTokens(
    JSON.stringify([request.system, request.messages, request.tools.map(({ schema }) => schema)]),
  );
  return withRetries(
    async (attempt) => {
      const maxOutputTokens = budget.outputFor(input);
      if (maxOutputTokens === 0) {
        throw new BudgetSpent(`its budget does not allow another request (${budget.describe()})`);
      }
      const reserved: Usage = { input, output: maxOutputTokens };
      const messages = attempt === 1 ? fresh : [];
      const entry = { call, step, attempt, model: modelName, messages, reserved };
      transcript.append({ kind: 'request', ...entry });
      const start = performance.now();
      const seconds = () => (performance.now() - start) / 1e3;
      try {
        const reply = await model.send({ ...request, maxOutputTokens });
        const { text, calls } = reply;
        const output = estimateTokens(JSON.stringify([text, calls]));
        const { usage, estimated } = usageOf(reply, { input, output });
        const usd = budget.usdOf(usage);
        const record = { text: text.slice(0, MAX_TEXT), calls: recordOf(calls) };
        transcript.append({ kind: 'reply', ...record, usage, estimated, usd, seconds: seconds() });
        return reply;
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        const usage = error.mayCost ? reserved : { input: 0, output: 0 };
        const { message: reason } = error;
        transcript.append({ kind: 'failure', reason, usage, seconds: seconds() });
        throw error;
      }
    },
    rng,
    sleep,
    signal,
  );
}

/** The model's tool calls and their results as messages, under names and ids of our own. */
function exchange(
  { text, calls }: ModelReply,
  call: number,
  step: number,
  answer: (call: ToolCall, index: number) => string,
): ModelMessage[] {
  const shown = calls.slice(0, MAX_CALLS + 1).map((one, i) => {
    const toolName = /^[\w-]{1,64}$/.test(one.name) ? one.name : 'unknown';
    const isObject = typeof one.input === 'object' && one.input !== null;
    const isShort = JSON.stringify(one.input).length <= MAX_INPUT;
    const input = isObject && isShort ? one.input : {};
    return { toolCallId: `call_${call}_${step}_${i}`, toolName, input, result: answer(one, i) };
  });
  return [
    {
      role: 'assistant',
      content: [
        ...(text === '' ? [] : [{ type: 'text' as const, text: text.slice(0, MAX_TEXT) }]),
        ...shown.map(({ result: _, ...part }) => ({ type: 'tool-call' as const, ...part })),
      ],
    },
    {
      role: 'tool',
      content: shown.map(({ toolCallId, toolName, result: value }) => ({
        type: 'tool-result' as const,
        toolCallId,
        toolName,
        output: { type: 'text' as const, value },
      })),
    },
  ];
}

function proposeTool(proposal: Json): ToolSpec {
  const proposals = { type: 'array', minItems: 1, maxItems: MAX_PROPOSALS, items: proposal };
  return {
    name: PROPOSE,
    description: 'Hand in proposals; the answer says which are accepted and why others are not',
    schema: {
      type: 'object',
      properties: { proposals },
      required: ['proposals'],
      additionalProperties: false,
    },
  };
}

function listOf(input: Json): readonly Json[] | undefined {
  const result = z.object({ proposals: z.array(z.json()) }).safeParse(input);
  return result.success ? (result.data.proposals as readonly Json[]) : undefined;
}

/** The JSON of a text that is nothing else, or has it in one fenced block. */
function parseJson(text: string): Json | undefined {
  if (text.length > MAX_INPUT) return undefined;
  const fenced = /```(?:json)?\s*([^`]*)```/.exec(text)?.[1];
  try {
    return JSON.parse(fenced ?? text) as Json;
  } catch {
    return undefined;
  }
}

function recordOf(calls: readonly ToolCall[]): Json {
  return calls.slice(0, MAX_CALLS + 1).map(({ name, input }) => {
    const text = JSON.stringify(input);
    return {
      name: quoteText(name, 64),
      input: text.length <= MAX_INPUT ? input : quoteText(text, 1000),
    };
  });
}
