/** A search with a language model behind a server on loopback, killed and resumed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLedger } from '../../src/ledger/sqlite.js';
import { createConvSpace } from '../../src/space/conv.js';
import { Rng } from '../../src/util/random.js';
import { type ModelServer, startServer } from '../agent/llm/server.js';
import { archwright, smallSearch, start, temporaryFolder, writeConfig } from './cli.js';

const space = createConvSpace({ channels: 1, height: 28, width: 28, classes: 10 });

/** Answers every call with two drafts that nobody proposed before. */
function startDrafter(): Promise<ModelServer> {
  return startServer('openai-compatible', (_request, index) => {
    const draft = (i: number) => ({
      operator: 'draft',
      architecture: space.sample(new Rng(`answer ${index} ${i}`)),
    });
    return { said: { calls: [['propose', { proposals: [draft(0), draft(1)] }]] } };
  });
}

const entryFor = (server: ModelServer, more: object = {}) => ({
  kind: 'llm',
  provider: 'openai-compatible',
  baseUrl: server.url,
  model: 'loopback',
  maxTokens: 100_000,
  proposalsPerCall: 2,
  ...more,
});

function proposalsOf(run: string) {
  const ledger = readLedger(join(run, 'ledger.sqlite'));
  const proposals = ledger.proposals().filter(({ agent }) => agent === 'llm');
  ledger.close();
  return proposals;
}

describe('a search with a language model', () => {
  it('is killed, and goes on without asking again for what is recorded', async () => {
    const folder = temporaryFolder();
    const server = await startDrafter();
    const config = writeConfig(folder, {
      ...smallSearch,
      agents: [entryFor(server)],
      budget: { trials: 4 },
    });
    const run = join(folder, 'run');
    const running = start(['search', config, '--out', run], folder);
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    running.child.kill('SIGKILL');
    await running.finished;
    const before = proposalsOf(run);

    const { code, stderr } = await archwright(['resume', run], folder);
    expect(stderr).not.toMatch(/error/);
    expect(code).toBe(0);
    const after = proposalsOf(run);
    expect(after).toHaveLength(4);
    expect(after.slice(0, before.length)).toEqual(before);
    // Two proposals a call, and at most the call that the kill cut off is made again.
    expect(server.requests.length).toBeLessThanOrEqual(3);
    await server.close();
  }, 300_000);

  it('whose server is gone says so, and the other agents go on', async () => {
    const folder = temporaryFolder();
    const server = await startServer('openai-compatible', () => ({ status: 401, body: 'no' }));
    const config = writeConfig(folder, {
      ...smallSearch,
      agents: [entryFor(server), 'random'],
      budget: { trials: 2 },
    });
    const run = join(folder, 'run');
    const { code, stderr } = await archwright(['search', config, '--out', run], folder);
    await server.close();
    expect(code).toBe(0);
    expect(stderr).toMatch(/llm.*401/);
    expect(proposalsOf(run)).toEqual([]);
  }, 300_000);

  it('asks for the key that it needs before there is a run', async () => {
    const folder = temporaryFolder();
    const server = await startDrafter();
    const agents = [entryFor(server, { apiKeyEnv: 'ARCHWRIGHT_NO_SUCH_KEY' })];
    const config = writeConfig(folder, { ...smallSearch, agents, budget: { trials: 1 } });
    const { code, stderr } = await archwright(['search', config, '--out', 'run'], folder);
    await server.close();
    expect(code).toBe(2);
    expect(stderr).toMatch(/agents: llm: apiKeyEnv: expected a key .* received nothing/);
    expect(() => readFileSync(join(folder, 'run', 'ledger.sqlite'))).toThrow();
  });
});
