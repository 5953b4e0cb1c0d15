import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { printGraph } from '../../src/ir/text/print.js';
import { readLedger } from '../../src/ledger/sqlite.js';
import { summarizeRun } from '../../src/search/summary.js';
import { createConvSpace } from '../../src/space/conv.js';
import { drawWeights } from '../../src/train/initialize.js';
import { Rng } from '../../src/util/random.js';
import { smallSearch, temporaryFolder, writeConfig } from '../end-to-end/cli.js';
import { type Connection, ended, startStdio } from './client.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const config = writeConfig(folder, { ...smallSearch, budget: { trials: 4 } });
const space = createConvSpace({ channels: 1, height: 28, width: 28, classes: 10 });

const small = {
  norm: 'batch',
  stem: { width: 8, kernel: 3, stride: 2, activation: 'relu' },
  stages: [
    { block: 'plain', depth: 1, width: 8, stride: 2, kernel: 3, activation: 'relu' },
    { block: 'plain', depth: 1, width: 16, stride: 1, kernel: 3, activation: 'relu' },
  ],
  head: { pool: 'average', hidden: 0 },
} as const;
const wider = { ...small, stem: { ...small.stem, width: 16 } } as const;
const foreign = space.decode(space.parse({ ...small, stem: { ...small.stem, width: 24 } }));
const another = space.decode(space.parse({ ...small, stem: { ...small.stem, kernel: 5 } }));

