/**
 * A comparison, as a task of the runner: what runs in the worker, beside the addon. Plain data in,
 * plain data out. Rounds are made until a verdict stands or the budget ends.
 */
import { type ElementType, type Feeds, loadBinding } from '../runtime/runtime.js';
import { Rng } from '../util/random.js';
import type { CandidateArgs, Loaded } from './candidate.js';
import { compareOutputs, explainDifference, type OutputDifference } from './compare-outputs.js';
import { type Both, Contest, judgeRounds, type Round, type Side } from './compare-round.js';
import {
  type CompareVerdict,
  decideVerdict,
  estimateRatio,
  LEAST_ROUNDS,
  LOOKS,
  type RatioEstimate,
} from './compare-statistics.js';
import { median, type Summary, summarize } from './statistics.js';
import { defaultWarmup, warmUp } from './warmup.js';

export interface CompareArgs extends Both<CandidateArgs> {
  /** Seed of who goes first. */
  readonly seed: number;
  /** Time for everything; `LEAST_ROUNDS` rounds are made nevertheless. */
  readonly maxSeconds: number;
}

/** What was seen of one model. */
export interface Contestant {
  readonly inputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly type: ElementType }>
  >;
  /** Of all windows that count. */
  readonly latencyMs: Summary;
  /** Median over rounds. */
  readonly loadMs: number;
}

/** `grouped`: a sample is the mean of several runs. `noisy`: most windows were disturbed. */
export type CompareFlag = 'grouped' | 'noisy';

export interface CompareResult extends RatioEstimate, Both<Contestant> {
  readonly verdict: CompareVerdict;
  /** Fresh sessions of each model. */
  readonly rounds: number;
  /** Pairs of windows that the ratio comes from, and those left out as disturbed. */
  readonly pairs: number;
  readonly discarded: number;
  readonly seconds: number;
  readonly outputs: OutputDifference;
  readonly flags: readonly CompareFlag[];
}

/** Share of the budget that may go into the first warm-up. */
const WARMUP_SHARE = 0.15;

/** Compares two models. Throws what ONNX Runtime refuses, as `ArchwrightError`. */
export async function compareTask(args: CompareArgs): Promise<CompareResult> {
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1e3;
  const surroundings = {
    logicalCores: loadBinding().hostFacts().logicalCores,
    threads: args.a.session.threads,
  };
  const contest = new Contest(args, new Rng(args.seed).fork('order'));
  const { outputs, inputs } = await rehearse(contest, args.maxSeconds);

  const rounds: Round[] = [];
  for (let looks = 0; ; ) {
    rounds.push(await contest.runRound(args.maxSeconds / LOOKS[0]));
    const over = elapsed() >= args.maxSeconds && rounds.length >= LEAST_ROUNDS;
    if (!over && rounds.length !== LOOKS[looks]) continue;
    const judged = judgeRounds(rounds, surroundings);
    const estimate = estimateRatio(judged.logRatios, over && looks === 0);
    const verdict = decideVerdict(estimate.ci95);
    looks++;
    if (verdict === 'UNCLEAR' && !over && looks < LOOKS.length) continue;
    const contestant = (side: Side): Contestant => ({
      inputs: inputs[side],
      latencyMs: summarize(
        judged.pairs.map((pair) => pair[side].samplesNs.map((sample) => sample / 1e6)),
      ),
      loadMs: median(rounds.map(({ loadMs }) => loadMs[side])),
    });
    return {
      verdict,
      ...estimate,
      rounds: rounds.length,
      pairs: judged.pairs.length,
      discarded: judged.discarded,
      seconds: elapsed(),
      outputs,
      flags: [
        ...(contest.grouped ? (['grouped'] as const) : []),
        ...(judged.noisy ? (['noisy'] as const) : []),
      ],
      a: contestant('a'),
      b: contestant('b'),
    };
  }
}

/** A round that does not count: wakes the machine up, and compares the outputs. */
function rehearse(contest: Contest, maxSeconds: number) {
  return contest.withSessions(async (loaded) => {
    const outputs = await differenceOf(loaded);
    await warmUp(
      async () => {
        const { a, b } = await contest.runPair(loaded);
        const seconds = (a.conditions.wallNs + b.conditions.wallNs) / 1e9;
        return { median: median(a.samplesNs) + median(b.samplesNs), seconds };
      },
      { ...defaultWarmup, maxSeconds: WARMUP_SHARE * maxSeconds },
    );
    return { outputs, inputs: { a: describeInputs(loaded.a), b: describeInputs(loaded.b) } };
  });
}

/** Runs both models on the same input set, where they take the same. */
async function differenceOf({ a, b }: Both<Loaded>): Promise<OutputDifference> {
  const [feedsA, feedsB] = [a.inputSets[0] as Feeds, b.inputSets[0] as Feeds];
  const reason = explainDifference('input', feedsA, feedsB);
  if (reason !== undefined) return { comparable: false, reason };
  return compareOutputs(await a.session.run(feedsA), await b.session.run(feedsB));
}

function describeInputs({ inputSets }: Loaded): Contestant['inputs'] {
  return Object.fromEntries(
    Object.entries(inputSets[0] ?? {}).map(([name, { dims: shape, dtype: type }]) => [
      name,
      { shape, type },
    ]),
  );
}
