/** Measures the peak rates of the roofline on the sessions of this process. */
import { Session, type SessionOptions } from '../runtime/runtime.js';
import { Rng } from '../util/random.js';
import { createInputSets } from './inputs.js';
import {
  createArithmeticProbe,
  createBandwidthProbe,
  floorMs,
  type LeastWork,
  type Probe,
  type Roofline,
  readCacheBytes,
} from './roofline.js';

/** Runs that a peak is the best of. */
const ARITHMETIC_RUNS = 200;
const BANDWIDTH_RUNS = 8;
/** Peaks are measured anew this often before a latency is called impossible. */
const ATTEMPTS = 4;

/** Whether `work` can be done in `ms` milliseconds with these session options. */
export async function isPossible(
  ms: number,
  work: LeastWork,
  options: SessionOptions,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (ms >= floorMs(work, await measureRoofline(options, work))) return true;
  }
  return false;
}

/**
 * Peak rates with these session options. Memory bandwidth takes buffers of three times the cache,
 * so it is measured only where `work` has bytes that exceed the cache; else it is infinite.
 */
export async function measureRoofline(options: SessionOptions, work: LeastWork): Promise<Roofline> {
  const cacheBytes = readCacheBytes();
  return {
    flopsPerSecond: await measureRate(
      createArithmeticProbe(options.threads),
      ARITHMETIC_RUNS,
      options,
    ),
    bytesPerSecond:
      work.bytes > cacheBytes
        ? await measureRate(
            createBandwidthProbe(Math.ceil(cacheBytes / 4)),
            BANDWIDTH_RUNS,
            options,
          )
        : Number.POSITIVE_INFINITY,
    cacheBytes,
  };
}

async function measureRate(
  { model, work }: Probe,
  runs: number,
  options: SessionOptions,
): Promise<number> {
  const session = await Session.create(model, options);
  const timer = await session.createTimer(
    createInputSets(session.inputs, {}, 1, new Rng('roofline')),
  );
  const { samplesNs } = await timer.run({ samples: runs, group: 1 });
  timer.release();
  session.release();
  return work / (Math.min(...samplesNs) / 1e9);
}