async function untilOpen({ call }: Connection): Promise<void> {
  while ((await call('describe_run')).searching !== 'open') {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('archwright mcp over stdio', () => {
  const run = join(folder, 'run');
  let server: Awaited<ReturnType<typeof startStdio>>;

  it('says what is wanted, before and after the human designs', { timeout: 180_000 }, async () => {
    server = await startStdio([config, '--out', run], folder);
    const { tools } = await server.client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      'check_draft',
      'describe_run',
      'finish_run',
      'list_trials',
      'profile_trial',
      'read_front',
      'read_memory',
      'read_submission',
      'read_trial',
      'submit_candidate',
    ]);
    const early = await server.call('describe_run');
    expect(early.searching).toBe('human designs are measured first');
    expect(await server.refused('submit_candidate', { architecture: small })).toMatch(
      /^not taken yet: human designs are measured first/,
    );
    await untilOpen(server);
    const run1 = await server.call('describe_run');
    expect(run1).toMatchObject({
      constraints: [{ metric: 'macs', max: 3_000_000 }],
      budget: { trialsLeft: 4, secondsLeft: null },
      space: { name: 'conv', task: { channels: 1, height: 28, classes: 10 } },
    });
    const { example, decisions } = run1.space as unknown as {
      example: unknown;
      decisions: { name: string }[];
    };
    expect(() => space.parse(example)).not.toThrow();
    expect(decisions.map(({ name }) => name)).toContain('stage2.kernel');
  });

  it('answers drafts without spending anything', { timeout: 60_000 }, async () => {
    const { call, refused } = server;
    expect(await call('check_draft', { architecture: small })).toMatchObject({
      duplicate: null,
      violations: [],
    });
    const large = space.parse({
      ...small,
      stem: { ...small.stem, width: 64, kernel: 7, stride: 1 },
    });
    const { violations } = await call('check_draft', { architecture: large });
    expect(violations).toMatchObject([{ metric: 'macs', limit: 3_000_000 }]);
    expect(await refused('submit_candidate', { architecture: large })).toMatch(
      /^over a limit: expected macs within 3000000, received \d+$/,
    );
    expect(await refused('check_draft', { architecture: { ...small, norm: 'layer' } })).toMatch(
      /^illegal draft: architecture\.norm: .*received "layer"$/,
    );
    expect(await refused('check_draft', {})).toBe(
      'expected one of architecture, graph and onnx, received none',
    );
    expect((await call('describe_run')).budget).toMatchObject({ trialsLeft: 4 });
  });

  it('trains and measures what is submitted, and records it first', {
    timeout: 180_000,
  }, async () => {
    const { call, refused } = server;
    const first = await call('submit_candidate', { architecture: small });
    expect(first).toMatchObject({ submission: 1, state: 'complete', agent: 'external' });
    const { accuracy, latencyMs } = first.metrics as { accuracy: number; latencyMs: number };
    expect(accuracy).toBeGreaterThan(0);
    expect(latencyMs).toBeGreaterThan(0);
    expect(first.budget).toMatchObject({ trialsLeft: 3 });
    const second = await call('submit_candidate', {
      architecture: wider,
      parents: [first.id],
      operator: 'widen',
      waitSeconds: 0,
    });
    expect(second.state).toMatch(/queued|evaluating/);
    const ledger = readLedger(join(run, 'ledger.sqlite'));
    expect(ledger.events().filter(({ kind }) => kind === 'note')).toHaveLength(2);
    ledger.close();
    expect(await refused('submit_candidate', { architecture: wider })).toMatch(/^duplicate: /);
    const told = await call('read_submission', { submission: 2 });
    expect(told).toMatchObject({ operator: 'widen', parents: [first.id] });
    const { text } = await call('read_memory');
    expect(text).toContain('stem.width less→more: macs +');
    expect(await call('read_front')).toMatchObject({
      baselines: [{ name: 'lenet-5' }, {}, {}, {}],
    });
    expect((await call('list_trials', { limit: 1 })).total).toBe(2);
    const profile = await call('profile_trial', { trial: first.id });
    // The runtime may have fused it with what follows.
    const ops = (profile.byOp as { op: string }[]).map(({ op }) => op);
    expect(ops.some((op) => op.startsWith('Conv'))).toBe(true);
  });

  it('takes graphs as text and as files, with weights drawn anew', {
    timeout: 180_000,
  }, async () => {
    const { call, refused } = server;
    const text = await call('submit_candidate', { graph: printGraph(foreign) });
    expect(text.state).toMatch(/complete|pruned/);
    const bytes = encodeModel(drawWeights(another, new Rng('baked')));
    const onnx = Buffer.from(bytes).toString('base64');
    const file = await call('submit_candidate', { onnx });
    expect(file.state).toMatch(/complete|pruned/);
    expect(await refused('submit_candidate', { graph: printGraph(foreign) })).toMatch(/^duplicate/);
    const ledger = readLedger(join(run, 'ledger.sqlite'));
    const { architecture, hash } = ledger.proposals().at(-1) as {
      architecture: unknown;
      hash: string;
    };
    expect((architecture as { graph: string }).graph).not.toContain('initializer_data');
    expect(JSON.stringify(architecture).length).toBeLessThan(bytes.length);
    expect(hash).toBe(ledger.trials().at(-1)?.hash);
    ledger.close();
  });

  it('refuses in one line when the budget is used, finishes, and stops', {
    timeout: 180_000,
  }, async () => {
    const { call, refused, pid } = server;
    const tiny = { ...small, stem: { ...small.stem, activation: 'gelu' } };
    expect(await refused('submit_candidate', { architecture: tiny })).toMatch(
      /^not taken: (the budget for searching is used|the search has ended)/,
    );
    let status = '';
    while (status !== 'finished') {
      const final = await call('finish_run');
      status = String(final.status);
      if (status === 'finished') {
        const [best] = final.front as { onnx: string; holdout: { samples: number } }[];
        expect(best?.holdout.samples).toBe(200);
        expect(existsSync(join(run, best?.onnx as string))).toBe(true);
      }
    }
    await ended(pid);
  });
});

describe('a client that leaves', () => {
  it('stops the run, and another goes on with it', { timeout: 240_000 }, async () => {
    const run = join(folder, 'left');
    const first = await startStdio([config, '--out', run], folder);
    await untilOpen(first);
    const { pid } = first;
    await first.call('submit_candidate', { architecture: small, waitSeconds: 0 });
    await first.close();
    await ended(pid);
    const between = readLedger(join(run, 'ledger.sqlite'));
    expect(summarizeRun(between, false).status).toBe('interrupted');
    between.close();
    const second = await startStdio([config, '--out', run], folder);
    await untilOpen(second);
    const told = await second.call('read_submission', { submission: 1 });
    expect(told.state).toBe('complete');
    expect(await second.refused('submit_candidate', { architecture: small })).toMatch(/^duplicate/);
    const { pid: again } = second;
    await second.close();
    await ended(again);
  });
});
