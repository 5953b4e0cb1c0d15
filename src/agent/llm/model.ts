/** A language model behind one of the SDK's providers: one request, one answer. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, type LanguageModel, type ModelMessage, tool } from 'ai';
import { errorMessage } from '../../errors.js';
import type { Json } from '../../trial/trial.js';
import type { Usage } from './budget.js';
import { quoteText, type Redact, redactJson } from './foreign.js';
import type { LlmOptions } from './options.js';
import { CallError, createFetch } from './transport.js';

/** A tool as a model is told of it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its input. */
  readonly schema: Json;
}

export interface ModelRequest {
  readonly system: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  readonly maxOutputTokens: number;
  readonly signal: AbortSignal | undefined;
}

export interface ToolCall {
  readonly name: string;
  /** A text where it is not JSON. */
  readonly input: Json;
}

export interface ModelReply {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  /** As the server counted it, where it did. */
  readonly usage: { readonly input: number | undefined; readonly output: number | undefined };
}

export interface Model {
  /** @throws CallError, or the reason of the signal. */
  send(request: ModelRequest): Promise<ModelReply>;
}

/** The SDK would print its remarks on standard output, which belongs to the command line. */
globalThis.AI_SDK_LOG_WARNINGS = false;

export function createModel(options: LlmOptions, redact: Redact): Model {
  const model = createProviderModel(options, redact);
  return {
    async send({ system, messages, tools, maxOutputTokens, signal }) {
      try {
        const result = await generateText({
          model,
          system,
          messages: [...messages],
          tools: Object.fromEntries(
            tools.map(({ name, description, schema }) => [
              name,
              tool({ description, inputSchema: jsonSchema(schema as object) }),
            ]),
          ),
          maxOutputTokens,
          maxRetries: 0,
          ...(signal && { abortSignal: signal }),
        });
        const { inputTokens: input, outputTokens: output } = result.usage;
        const calls = result.toolCalls.map(({ toolName, input: given }) => {
          return { name: toolName, input: redactJson(toJson(given), redact) };
        });
        return { text: redact(result.text), calls, usage: { input, output } };
      } catch (error) {
        if (error instanceof CallError || signal?.aborted === true) throw error;
        const reason = quoteText(redact(errorMessage(error)), 200);
        throw new CallError(`the answer is not what the protocol says: ${reason}`, {
          mayPass: true,
          mayCost: true,
        });
      }
    },
  };
}

function createProviderModel(options: LlmOptions, redact: Redact): LanguageModel {
  const { provider, baseUrl: baseURL, apiKey, model, timeoutSeconds } = options;
  const fetch = createFetch(timeoutSeconds, redact);
  if (provider === 'anthropic') {
    return createAnthropic({ baseURL, apiKey: apiKey ?? '', fetch })(model);
  }
  const name = 'openai-compatible';
  return createOpenAICompatible({ name, baseURL, ...(apiKey && { apiKey }), fetch })(model);
}

function toJson(value: unknown): Json {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as Json);
}

/** The server's count where it makes sense, else the estimate. */
export function usageOf(
  { usage }: ModelReply,
  estimate: Usage,
): { readonly usage: Usage; readonly estimated: boolean } {
  const isCount = (value: number | undefined) => Number.isSafeInteger(value) && Number(value) > 0;
  const { input, output } = usage;
  if (isCount(input) && isCount(output)) {
    return { usage: { input: Number(input), output: Number(output) }, estimated: false };
  }
  return { usage: estimate, estimated: true };
}
