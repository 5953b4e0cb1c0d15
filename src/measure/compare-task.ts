/**
 * A comparison, as a task of the runner: what runs in the worker, beside the addon. Plain data in,
 * plain data out. Rounds are made until a verdict stands or the budget ends.
 */
import { type ElementType, type Feeds, loadBinding } from '../runtime/runtime.js';
import { compareOutputs, explainSignatures, type OutputDifference } from './compare-outputs.js';
import {
  type Both,
  Contest,
  type ContestArgs,
  judgeRounds,
  type Loaded,
  type Round,
  type Side,
} from './compare-round.js';
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

export interface CompareArgs extends ContestArgs {
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
    threads: args.session.threads,
  };
  const contest = new Contest(args);
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

/** Runs both models on the same input set, where they take the same and give the same. */
async function differenceOf({ a, b }: Both<Loaded>): Promise<OutputDifference> {
  const reason =
    explainSignatures('input', a.session.inputs, b.session.inputs) ??
    explainSignatures('output', a.session.outputs, b.session.outputs) ??
    explainShapes(describeInputs(a), describeInputs(b));
  if (reason !== undefined) return { comparable: false, reason };
  const feeds = a.inputSets[0] as Feeds;
  return compareOutputs(await a.session.run(feeds), await b.session.run(feeds));
}

function explainShapes(a: Contestant['inputs'], b: Contestant['inputs']): string | undefined {
  const odd = Object.entries(a).find(([name, { shape }]) => `${b[name]?.shape}` !== `${shape}`);
  if (odd === undefined) return undefined;
  const [name, { shape }] = odd;
  return `input ${name}: shapes [${shape}] and [${b[name]?.shape}]`;
}

function describeInputs({ inputSets }: Loaded): Contestant['inputs'] {
  return Object.fromEntries(
    Object.entries(inputSets[0] ?? {}).map(([name, { dims: shape, dtype: type }]) => [
      name,
      { shape, type },
    ]),
  );
}
