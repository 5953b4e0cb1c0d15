import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Entry } from '../../../src/agent/llm/transcript.js';
import { errorMessage } from '../../../src/errors.js';
import { createBenchAgent, createNotebook, KEY } from './bench.js';
import { hostileCases, hostileTrials } from './hostile.js';
import { startServer } from './server.js';

const REPORT = '../../../benchmarks/results/llm-hostile.md';
const HEAD = `# Hostile answers of a language model

What a server or a model can say, and what the agent makes of it. Each row is a search's ask against an
HTTP server on loopback that speaks the OpenAI protocol, with trials in the run whose error texts and
descriptions try to instruct the model. In every row the key stands in no record, error or output.
Proposals are data that the space has parsed; "none" ends the agent's part of the search, and the other
agents go on. Waits between tries are real in a search and not in this table.

Written and checked by \`test/agent/llm/hostile.test.ts\` (\`-u\` writes it anew).

| answer | requests | proposals | what the model or the user is told |
| ------ | -------: | --------: | ---------------------------------- |
`;

const printed: string[] = [];
beforeAll(() => {
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      printed.push(String(chunk));
      return true;
    });
  }
});
afterAll(() => vi.restoreAllMocks());

const rows = new Map<string, string>();

describe('a hostile answer', () => {
  it.each(hostileCases)('$name', async ({ name, script, outcome, requests, rejected, ...more }) => {
    const server = await startServer('openai-compatible', script);
    const notebook = createNotebook();
    const options = {
      baseUrl: server.url,
      timeoutSeconds: 0.5,
      maxTokens: more.maxTokens ?? 1_000_000,
    };
    const { propose } = createBenchAgent({ options, notebook, trials: hostileTrials });
    let error = '';
    await propose().catch((reason: unknown) => {
      error = errorMessage(reason);
    });
    await server.close();
    const entries = notebook.read() as unknown as readonly Entry[];
    const results = entries.flatMap((one) => (one.kind === 'result' ? [one] : []));
    const made = results.flatMap(({ proposals }) => proposals);
    const reasons = results.flatMap((one) => one.rejected);
    const failures = entries.flatMap((one) => (one.kind === 'failure' ? [one.reason] : []));
    if (typeof outcome === 'number') expect([made.length, error]).toEqual([outcome, '']);
    else expect([made.length, error]).toEqual([0, expect.stringMatching(outcome)]);
    expect(server.requests).toHaveLength(requests);
    const spent = entries.reduce((sum, entry) => {
      if (entry.kind !== 'reply' && entry.kind !== 'failure') return sum;
      return sum + entry.usage.input + entry.usage.output;
    }, 0);
    if (more.maxTokens !== undefined) expect(spent).toBeLessThanOrEqual(more.maxTokens);
    if (rejected !== undefined) expect(reasons.join('\n')).toMatch(rejected);
    for (const text of [...notebook.entries, error, ...printed]) expect(text).not.toContain(KEY);
    expect(Math.max(...notebook.entries.map((text) => text.length))).toBeLessThan(100_000);
    const told = [...new Set([error, ...failures, ...reasons])].filter((text) => text !== '');
    const line = told
      .map((text) => text.replaceAll('|', '\\|').replace(/(connection failed: ).*/, '$1…'))
      .map((text) => (text.length > 120 ? `${text.slice(0, 120)}…` : text))
      .join('<br>');
    rows.set(name, `| ${name} | ${requests} | ${made.length || 'none'} | ${line || '–'} |`);
  });

  it('is listed with what came of it', async () => {
    const table = hostileCases.map(({ name }) => rows.get(name)).join('\n');
    await expect(`${HEAD}${table}\n`).toMatchFileSnapshot(REPORT);
  });
});
