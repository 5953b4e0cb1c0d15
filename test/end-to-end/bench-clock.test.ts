/** Needs Linux and a C compiler: a library is put before the C library's clock. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { temporaryFolder } from './cli.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const source = fileURLToPath(new URL('../measure/clock-jump.c', import.meta.url));
const isPossible =
  process.platform === 'linux' && spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0;
if (!isPossible) console.warn('bench-clock: skipped, it needs Linux and cc');

describe.skipIf(!isPossible)('a clock that jumps', () => {
  const folder = temporaryFolder();
  const library = join(folder, 'clock-jump.so');
  const model = join(folder, 'model.onnx');

  function benchFlags(environment: NodeJS.ProcessEnv) {
    const args = [main, 'bench', model, '--threads', '1', '--seconds', '3', '--json'];
    const env = { ...process.env, ...environment };
    const { results } = JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' }));
    const [{ flags, discardedBy }] = results;
    return { flags, jumped: discardedBy.clock };
  }

  it('is flagged, and its windows are discarded', () => {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source]);
    const builder = new GraphBuilder('clock');
    builder.output(builder.op('Softmax', [builder.input('x', 'float32', [64, 512])]), 'y');
    writeFileSync(model, encodeModel(builder.build()));
    const { flags, jumped } = benchFlags({ LD_PRELOAD: library });
    expect(flags).toContain('clock-fault');
    expect(jumped).toBeGreaterThan(0);
    const steady = benchFlags({});
    expect(steady.flags).not.toContain('clock-fault');
    expect(steady.jumped).toBe(0);
  });
});
