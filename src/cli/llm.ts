/**
 * Language models of a search. The client library is loaded only where a configuration names a model;
 * keys come from the environment and are kept out of whatever is written.
 */
import type { WaitingAgent } from '../agent/agent.js';
import type { LlmOptions } from '../agent/llm/options.js';
import { UsageError } from '../errors.js';
import type { Config } from './config-schema.js';
import { createWorkbench, type WorkbenchParts } from './workbench.js';

export type LlmAgentConfig = Extract<Config['agents'][number], { readonly kind: 'llm' }>;

/** Makes the agent of an entry. */
export type CreateLlmAgent = (parts: WorkbenchParts) => WaitingAgent;

const ANTHROPIC_URL = 'https://api.anthropic.com/v1';
/** Shorter ones are typing errors, and would be blanked out of ordinary words. */
const LEAST_KEY_CHARACTERS = 8;

/**
 * What makes the configuration's language-model agent; undefined where there is none.
 * @throws UsageError for what is missing, also in the environment.
 */
export async function loadLlm(
  { agents, guard }: Config,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<CreateLlmAgent | undefined> {
  const entry = agents.find((agent) => typeof agent === 'object' && agent.kind === 'llm');
  if (entry === undefined) return undefined;
  const options = resolveLlm(entry as LlmAgentConfig, environment);
  const { createLlmAgent } = await import('../agent/llm/llm.js');
  return (parts) =>
    createLlmAgent(parts.problem, parts.view, createWorkbench(parts, guard), options);
}

/** The options of an entry, with its key. @throws UsageError */
export function resolveLlm(entry: LlmAgentConfig, environment: NodeJS.ProcessEnv): LlmOptions {
  const { provider, model, maxTokens, maxUsd, proposalsPerCall, timeoutSeconds } = entry;
  const { pricePerMillionInput, pricePerMillionOutput } = entry;
  const baseUrl = entry.baseUrl ?? (provider === 'anthropic' ? ANTHROPIC_URL : undefined);
  if (baseUrl === undefined) {
    throw complaint('baseUrl', 'the address of the server, such as http://127.0.0.1:8080/v1');
  }
  checkUrl(baseUrl);
  if (provider === 'anthropic' && entry.apiKeyEnv === undefined) {
    throw complaint('apiKeyEnv', 'the environment variable of the key, such as ANTHROPIC_API_KEY');
  }
  const isPriced = pricePerMillionInput !== undefined && pricePerMillionOutput !== undefined;
  if (maxUsd !== undefined && !isPriced) {
    const missing = pricePerMillionInput === undefined ? 'Input' : 'Output';
    throw complaint(`pricePerMillion${missing}`, 'a price, since maxUsd is a limit');
  }
  const apiKey = entry.apiKeyEnv === undefined ? undefined : keyOf(entry.apiKeyEnv, environment);
  return {
    provider,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    model,
    ...(apiKey !== undefined && { apiKey }),
    maxTokens,
    ...(maxUsd !== undefined && { maxUsd }),
    priceInput: pricePerMillionInput ?? 0,
    priceOutput: pricePerMillionOutput ?? 0,
    proposalsPerCall,
    timeoutSeconds,
  };
}

function complaint(key: string, expected: string): UsageError {
  return new UsageError(`agents: llm: ${key}: expected ${expected}, received nothing`);
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ['http:', 'https:'].includes(url.protocol)) {
    if (url.username + url.password + url.search + url.hash === '') return;
    const where = `${url.protocol}//${url.host}${url.pathname}`;
    throw new UsageError(
      `agents: llm: baseUrl: expected no password, query or fragment behind or in ${where}; keys come from apiKeyEnv`,
    );
  }
  throw new UsageError(
    'agents: llm: baseUrl: expected an http or https address, received another text',
  );
}

/** Never quotes what it was given: that may be the key itself. */
function keyOf(name: string, environment: NodeJS.ProcessEnv): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new UsageError(
      'agents: llm: apiKeyEnv: expected the name of an environment variable, such as OPENAI_API_KEY, ' +
        'received another text; the key itself does not belong into a configuration',
    );
  }
  const key = environment[name]?.trim() ?? '';
  if (key.length >= LEAST_KEY_CHARACTERS) return key;
  const received = key === '' ? 'nothing' : `${key.length} characters`;
  throw new UsageError(
    `agents: llm: apiKeyEnv: expected a key of at least ${LEAST_KEY_CHARACTERS} characters in the ` +
      `environment variable that it names, received ${received}; leave apiKeyEnv out for a server without keys`,
  );
}
