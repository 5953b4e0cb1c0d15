/**
 * An agent that asks a language model. The model reads the run through tools (`tools.ts`) and hands in
 * proposals (`proposal.ts`); several come from one call and answer the asks that follow it. It needs
 * a server, and is loaded only where a configuration names one.
 */
import { z } from 'zod';
import { ArchwrightError } from '../../errors.js';
import type { Json, Proposal } from '../../trial/trial.js';
import type { Rng } from '../../util/random.js';
import { Exhausted, type Problem, type RunView, type WaitingAgent } from '../agent.js';
import { type CallContext, converse } from './conversation.js';
import { createRedactor } from './foreign.js';
import { createModel } from './model.js';
import type { LlmOptions } from './options.js';
import { describeTask, planTask } from './prompt.js';
import { createProposalReader } from './proposal.js';
import { type Sleep, sleepFor } from './retry.js';
import { createTools } from './tools.js';
import { Transcript } from './transcript.js';
import type { Workbench } from './workbench.js';

export const LLM_AGENT = 'llm';

/** Calls in a row without a usable proposal after which the model is given up. */
export const BARREN_CALLS = 3;

/** @param sleep waits between tries; for tests. */
export function createLlmAgent(
  problem: Problem,
  view: RunView,
  bench: Workbench,
  options: LlmOptions,
  sleep: Sleep = sleepFor,
): WaitingAgent {
  const redact = createRedactor(options.apiKey);
  const transcript = new Transcript(view.notebook(LLM_AGENT), options, redact);
  const reader = createProposalReader(bench.space, problem, () => view.trials());
  const shared = {
    model: createModel(options, redact),
    modelName: options.model,
    transcript,
    tools: createTools({ problem, view, bench, reader }),
    proposalSchema: z.toJSONSchema(reader.schema, { io: 'input' }) as unknown as Json,
    sleep,
    signal: view.signal,
  };

  const call = async (rng: Rng, ask: number): Promise<Proposal | undefined> => {
    const trials = view.trials();
    const task = planTask(trials, LLM_AGENT, problem, rng.fork('task'));
    const wanted = options.proposalsPerCall;
    const context: CallContext = {
      ...shared,
      admit: createAdmission(reader, bench, view),
      rng: rng.fork('retry'),
    };
    const text = describeTask(task, wanted, trials, problem);
    const { proposals, rejected, error } = await converse(context, text, wanted);
    const number = transcript.calls;
    transcript.append({ kind: 'result', call: number, ask, proposals, rejected });
    if (proposals.length === 0 && error !== undefined) {
      throw new Exhausted(redact(error.message), { cause: error });
    }
    return proposals[0];
  };

  return {
    name: LLM_AGENT,
    observe: () => {},
    async propose(rng, ask) {
      const known = transcript.proposalOf(ask);
      if (known !== undefined) return known;
      for (let round = 1; round <= BARREN_CALLS; round++) {
        const proposal = await call(rng.fork(round), ask);
        if (proposal !== undefined) return proposal;
      }
      throw new Exhausted(`${BARREN_CALLS} calls in a row brought no usable proposal`);
    },
  };
}

/** Takes proposals that are legal, and new to the run and to the call. */
function createAdmission(
  reader: ReturnType<typeof createProposalReader>,
  bench: Workbench,
  view: RunView,
): (json: Json) => Proposal {
  const accepted = new Set<string>();
  return (json) => {
    const proposal = reader.read(json);
    const { hash, refusal, violations } = bench.check(proposal.architecture);
    const same = view.trials().find((trial) => trial.hash === hash);
    if (same !== undefined) {
      throw new ArchwrightError(`known: the same network as trial ${same.id} (${same.state})`);
    }
    if (accepted.has(hash)) throw new ArchwrightError('known: proposed in this call already');
    if (refusal !== undefined) throw new ArchwrightError(refusal);
    const [broken] = violations;
    if (broken !== undefined) {
      const { metric, limit, actual } = broken;
      throw new ArchwrightError(`${metric}: expected at most ${limit}, it has ${actual}`);
    }
    accepted.add(hash);
    return proposal;
  };
}
