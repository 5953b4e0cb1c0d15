import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('supervisor.mjs', import.meta.url));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Whether the process is gone within ten seconds. */
async function isGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 200 && isAlive(pid); i++) await sleep(50);
  return !isAlive(pid);
}

/** Starts a supervisor; resolves when it has told the process id of its runner. */
async function start(program: string) {
  const supervisor = spawn(process.execPath, [script, program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(supervisor, 'exit');
  const [text] = (await once(supervisor.stdout, 'data')) as [Buffer];
  const runner = Number(text);
  expect(isAlive(runner)).toBe(true);
  return { supervisor, runner, ended };
}

describe('no runner process stays', () => {
  it.each(['idle', 'busy'])('after kill -9 of its %s supervisor', async (program) => {
    const { supervisor, runner, ended } = await start(program);
    await sleep(100);
    supervisor.kill('SIGKILL');
    await ended;
    expect(await isGone(runner)).toBe(true);
  });

  it('after process.exit in the middle of a call', async () => {
    const { runner, ended } = await start('exit');
    expect(await ended).toEqual([7, null]);
    expect(await isGone(runner)).toBe(true);
  });

  it('after its supervisor ran out of things to do, which an idle runner does not hold up', async () => {
    const { runner, ended } = await start('natural');
    expect(await ended).toEqual([0, null]);
    expect(await isGone(runner)).toBe(true);
  });

  it('and Ctrl-C is for the supervisor alone', async () => {
    const { supervisor, runner, ended } = await start('idle');
    process.kill(runner, 'SIGINT');
    await sleep(200);
    expect(isAlive(runner)).toBe(true);
    supervisor.kill('SIGINT');
    await ended;
    expect(await isGone(runner)).toBe(true);
  });
});
