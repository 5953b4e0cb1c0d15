/** Measures the peak rates of the roofline on the sessions of this process. */
import { Session, type SessionOptions } from '../runtime/runtime.js';
import { Rng } from '../util/random.js';
import { createInputSets } from './inputs.js';
import {
  createArithmeticProbe,
  createBandwidthProbe,
  type LeastWork,
  type Probe,
  type Roofline,
  readCacheBytes,
} from './roofline.js';

/** Runs that a peak is the best of, after one that is not counted. */
const PROBE_RUNS = 8;

/**
 * Peak rates with these session options. Memory bandwidth takes buffers of three times the cache,
 * so it is measured only where `work` has bytes that exceed the cache; else it is infinite.
 */
export async function measureRoofline(options: SessionOptions, work: LeastWork): Promise<Roofline> {
  const cacheBytes = readCacheBytes();
  return {
    flopsPerSecond: await measureRate(createArithmeticProbe(), options),
    bytesPerSecond:
      work.bytes > cacheBytes
        ? await measureRate(createBandwidthProbe(Math.ceil(cacheBytes / 4)), options)
        : Number.POSITIVE_INFINITY,
    cacheBytes,
  };
}

async function measureRate({ model, work }: Probe, options: SessionOptions): Promise<number> {
  const session = await Session.create(model, options);
  const timer = await session.createTimer(
    createInputSets(session.inputs, {}, 1, new Rng('roofline')),
  );
  const { samplesNs } = await timer.run(PROBE_RUNS);
  timer.release();
  session.release();
  return work / (Math.min(...samplesNs) / 1e9);
}
