/** `archwright profile` as a person runs it, on published models. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ProfileDocument } from '../../src/cli/command/profile.js';
import { archwright, temporaryFolder } from './cli.js';

const models = fileURLToPath(new URL('../../../shared/data/onnx-models/', import.meta.url));
const present = existsSync(models);
if (!present) console.warn(`SKIPPED: no models in ${models}`);
const files = present ? readdirSync(models).filter((file) => file.endsWith('.onnx')) : [];
const common = ['--threads', '1', '--seconds', '1.5'];
const dims = (file: string) => (file.startsWith('silero') ? ['--dim', 'sequence=512'] : []);

/** The sums hold to within a tenth on a quiet machine; here others may be at work. */
const [LEAST, MOST] = [0.75, 1.25];
const ATTEMPTS = 4;

describe.skipIf(!present)('archwright profile', () => {
  it.each(files)(
    '%s: accounts for every node, and adds up to the latency',
    async (file) => {
      const folder = temporaryFolder();
      const args = [join(models, file), ...common, ...dims(file), '--json'];
      let ratio = Number.NaN;
      for (let attempt = 0; attempt < ATTEMPTS && !(ratio > LEAST && ratio < MOST); attempt++) {
        const { code, stdout, stderr } = await archwright(['profile', ...args], folder);
        expect(code, stderr).toBe(0);
        const profile = JSON.parse(stdout) as ProfileDocument;
        expect(profile.schema).toBe('archwright.profile/1');
        for (const { name, fate, kernels } of profile.nodes) {
          if (fate === 'kernel' || fate === 'fused') expect(kernels, name).not.toEqual([]);
        }
        const main = new Set(profile.kernels.flatMap(({ nodes }) => nodes.slice(0, 1)));
        const kernels = profile.nodes.filter(({ fate }) => fate === 'kernel');
        expect(new Set(kernels.map(({ name }) => name))).toEqual(main);
        // The latency of another process, measured without any profiler in it.
        const bench = await archwright(['bench', ...args], folder);
        expect(bench.code, bench.stderr).toBe(0);
        const { p50 } = JSON.parse(bench.stdout).results[0].latencyMs;
        ratio = profile.totalMs / p50;
      }
      expect(ratio).toBeGreaterThan(LEAST);
      expect(ratio).toBeLessThan(MOST);
    },
    300_000,
  );

  it('prints a table of at most 100 columns, and writes a Chrome trace', async () => {
    const folder = temporaryFolder();
    const trace = join(folder, 'trace.json');
    const model = join(models, 'resnet2b-cifar10.onnx');
    const args = ['profile', model, ...common, '--top', '3', '--trace', trace];
    const { code, stdout, stderr } = await archwright(args, folder);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('Conv+Relu');
    expect(stdout).toMatch(/… \d+ more/);
    const table = stdout.split('\n').filter((line) => /^[─ ]+$|\d %/.test(line));
    for (const line of table.slice(1)) expect(line.length).toBeLessThanOrEqual(100);
    const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8'));
    expect(traceEvents.filter(({ ph }: { ph: string }) => ph === 'X').length).toBeGreaterThan(20);
  });

  it('says in one line what cannot be', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'no.onnx');
    writeFileSync(file, 'no model');
    const model = join(models, 'mnist-cntk.onnx');
    const lost = join(folder, 'missing', 'trace.json');
    for (const [args, message] of [
      [[file], /expected an ONNX model/],
      [[model, '--top', '0'], /--top: expected a whole number of at least 1, received 0/],
      [[model, '--device', 'abacus'], /abacus/],
      [
        [model, '--seconds', '0.2', '--trace', lost],
        /--trace: expected a file that can be written/,
      ],
    ] as const) {
      const { code, stdout, stderr } = await archwright(['profile', ...args], folder);
      expect(code, stderr).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(message);
    }
  });
});
