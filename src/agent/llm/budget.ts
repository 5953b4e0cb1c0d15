/** Tokens and money of a run. What a request could cost at most must be left before it is sent. */
import type { LlmOptions } from './options.js';

/** Tokens of a request and its answer. */
export interface Usage {
  readonly input: number;
  readonly output: number;
}

/** The longest answer asked for, and the shortest that is worth a request. */
const MOST_OUTPUT_TOKENS = 4096;
const LEAST_OUTPUT_TOKENS = 256;
/** Few tokenisers make more tokens of text than one for so many bytes. */
const BYTES_PER_TOKEN = 3;

/** Tokens of a text, rather too many than too few. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

export class Budget {
  readonly #options: LlmOptions;
  #tokens = 0;
  #usd = 0;

  constructor(options: LlmOptions) {
    this.#options = options;
  }

  get tokens(): number {
    return this.#tokens;
  }

  get usd(): number {
    return this.#usd;
  }

  usdOf({ input, output }: Usage): number {
    const { priceInput, priceOutput } = this.#options;
    return (input * priceInput + output * priceOutput) / 1e6;
  }

  charge(usage: Usage): void {
    this.#tokens += usage.input + usage.output;
    this.#usd += this.usdOf(usage);
  }

  /** Tokens that the answer to a request may have; 0 where it would not be worth it. */
  outputFor(input: number): number {
    const { maxTokens, maxUsd, priceOutput } = this.#options;
    const tokens = maxTokens - this.#tokens - input;
    const usd = (maxUsd ?? Number.POSITIVE_INFINITY) - this.#usd - this.usdOf({ input, output: 0 });
    const affordable = priceOutput > 0 ? Math.floor((usd * 1e6) / priceOutput) : tokens;
    const output = Math.min(MOST_OUTPUT_TOKENS, tokens, usd < 0 ? 0 : affordable);
    return output < LEAST_OUTPUT_TOKENS ? 0 : output;
  }

  /** What was spent of what, for people. */
  describe(): string {
    const { maxTokens, maxUsd } = this.#options;
    const money = maxUsd === undefined ? '' : `, ${this.#usd.toFixed(4)} of ${maxUsd} USD`;
    return `${this.#tokens} of ${maxTokens} tokens${money}`;
  }
}
