/** A search with a language model behind a server on loopback, killed and resumed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLedger } from '../../src/ledger/sqlite.js';
import { createConvSpace } from '../../src/space/conv.js';
import type { Json } from '../../src/trial/trial.js';
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

/** A table of made-up scores with three decisions; deeper and wider is better and slower. */
function writeTable(folder: string): readonly Json[] {
  const rows = [1, 2, 3, 4, 5, 6].flatMap((depth) =>
    [16, 32, 64, 128].flatMap((width) => ['conv', 'pool'].map((op) => ({ depth, width, op }))),
  );
  const lines = rows.map(({ depth, width, op }) => {
    const score = 0.4 + depth / 20 + Math.log2(width) / 50 + (op === 'conv' ? 0.05 : 0);
    return [depth, width, op, score, score - 0.01, depth * width].join(',');
  });
  writeFileSync(join(folder, 'own.csv'), `depth,width,op,val,test,ms\n${lines.join('\n')}\n`);
  return rows;
}

describe('a language model that reads memory', () => {
  const folder = temporaryFolder();
  const rows = writeTable(folder);
  const base = {
    space: { kind: 'columns', decisions: ['depth', 'width', 'op'] },
    data: { kind: 'table', file: 'own.csv', guide: 'val', report: 'test', latency: 'ms' },
    constraints: [{ metric: 'latencyMs', max: 200 }],
  };

  it('is told effects, failures, lessons and what an earlier run left, in each scope', async () => {
    const evolution = { kind: 'evolution', initialSamples: 4, populationSize: 8 };
    const first = { ...base, seed: 1, agents: [evolution], budget: { trials: 24, eta: 1 } };
    const path = writeConfig(folder, first);
    const earlier = await archwright(['search', path, '--out', 'earlier'], folder);
    expect(earlier.code).toBe(0);

    const asked = [{}, { scope: 'sibling', trial: 8 }, { scope: 'ancestor' }, { scope: 'all' }];
    const answers: { quoted?: string[]; error?: string }[][] = [];
    const server = await startServer('openai-compatible', ({ body }, index) => {
      const told = body.messages.filter(({ role }: { role: string }) => role === 'tool');
      if (told.length === 0) {
        return { said: { calls: asked.map((from) => ['read_memory', from] as const) } };
      }
      answers.push(told.map(({ content }: { content: string }) => JSON.parse(content)));
      const proposals = rows.slice(index, index + 2).map((architecture) => {
        return { operator: 'draft', architecture };
      });
      return { said: { calls: [['propose', { proposals }]] } };
    });
    const agents = [evolution, entryFor(server)];
    const second = { ...base, seed: 2, agents, budget: { trials: 24, eta: 1 } };
    const config = writeConfig(folder, { ...second, memory: { from: 'earlier' } });
    const { code, stderr } = await archwright(['search', config, '--out', 'run'], folder);
    await server.close();
    expect(stderr).not.toMatch(/error/);
    expect(code).toBe(0);

    const [whole, siblings, lost, unknown] = answers.at(-1) ?? [];
    const text = whole?.quoted?.join('\n') ?? '';
    expect(text).toMatch(/^global: \d+ complete/);
    expect(text).toMatch(/failures\n +(screen|measure): \d+ infeasible, latencyMs at \d/);
    expect(text).toMatch(/\neffects in an earlier run\n +(depth|width|op) /);
    expect(text).toMatch(/lessons\n|effects \(child against parent/);
    expect(whole?.quoted?.every((line) => !line.includes('\n'))).toBe(true);
    expect(siblings?.quoted?.[0]).toMatch(/^sibling of trial 8: /);
    expect(siblings?.quoted?.join(' ')).not.toContain('earlier run');
    expect(lost?.error).toMatch(/^scope ancestor: expected a trial of the run that has ended/);
    expect(unknown?.error).toMatch(/^scope: /);
    const command = await archwright(['memory', 'earlier'], folder);
    const carried = text.split('effects in an earlier run\n')[1]?.split('\n')[0]?.trim() as string;
    expect(command.stdout).toContain(carried);
  }, 60_000);
});
