/**
 * One-shot search as an agent: at its first ask it has a supernet trained, and then proposes the
 * architectures that the learnt distribution makes most probable. It only proposes: each is trained,
 * measured and judged as any other candidate.
 */
import { ArchwrightError, InternalError } from '../../errors.js';
import type { Json, Proposal, Trial } from '../../trial/trial.js';
import type { Rng } from '../../util/random.js';
import { Exhausted, type Problem, type RunView, type WaitingAgent } from '../agent.js';
import { mostProbable } from './ranking.js';

export const SUPERNET_AGENT = 'supernet';

/** How long its training lasts where a configuration does not say: what ends first. */
export const supernetDefaults = {
  /** Share of the time budget; a budget of trials has none. */
  share: 0.3,
  epochs: 20,
};

/** What a training came to. */
export interface Learnt {
  /** Probability of each option of each decision. */
  readonly probabilities: readonly (readonly number[])[];
  /** Device time it took, measurements for it included. */
  readonly seconds: number;
  /** Facts for people. */
  readonly detail: Json;
}

export interface TrainingCall {
  readonly seed: number;
  /** Largest latency that the run allows, in milliseconds. */
  readonly limitMs?: number;
  /** What an earlier process handed to `onPlan`: with it the training gives what it would have given. */
  readonly plan?: Json;
  /** Gets whatever the result depends on besides the seed, before the training. */
  onPlan(plan: Json): void;
  readonly signal: AbortSignal | undefined;
}

/** Trains a supernet of the run's space on the run's data. */
export type TrainSupernet = (call: TrainingCall) => Promise<Learnt>;

type Note =
  | { readonly kind: 'plan'; readonly plan: Json }
  | { readonly kind: 'learnt'; readonly learnt: Learnt }
  | { readonly kind: 'failed'; readonly message: string };

/** An agent that has its supernet trained by `train`, once in a run. */
export function createSupernetAgent(
  { operators, constraints }: Problem,
  view: RunView,
  train: TrainSupernet,
): WaitingAgent {
  const notebook = view.notebook(SUPERNET_AGENT);
  const noteOf = <K extends Note['kind']>(kind: K) =>
    (notebook.read() as unknown as readonly Note[]).find((note) => note.kind === kind) as
      | Extract<Note, { readonly kind: K }>
      | undefined;
  const write = (note: Note) => notebook.append(note as unknown as Json);
  const limits = constraints.flatMap(({ metric, max }) =>
    metric === 'latencyMs' && max !== undefined ? [max] : [],
  );

  async function learn(rng: Rng): Promise<Learnt> {
    const plan = noteOf('plan')?.plan;
    try {
      const learnt = await train({
        seed: rng.uint32(),
        ...(limits.length > 0 && { limitMs: Math.min(...limits) }),
        ...(plan !== undefined && { plan }),
        onPlan: (made) => {
          if (noteOf('plan') === undefined) write({ kind: 'plan', plan: made });
        },
        signal: view.signal,
      });
      write({ kind: 'learnt', learnt });
      return learnt;
    } catch (error) {
      // A training that failed is the end of this agent, not of the run.
      if (view.signal?.aborted === true || !(error instanceof ArchwrightError)) throw error;
      if (error instanceof InternalError) throw error;
      write({ kind: 'failed', message: error.message });
      throw new Exhausted(error.message);
    }
  }

  const ranked = createRanking(operators.fromChoices);
  let hasOwnTrial = false;
  return {
    name: SUPERNET_AGENT,
    async propose(rng, ask): Promise<Proposal> {
      const failed = noteOf('failed');
      if (failed !== undefined) throw new Exhausted(failed.message);
      const { probabilities } = noteOf('learnt')?.learnt ?? (await learn(rng));
      const architecture = ranked(probabilities, ask);
      if (architecture === undefined) throw new Exhausted('it has proposed the whole space');
      return { architecture, operator: 'most-probable', parents: [] };
    },
    observe(_trial: Trial) {
      hasOwnTrial = true;
    },
    ownSeconds: () => (hasOwnTrial ? (noteOf('learnt')?.learnt.seconds ?? 0) : 0),
  };
}

/** The architecture of rank 1, 2, …, none twice; ranks are asked for in any order. */
function createRanking(fromChoices: (choices: readonly number[]) => Json) {
  const found: Json[] = [];
  const seen = new Set<string>();
  let source: Generator<readonly number[], void> | undefined;
  return (probabilities: Learnt['probabilities'], rank: number): Json | undefined => {
    source ??= mostProbable(probabilities);
    while (found.length < rank) {
      const next = source.next();
      if (next.done === true) return undefined;
      const architecture = fromChoices(next.value);
      const key = JSON.stringify(architecture);
      if (seen.has(key)) continue;
      seen.add(key);
      found.push(architecture);
    }
    return found[rank - 1];
  };
}
