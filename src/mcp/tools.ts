/** The tools of the MCP server: each reads a run, or hands something in to it. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { ArchwrightError, errorMessage, UsageError } from '../errors.js';
import { scopes } from '../memory/scope.js';
import type { Json } from '../trial/trial.js';
import { VERSION } from '../util/version.js';
import { brokenBy, duplicateOf, examineDraft, oneLine } from './draft.js';
import type { ServedRun } from './run.js';

/** Longest wait of one call: clients give up after a minute as a rule. */
const MAX_WAIT_SECONDS = 50;
/** Trials of one page. */
const MAX_PAGE = 100;
/** Most elements and members of one call's arguments. */
const MAX_ELEMENTS = 10_000;

const wait = z
  .number()
  .min(0)
  .max(MAX_WAIT_SECONDS)
  .default(MAX_WAIT_SECONDS)
  .describe('Seconds to wait for the outcome; ask again with read_submission');
const forms = {
  architecture: z.unknown().optional().describe('A point of the space, see describe_run'),
  graph: z.string().optional().describe('Or a graph in the ONNX textual syntax'),
  onnx: z.string().optional().describe('Or an ONNX file in base64'),
};
const id = z.int().min(1);

/** A server of one connection to `run`; `finished` resolves when the run has come to its end. */
export function createMcpServer(run: ServedRun, finished: Promise<unknown>): McpServer {
  const server = new McpServer(
    { name: 'archwright', version: VERSION },
    {
      instructions:
        'Design neural networks for the task of this run. describe_run says what is wanted, ' +
        'read_memory what was learned so far. submit_candidate trains and measures a candidate on ' +
        'the device, within the budget. finish_run ends the search and returns the front.',
      maxToolInputElements: MAX_ELEMENTS,
    },
  );
  const readOnly = { annotations: { readOnlyHint: true } };

  server.registerTool(
    'describe_run',
    {
      description:
        'The task, the objectives and limits, the space with its decisions, and the budget left.',
      ...readOnly,
    },
    () => answer(() => run.describe()),
  );
  server.registerTool(
    'read_memory',
    {
      description:
        'What was learned: effects of changes on this device, failures and why, lessons.',
      inputSchema: {
        scope: z.enum(scopes).default('global').describe('The others are seen from a trial'),
        trial: id.optional(),
        bytes: z.int().min(256).max(65_536).default(4096),
      },
      ...readOnly,
    },
    ({ scope, trial, bytes }) =>
      answer(() =>
        run.memory({ scope, maxTextBytes: bytes, ...(trial !== undefined && { trial }) }),
      ),
  );
  server.registerTool(
    'read_front',
    { description: 'The trials that no other dominates, and the human designs.', ...readOnly },
    () =>
      answer(() => {
        const { front, baselines, constraints } = run.summary();
        return { front, baselines, constraints };
      }),
  );
  server.registerTool(
    'list_trials',
    {
      description: 'Ended trials in their order, without their stages.',
      inputSchema: {
        offset: z.int().min(0).default(0),
        limit: z.int().min(1).max(MAX_PAGE).default(20),
      },
      ...readOnly,
    },
    ({ offset, limit }) =>
      answer(() => {
        const trials = run.trials();
        return { total: trials.length, trials: trials.slice(offset, offset + limit) };
      }),
  );
  server.registerTool(
    'read_trial',
    { description: 'One trial with its stages.', inputSchema: { trial: id }, ...readOnly },
    ({ trial }) => answer(() => run.trial(trial)),
  );
  server.registerTool(
    'profile_trial',
    {
      description: "Where a trial's time goes on the device: by operator, and the slowest nodes.",
      inputSchema: { trial: id },
      ...readOnly,
    },
    ({ trial }) => answer(() => run.profile(trial)),
  );
  server.registerTool(
    'check_draft',
    {
      description:
        'What a candidate costs by its graph alone, and whether it is legal and new. Costs nothing.',
      inputSchema: forms,
      ...readOnly,
    },
    (draft) =>
      answer(() => {
        const examined = examineDraft(draft, run.open);
        const { params, macs, weightsBytes, activationPeakBytes } = examined.cost;
        return {
          description: examined.design.description,
          duplicate: duplicateOf(examined, run.open) ?? null,
          cost: { params, macs, weightsBytes, activationPeakBytes },
          violations: brokenBy(examined, run.open, run.summary().constraints),
        };
      }),
  );
  server.registerTool(
    'submit_candidate',
    {
      description: 'Trains and measures a candidate. Takes one trial of the budget.',
      inputSchema: {
        ...forms,
        parents: z.array(id).max(8).default([]).describe('Trials that it was made from'),
        operator: z
          .string()
          .regex(/^[a-z]{1,24}$/, 'expected a lower-case word such as draft, improve, crossover')
          .default('draft'),
        waitSeconds: wait,
      },
    },
    ({ parents, operator, waitSeconds, ...draft }) =>
      answer(() => run.submit(draft, { parents, operator }, waitSeconds)),
  );
  server.registerTool(
    'read_submission',
    {
      description: 'What became of a submission.',
      inputSchema: { submission: id, waitSeconds: wait },
      ...readOnly,
    },
    ({ submission, waitSeconds }) => answer(() => run.submission(submission, waitSeconds)),
  );
  server.registerTool(
    'finish_run',
    {
      description:
        'Ends the search: what is queued is evaluated, champions are retrained, the hidden split is opened once. Ask again until it is finished; the server stops then.',
      inputSchema: { waitSeconds: wait },
    },
    ({ waitSeconds }) =>
      answer(async () => {
        run.open.inbox.close('the run is being finished');
        await settledWithin(finished, waitSeconds);
        const { status, front, baselines } = run.summary();
        return { status, front, baselines };
      }),
  );
  return server;
}

/** The result as text; an error of the caller's as one line. */
async function answer(work: () => unknown): Promise<CallToolResult> {
  try {
    const result = await work();
    const text = typeof result === 'string' ? result : JSON.stringify(result as Json);
    return { content: [{ type: 'text', text }] };
  } catch (error) {
    if (!(error instanceof ArchwrightError)) throw error;
    const kind = error instanceof UsageError ? '' : `${error.name}: `;
    return {
      isError: true,
      content: [{ type: 'text', text: kind + oneLine(errorMessage(error)) }],
    };
  }
}

async function settledWithin(work: Promise<unknown>, seconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, seconds * 1e3);
  });
  await Promise.race([work.catch(() => {}), timeout]);
  clearTimeout(timer);
}
