import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Lease } from '../../src/device/lease.js';

describe('a lease', () => {
  const script = fileURLToPath(new URL('lease.mjs', import.meta.url));

  it('is held by one at a time, in order, also after a failure', async () => {
    const lease = new Lease(`test-order-${process.pid}`);
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name} starts`);
      await sleep(20);
      log.push(`${name} ends`);
      if (name === 'b') throw new Error('b fails');
      return name;
    };
    const all = await Promise.allSettled(['a', 'b', 'c'].map((name) => lease.hold(work(name))));
    expect(log).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} starts`, `${name} ends`]));
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('waits for another process, says for which, and gets it when that is killed', async () => {
    const id = `test-processes-${process.pid}`;
    const other = spawn(process.execPath, [script, id], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(other.stdout, 'data');
    const messages: string[] = [];
    let held = false;
    const mine = new Lease(id).hold(
      async () => {
        held = true;
      },
      (message) => messages.push(message),
    );
    await sleep(300);
    expect(held).toBe(false);
    expect(messages).toEqual([`device ${id}: in use by process ${other.pid}, waiting`]);
    other.kill('SIGKILL');
    await mine;
    expect(held).toBe(true);
  });

  it('of several is held whole, whoever else wants a part of it', async () => {
    const ids = ['gpu', 'cores'].map((name) => `test-${name}-${process.pid}`);
    const held = new Set<string>();
    const work = (mine: readonly string[]) => async () => {
      for (const id of mine) {
        expect(held.has(id)).toBe(false);
        held.add(id);
      }
      await sleep(10);
      for (const id of mine) held.delete(id);
      return mine.length;
    };
    const wanted = [ids, ids.slice(1), ids.slice(0, 1), ids, ids.slice(1)];
    const done = await Promise.all(wanted.map((mine) => Lease.holdAll(mine, work(mine))));
    expect(done).toEqual([2, 1, 1, 2, 1]);
  });
});
