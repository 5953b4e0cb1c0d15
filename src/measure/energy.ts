/**
 * Energy while a model runs. On Linux the processor counts its own energy (RAPL: "running average
 * power limit"), a counter of microjoules per package and one for memory, in
 * `/sys/class/powercap/intel-rapl:*`, AMD's processors included. A counter begins anew when it has
 * reached its range, about every minute under load. NVIDIA's GPUs count theirs in NVML.
 *
 * Limits: it is the energy of the whole package, other processes and idle cores included, so the
 * idle power is reported beside it. Since Linux 5.10 only root may read the counters, and virtual
 * machines rarely have them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../errors.js';
import { openCuda } from '../runtime/runtime.js';
import type { RunWindow } from './sampler.js';

/** Something that counts energy. */
export interface EnergyMeter {
  readonly name: string;
  /** Joules since some fixed moment. */
  read(): Promise<number>;
}

/** What runs took, whole machine package (or device) included. */
export interface Energy {
  /** Name of the meter. */
  readonly meter: string;
  readonly joulesPerRun: number;
  readonly meanWatts: number;
  /** Power while nothing was run, right before. */
  readonly idleWatts: number;
  /** Time that energy was counted for. */
  readonly seconds: number;
}

const POWERCAP = '/sys/class/powercap';

/** Domains that together are everything: a package contains its cores; `psys` contains packages. */
const wholeDomain = /^(package-\d+|dram)$/;

/** Opens the counters of the processor under `root`; a string says why there are none. */
export function openRapl(root: string = POWERCAP): EnergyMeter | string {
  let domains: RaplDomain[];
  try {
    domains = readdirSync(root)
      .filter((name) => name.startsWith('intel-rapl:'))
      .map((name) => join(root, name))
      .filter((folder) => wholeDomain.test(readFileSync(join(folder, 'name'), 'utf8').trim()))
      .map((folder) => new RaplDomain(folder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return noCounters(root);
    return `energy counters cannot be read (since Linux 5.10 only root may): ${errorMessage(error)}`;
  }
  if (domains.length === 0) return noCounters(root);
  return {
    name: 'rapl',
    read: async () => domains.reduce((sum, domain) => sum + domain.read(), 0),
  };
}

/** Opens NVML's counter of a GPU, through the CUDA library; a string says why there is none. */
export async function openNvml(device: number): Promise<EnergyMeter | string> {
  const cuda = openCuda();
  if (!cuda.usable) return cuda.reason;
  const read = async (): Promise<number | null> => (await cuda.state(device)).energyMillijoules;
  if ((await read()) === null) return `NVML tells no energy of GPU ${device}`;
  return { name: 'nvml', read: async () => ((await read()) ?? Number.NaN) / 1e3 };
}

const noCounters = (root: string): string =>
  `this machine shows no energy counters in ${root}; virtual machines rarely have them`;

class RaplDomain {
  readonly #path: string;
  readonly #rangeUj: number;
  #lastUj: number;
  #sumUj = 0;

  constructor(folder: string) {
    this.#path = join(folder, 'energy_uj');
    this.#rangeUj = readNumber(join(folder, 'max_energy_range_uj'));
    this.#lastUj = readNumber(this.#path);
  }

  /** Joules since the first reading; right if read more often than the counter wraps around. */
  read(): number {
    const uj = readNumber(this.#path);
    this.#sumUj += uj - this.#lastUj + (uj < this.#lastUj ? this.#rangeUj : 0);
    this.#lastUj = uj;
    return this.#sumUj / 1e6;
  }
}

function readNumber(path: string): number {
  return Number(readFileSync(path, 'utf8'));
}

/** Power over a stretch in which `wait` does nothing. */
export async function measureIdleWatts(
  meter: EnergyMeter,
  wait: () => Promise<void>,
): Promise<number> {
  const start = performance.now();
  const before = await meter.read();
  await wait();
  return ((await meter.read()) - before) / ((performance.now() - start) / 1e3);
}

/** Counts the energy of the windows that pass through `run`. */
export class MeteredRuns {
  readonly #meter: EnergyMeter;
  readonly #idleWatts: number;
  #joules = 0;
  #runs = 0;
  #seconds = 0;

  constructor(meter: EnergyMeter, idleWatts: number) {
    this.#meter = meter;
    this.#idleWatts = idleWatts;
  }

  /** `run` with the energy of its windows counted. */
  wrap(run: RunWindow): RunWindow {
    return async (samples, group) => {
      const before = await this.#meter.read();
      const window = await run(samples, group);
      this.#joules += (await this.#meter.read()) - before;
      this.#runs += samples * group;
      this.#seconds += window.wallNs / 1e9;
      return window;
    };
  }

  /** What all windows took so far; at least one. */
  summarize(): Energy {
    return {
      meter: this.#meter.name,
      joulesPerRun: this.#joules / this.#runs,
      meanWatts: this.#joules / this.#seconds,
      idleWatts: this.#idleWatts,
      seconds: this.#seconds,
    };
  }
}
