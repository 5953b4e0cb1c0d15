/** What a language-model agent is told: which model, where, and what it may cost. */

export const providers = ['openai-compatible', 'anthropic'] as const;
export type ProviderName = (typeof providers)[number];

export interface LlmOptions {
  readonly provider: ProviderName;
  /** Without a slash at its end, such as `http://127.0.0.1:8080/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** Sent to the server and written nowhere; absent where the server asks for none. */
  readonly apiKey?: string;
  /** Input and output tokens of the whole run together. */
  readonly maxTokens: number;
  /** US dollars of the whole run; needs prices. */
  readonly maxUsd?: number;
  /** US dollars per million tokens. */
  readonly priceInput: number;
  readonly priceOutput: number;
  /** Architectures that one call asks for. */
  readonly proposalsPerCall: number;
  /** An answer that takes longer is given up. */
  readonly timeoutSeconds: number;
}
