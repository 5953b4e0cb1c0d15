/**
 * Variants of a model beside the model itself, on the same inputs, in the runner process: how far
 * their outputs are apart, and how often each is right where labels are known.
 */
import { errorMessage } from '../errors.js';
import {
  type HostTensor,
  Session,
  type SessionOptions,
  type TaskContext,
} from '../runtime/runtime.js';
import { batchesOf, type TrialInputs } from './trial-inputs.js';

export interface ScoreArgs {
  /** Bytes of the model that the others are held against. */
  readonly reference: Uint8Array;
  readonly variants: readonly Uint8Array[];
  readonly inputs: TrialInputs;
  /** Classes of the labels; accuracy needs an output with as many scores. */
  readonly classes?: number;
  readonly options: SessionOptions;
}

/** Share of the images whose greatest score is that of the label. */
export interface Accuracy {
  readonly correct: number;
  readonly count: number;
}

/** How far the float outputs of a variant are from the reference's, all runs together. */
export interface OutputError {
  /** 10·log10(Σ reference² ÷ Σ difference²) of the worst output; null where nothing differs. */
  readonly sqnrDb: number | null;
  readonly maxAbs: number;
  /** Share of rows with the same greatest score in the first output; null where it holds no scores. */
  readonly top1Agreement: number | null;
  /** False where the variant gave infinities or NaN and the reference did not. */
  readonly finite: boolean;
}

export type VariantScore =
  | { readonly ran: true; readonly accuracy: Accuracy | null; readonly error: OutputError }
  | { readonly ran: false; readonly reason: string };

export interface ScoreResult {
  readonly runs: number;
  readonly accuracy: Accuracy | null;
  readonly variants: readonly VariantScore[];
}

/** Runs everything. Throws where the reference cannot run; a variant that cannot says so. */
export async function scoreTask(args: ScoreArgs, context: TaskContext): Promise<ScoreResult> {
  const { inputs, options, classes } = args;
  const reference = await Session.create(args.reference, options);
  const contestants = await Promise.all(args.variants.map((bytes) => open(bytes, options)));
  const truth = new Tally(classes);
  let runs = 0;
  try {
    for (const { feeds, labels } of batchesOf(reference, inputs, context)) {
      const expected = Object.values(await reference.run(feeds));
      truth.count(expected, labels);
      for (const contestant of contestants) {
        if (contestant.session === undefined) continue;
        const received = Object.values(await contestant.session.run(feeds));
        contestant.tally.count(received, labels);
        contestant.difference.add(expected, received);
      }
      runs++;
    }
  } finally {
    for (const { session } of contestants) session?.release();
    reference.release();
  }
  return {
    runs,
    accuracy: truth.accuracy,
    variants: contestants.map(({ session, reason, tally, difference }) =>
      session === undefined
        ? { ran: false, reason }
        : { ran: true, accuracy: tally.accuracy, error: difference.error },
    ),
  };

  async function open(bytes: Uint8Array, sessionOptions: SessionOptions) {
    const state = { tally: new Tally(classes), difference: new Difference() };
    try {
      return { ...state, session: await Session.create(bytes, sessionOptions), reason: '' };
    } catch (error) {
      return { ...state, session: undefined, reason: errorMessage(error) };
    }
  }
}

/** The class of each row, where the output is [rows, classes] or has only ones behind. */
function topClasses(output: HostTensor | undefined): number[] | undefined {
  if (output?.dtype !== 'float32') return undefined;
  const [rows = 0, classes = 0, ...rest] = output.dims;
  if (classes < 2 || rest.some((dim) => dim !== 1)) return undefined;
  return Array.from({ length: rows }, (_, row) => {
    const scores = output.data.subarray(row * classes, (row + 1) * classes) as Float32Array;
    return scores.reduce((best, score, i) => (score > (scores[best] as number) ? i : best), 0);
  });
}

class Tally {
  #correct = 0;
  #count = 0;

  constructor(private readonly classes: number | undefined) {}

  count(outputs: readonly HostTensor[], labels: ArrayLike<number | bigint> | undefined): void {
    const output = outputs.find(({ dims }) => dims[1] === this.classes);
    const classes = labels && topClasses(output);
    classes?.forEach((top, row) => {
      this.#count++;
      if (top === Number(labels?.[row])) this.#correct++;
    });
  }

  get accuracy(): Accuracy | null {
    return this.#count === 0 ? null : { correct: this.#correct, count: this.#count };
  }
}

class Difference {
  readonly #signal: number[] = [];
  readonly #noise: number[] = [];
  #maxAbs = 0;
  #finite = true;
  #agreed = 0;
  #rows = 0;

  add(expected: readonly HostTensor[], received: readonly HostTensor[]): void {
    expected.forEach(({ dtype, data }, output) => {
      const other = received[output]?.data as Float32Array;
      if (dtype !== 'float32') return;
      let [signal, noise] = [0, 0];
      for (let i = 0; i < data.length; i++) {
        const value = data[i] as number;
        const error = (other[i] as number) - value;
        if (!Number.isFinite(value)) continue;
        if (!Number.isFinite(error)) {
          this.#finite = false;
          continue;
        }
        signal += value * value;
        noise += error * error;
        this.#maxAbs = Math.max(this.#maxAbs, Math.abs(error));
      }
      this.#signal[output] = (this.#signal[output] ?? 0) + signal;
      this.#noise[output] = (this.#noise[output] ?? 0) + noise;
    });
    const [mine, theirs] = [topClasses(expected[0]), topClasses(received[0])];
    mine?.forEach((top, row) => {
      this.#rows++;
      if (top === theirs?.[row]) this.#agreed++;
    });
  }

  get error(): OutputError {
    const ratios = this.#signal.map((signal, i) => signal / (this.#noise[i] as number));
    const worst = Math.min(...ratios.filter((ratio) => !Number.isNaN(ratio)));
    return {
      sqnrDb: Number.isFinite(worst) ? 10 * Math.log10(worst) : null,
      maxAbs: this.#maxAbs,
      top1Agreement: this.#rows === 0 ? null : this.#agreed / this.#rows,
      finite: this.#finite,
    };
  }
}
