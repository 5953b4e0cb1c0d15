import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type EnergyMeter,
  MeteredRuns,
  measureIdleWatts,
  openRapl,
} from '../../src/measure/energy.js';

const RANGE_UJ = 262_143_328_850;

/** A folder like /sys/class/powercap; `set` changes the counter of a domain. */
function createPowercap(domains: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), 'powercap-'));
  const set = (domain: string, uj: number): void =>
    writeFileSync(join(root, domain, 'energy_uj'), `${uj}\n`);
  for (const [domain, name] of Object.entries(domains)) {
    mkdirSync(join(root, domain));
    writeFileSync(join(root, domain, 'name'), `${name}\n`);
    writeFileSync(join(root, domain, 'max_energy_range_uj'), `${RANGE_UJ}\n`);
    set(domain, 1_000_000);
  }
  return { root, set };
}

function open(root: string): EnergyMeter {
  const meter = openRapl(root);
  if (typeof meter === 'string') throw new Error(meter);
  return meter;
}

describe('openRapl', () => {
  it('adds packages and memory, and nothing that these contain', async () => {
    const { root, set } = createPowercap({
      'intel-rapl:0': 'package-0',
      'intel-rapl:0:0': 'core',
      'intel-rapl:0:1': 'dram',
      'intel-rapl:1': 'package-1',
      'intel-rapl:2': 'psys',
    });
    const meter = open(root);
    expect(await meter.read()).toBe(0);
    set('intel-rapl:0', 3_000_000);
    set('intel-rapl:0:0', 2_500_000);
    set('intel-rapl:0:1', 1_250_000);
    set('intel-rapl:1', 2_000_000);
    set('intel-rapl:2', 9_000_000);
    expect(await meter.read()).toBeCloseTo(2 + 0.25 + 1, 9);
  });

  it('goes on when a counter begins anew', async () => {
    const { root, set } = createPowercap({ 'intel-rapl:0': 'package-0' });
    set('intel-rapl:0', RANGE_UJ - 500_000);
    const meter = open(root);
    set('intel-rapl:0', 250_000);
    expect(await meter.read()).toBeCloseTo(0.75, 9);
    set('intel-rapl:0', 1_250_000);
    expect(await meter.read()).toBeCloseTo(1.75, 9);
  });

  it('says why there is none', () => {
    const { root } = createPowercap({ 'intel-rapl:0:0': 'core' });
    expect(openRapl(root)).toMatch(/no energy counters/);
    expect(openRapl(join(root, 'none'))).toMatch(/no energy counters/);
    // What a counter is to one who may not read it: here a folder, since root may read any file.
    mkdirSync(join(root, 'intel-rapl:1', 'name'), { recursive: true });
    expect(openRapl(root)).toMatch(/cannot be read \(since Linux 5\.10 only root may\)/);
  });
});

describe('MeteredRuns', () => {
  const window = (samples: number) => ({
    samplesNs: new Float64Array(samples),
    enqueueNs: new Float64Array(samples),
    wallNs: 0.5e9,
    involuntarySwitches: 0,
    stealNs: 0,
    otherCpuNs: 0,
    counterTicks: 1,
    coreMhz: 1,
  });

  it('counts the energy of its windows, not of what lies between', async () => {
    let joules = 7;
    const metered = new MeteredRuns({ name: 'fake', read: async () => joules }, 4);
    const run = metered.wrap(async (samples) => {
      joules += 3;
      return window(samples);
    });
    await run(5, 2);
    joules += 100;
    await run(5, 4);
    expect(metered.summarize()).toEqual({
      meter: 'fake',
      joulesPerRun: 6 / 30,
      meanWatts: 6,
      idleWatts: 4,
      seconds: 1,
    });
  });

  it('takes the idle power over a wait', async () => {
    let joules = 0;
    const watts = await measureIdleWatts({ name: 'fake', read: async () => joules }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      joules += 1;
    });
    expect(watts).toBeGreaterThan(0);
    expect(watts).toBeLessThanOrEqual(1 / 0.019);
  });
});
