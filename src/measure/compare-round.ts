/**
 * Rounds of a comparison: a fresh session of each model, and pairs of windows, one of each model
 * right after the other. Which one goes first, in loading and in each block of pairs, is drawn at
 * random.
 */
import { ArchwrightError, errorMessage, UsageError } from '../errors.js';
import { Session } from '../runtime/runtime.js';
import type { Rng } from '../util/random.js';
import { type CandidateArgs, type Loaded, loadCandidate, releaseAll, runOf } from './candidate.js';
import { judgeWindows, type SampledWindow, type Surroundings } from './noise.js';
import { planWindows, runPlanned, type WindowPlan } from './sampler.js';
import { median } from './statistics.js';

/** One of two models. */
export type Side = 'a' | 'b';
export type Both<T> = Readonly<Record<Side, T>>;

/** A window of each model, one right after the other. */
export interface Pair extends Both<SampledWindow> {
  readonly first: Side;
}

export interface Round {
  /** In the order of time. */
  readonly pairs: readonly Pair[];
  readonly loadMs: Both<number>;
}

/** What a judge makes of rounds. */
export interface JudgedRounds {
  /** log(a ÷ b) of each round: the median over its pairs. */
  readonly logRatios: readonly number[];
  /** Pairs that count. */
  readonly pairs: readonly Pair[];
  /** Number of pairs left out. */
  readonly discarded: number;
  /** More than half of the windows were disturbed. */
  readonly noisy: boolean;
}

/** A pair's windows are to see the same machine, so they are shorter than those of `bench`. */
const WINDOW_NS = 10e6;
/** Pairs come in blocks of two, a b b a or b a a b, so that a drift within a block cancels: … */
const LEAST_BLOCKS = 2;
/** … as many as take the time that loading took, within this. */
const MOST_BLOCKS = 8;

/** Two models to be run against each other. Sessions of theirs live for a round. */
export class Contest {
  readonly #args: Both<CandidateArgs>;
  readonly #order: Rng;
  readonly #plans: Partial<Record<Side, WindowPlan>> = {};

  /** `order` draws who goes first. */
  constructor(args: Both<CandidateArgs>, order: Rng) {
    this.#args = args;
    this.#order = order;
  }

  /** Whether the runs of some sample are counted together. */
  get grouped(): boolean {
    return Object.values(this.#plans).some(({ group }) => group > 1);
  }

  /** Runs `work` with a fresh session of each model. */
  async withSessions<T>(work: (loaded: Both<Loaded>) => Promise<T>): Promise<T> {
    const first = this.#order.pick<Side>(['a', 'b']);
    const one = await this.#load(first);
    const other = await this.#load(otherThan(first));
    try {
      return await work(first === 'a' ? { a: one, b: other } : { a: other, b: one });
    } finally {
      releaseAll([one, other]);
    }
  }

  /** A window of each; the number of runs in the next ones follows from the time they took. */
  async runPair(loaded: Both<Loaded>, first: Side = this.#order.pick(['a', 'b'])): Promise<Pair> {
    const one = await this.#runWindow(loaded[first], first);
    const other = await this.#runWindow(loaded[otherThan(first)], otherThan(first));
    return first === 'a' ? { first, a: one, b: other } : { first, a: other, b: one };
  }

  /** Fresh sessions, a pair to warm them up that does not count, and blocks of pairs that do. */
  async runRound(maxSeconds: number): Promise<Round> {
    const start = performance.now();
    return this.withSessions(async (loaded) => {
      await this.runPair(loaded);
      const ready = performance.now();
      const pairs: Pair[] = [];
      for (let block = 0; block < MOST_BLOCKS; block++) {
        const now = performance.now();
        const enough = now - ready >= ready - start || now - start >= 1e3 * maxSeconds;
        if (block >= LEAST_BLOCKS && enough) break;
        const pair = await this.runPair(loaded);
        pairs.push(pair, await this.runPair(loaded, otherThan(pair.first)));
      }
      return {
        pairs,
        loadMs: { a: loaded.a.session.loadMs, b: loaded.b.session.loadMs },
      };
    });
  }

  async #load(side: Side): Promise<Loaded> {
    try {
      return await loadCandidate(this.#args[side], Session.create);
    } catch (cause) {
      const Kind = cause instanceof UsageError ? UsageError : ArchwrightError;
      throw new Kind(`model ${side}: ${errorMessage(cause)}`, { cause });
    }
  }

  async #runWindow({ timer }: Loaded, side: Side): Promise<SampledWindow> {
    const run = runOf(timer);
    const plan = this.#plans[side] ?? planWindows((await run(1, 1)).wallNs, WINDOW_NS);
    const { samplesNs, enqueueNs: _, ...conditions } = await runPlanned(run, plan);
    this.#plans[side] = planWindows(median(samplesNs), WINDOW_NS);
    return { samplesNs, referenceNs: undefined, conditions };
  }
}

/**
 * The rounds' log-ratios, of pairs neither of whose windows was disturbed. Where most windows were,
 * or all of a round, its pairs stay: what disturbs one of a pair mostly disturbs the other too.
 */
export function judgeRounds(rounds: readonly Round[], surroundings: Surroundings): JudgedRounds {
  const windows = rounds.flatMap(({ pairs }) =>
    pairs.flatMap((pair) => [pair[pair.first], pair[otherThan(pair.first)]]),
  );
  const judged = judgeWindows(windows, surroundings);
  const quiet = new Set(judged.kept);
  const kept = rounds.map(({ pairs }) => {
    const undisturbed = pairs.filter(({ a, b }) => quiet.has(a) && quiet.has(b));
    return judged.noisy || undisturbed.length === 0 ? pairs : undisturbed;
  });
  const pairs = kept.flat();
  return {
    logRatios: kept.map((round) => median(round.map(logRatio))),
    pairs,
    discarded: windows.length / 2 - pairs.length,
    noisy: judged.noisy,
  };
}

function logRatio({ a, b }: Pair): number {
  return Math.log(median(a.samplesNs) / median(b.samplesNs));
}

function otherThan(side: Side): Side {
  return side === 'a' ? 'b' : 'a';
}
