/** A run around a language-model agent, without search, training or device. */
import type { Notebook, Problem, RunView } from '../../../src/agent/agent.js';
import { createLlmAgent } from '../../../src/agent/llm/llm.js';
import type { LlmOptions } from '../../../src/agent/llm/options.js';
import type { Workbench } from '../../../src/agent/llm/workbench.js';
import { createOperators } from '../../../src/agent/operators.js';
import { examineStatically } from '../../../src/evaluate/static.js';
import { hashGraph } from '../../../src/ir/hash.js';
import type { Space } from '../../../src/space/space.js';
import type { Json, Proposal, Trial } from '../../../src/trial/trial.js';
import { Rng } from '../../../src/util/random.js';
import { constraints, space as convSpace, objectives, scoreArchitecture } from '../landscape.js';

export const KEY = 'sk-very-secret-0123456789';

export const space = convSpace as unknown as Space<Json>;

const limits = { maxParams: 2e7, maxMacs: 2e9, maxActivationBytes: 2 ** 28, maxNodes: 2000 };

export function createWorkbench(of: Space<Json> = space): Workbench {
  return {
    space: of,
    check(architecture) {
      const graph = of.decode(of.parse(architecture));
      const { illegal, metrics, violations } = examineStatically(graph, limits);
      return {
        ...{ hash: hashGraph(graph), description: of.describe(architecture), metrics, violations },
        ...(illegal !== undefined && { refusal: illegal }),
      };
    },
    readMemory: () => 'nothing tried yet',
  };
}

/** Keeps entries as the ledger does: as JSON. */
export function createNotebook(entries: string[] = []): Notebook & { readonly entries: string[] } {
  return {
    entries,
    read: () => entries.map((text) => JSON.parse(text) as Json),
    append: (entry) => {
      entries.push(JSON.stringify(entry));
    },
  };
}

/** A trial of a sampled architecture; `more` changes it. */
export function makeTrial(id: number, more: Partial<Trial> = {}): Trial {
  const architecture = convSpace.sample(new Rng(`trial ${id}`));
  const graph = convSpace.decode(architecture);
  return Object.freeze({
    id,
    agent: 'random',
    operator: 'sample',
    parents: [],
    architecture,
    hash: hashGraph(graph),
    description: convSpace.describe(architecture),
    costSeconds: 1,
    state: 'complete',
    metrics: scoreArchitecture(architecture),
    ...more,
  } as Trial);
}

export interface Setup {
  readonly options: Partial<LlmOptions> & Pick<LlmOptions, 'baseUrl'>;
  readonly trials?: readonly Trial[];
  readonly notebook?: Notebook;
  readonly bench?: Workbench;
  readonly signal?: AbortSignal;
}

/** The agent, and the seconds that it waited between tries (in no time). */
export function createBenchAgent({ options, trials = [], notebook, bench, signal }: Setup) {
  const sleeps: number[] = [];
  const book = notebook ?? createNotebook();
  const workbench = bench ?? createWorkbench();
  const problem: Problem = { operators: createOperators(workbench.space), objectives, constraints };
  const view: RunView = {
    trials: () => trials,
    stages: () => [{ stage: 'measure', outcome: { status: 'passed', detail: { p50: 1 } } }],
    notebook: () => book,
    signal,
  };
  const agent = createLlmAgent(
    problem,
    view,
    workbench,
    {
      provider: 'openai-compatible',
      model: 'loopback',
      apiKey: KEY,
      maxTokens: 1_000_000,
      priceInput: 1,
      priceOutput: 10,
      proposalsPerCall: 2,
      timeoutSeconds: 5,
      ...options,
    },
    async (seconds) => {
      sleeps.push(seconds);
    },
  );
  const propose = (ask = 1): Promise<Proposal> => agent.propose(new Rng(`ask ${ask}`), ask);
  return { agent, propose, sleeps };
}

/** Architectures that nobody tried. */
export function drafts(count: number, seed = 0): { operator: 'draft'; architecture: Json }[] {
  return Array.from({ length: count }, (_, i) => ({
    operator: 'draft',
    architecture: convSpace.sample(new Rng(`draft ${seed} ${i}`)),
  }));
}
