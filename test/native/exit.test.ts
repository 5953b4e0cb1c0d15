import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { affineModel } from './model.js';

const folder = mkdtempSync(join(tmpdir(), 'archwright-exit-'));
const model = join(folder, 'model.onnx');
writeFileSync(model, affineModel());
afterAll(() => rmSync(folder, { recursive: true }));

const script = fileURLToPath(new URL('exit.mjs', import.meta.url));
/** The environment without the variable: the addon itself has to set it. */
const { ORT_DISABLE_TELEMETRY: _, ...bare } = process.env;

function run(program: string, prefix: string[] = [], env: NodeJS.ProcessEnv = bare) {
  const [command = '', ...args] = [...prefix, process.execPath, script, program, model];
  const { status, signal, stdout, stderr } = spawnSync(command, args, { env, encoding: 'utf8' });
  return { status, signal, stdout, stderr };
}

describe('a process that used the addon', () => {
  it.each(['natural', 'exit'])('ends cleanly: %s', (program) => {
    expect(run(program)).toEqual({ status: 0, signal: null, stdout: '', stderr: '' });
  });

  it('ends cleanly after worker threads used it too', () => {
    expect(run('workers')).toEqual({ status: 0, signal: null, stdout: '[0,0]\n', stderr: '' });
  });

  it('left no file in the home or its cache, and opened no socket', () => {
    const home = mkdtempSync(join(folder, 'home-'));
    const env = { ...bare, HOME: home, XDG_CACHE_HOME: join(home, 'cache') };
    const { status, stdout } = run('sockets', [], env);
    expect(status).toBe(0);
    const [before, after] = JSON.parse(stdout) as [number, number];
    expect(after).toBe(before);
    expect(readdirSync(home)).toEqual([]);
  });

  const strace = spawnSync('strace', ['-V']).status === 0;
  if (!strace) console.warn('SKIPPED: no strace to watch for sockets');
  it.skipIf(!strace)('made no system call for a network socket', () => {
    const log = join(folder, 'strace.log');
    const traced = run('natural', ['strace', '-f', '-e', 'trace=socket,connect', '-o', log]);
    expect(traced.status).toBe(0);
    const calls = readFileSync(log, 'utf8').split('\n');
    expect(calls.filter((line) => /AF_INET|connect\(/.test(line))).toEqual([]);
  });
});
