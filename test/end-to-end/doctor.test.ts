import { describe, expect, it } from 'vitest';
import { archwright, temporaryFolder } from './cli.js';

describe('archwright doctor and devices', () => {
  it('find this machine fit', async () => {
    const { code, stdout } = await archwright(['doctor', '--json'], temporaryFolder());
    const { checks } = JSON.parse(stdout) as { checks: { name: string; ok: boolean }[] };
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['node', 'native addon', 'host', 'telemetry', 'ledger', 'device cpu']),
    );
    expect(code).toBe(0);
  });

  it('list the CPU with its facts and say why not of the rest', async () => {
    const { stdout } = await archwright(['devices', '--json'], temporaryFolder());
    const { devices } = JSON.parse(stdout);
    expect(devices[0]).toMatchObject({ id: 'cpu', usable: true, facts: { provider: 'cpu' } });
    expect(devices.length).toBeGreaterThan(5);
    for (const { usable, reason, fix } of devices.slice(1)) {
      if (usable) continue;
      expect(reason).not.toBe('');
      expect(fix).not.toBe('');
    }
  });
});
