import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Lease } from '../../src/device/lease.js';
import { createDevice } from '../../src/device/ort.js';
import { listDevices } from '../../src/device/probe.js';

describe('devices', () => {
  it('lists the CPU as usable, and what the library has beside it as not', async () => {
    const [cpu, ...others] = await listDevices();
    expect(cpu).toMatchObject({ id: 'cpu', usable: true });
    for (const other of others) {
      expect(other).toMatchObject({ usable: false, fix: 'use the device cpu' });
      expect(other.id).toMatch(/^[a-z]+$/);
    }
  });

  it('describes the CPU and gives its session options', async () => {
    const device = createDevice({ threads: 1 });
    const facts = await device.describe();
    expect(facts).toMatchObject({ id: 'cpu', provider: 'cpu', threads: 1 });
    expect(facts.runtimeVersion).toMatch(/^1\./);
    expect(device.sessionOptions({ arena: false })).toEqual({
      threads: 1,
      optimization: 'all',
      provider: 'cpu',
      arena: false,
    });
    const options = createDevice();
    expect(options.threads).toBe(facts.host.availableCores);
    await device.close();
    expect(() => createDevice({ threads: 1.5 })).toThrow('device threads: expected a whole number');
  });
});

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
});
