/**
 * What each option of a space takes on the device: the difference between two measured networks that
 * differ in one decision. The networks are those that candidates of the run would be.
 */
import type { Device } from '../device/device.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { measureLatencyBriefly } from '../measure/measure.js';
import type { Space, Supernet } from '../space/space.js';
import { deployGraph } from '../train/deploy.js';
import { drawWeights } from '../train/initialize.js';
import type { LatencyTable } from '../train/supernet/distribution.js';
import { Rng } from '../util/random.js';

/** Time of each measurement. */
const PROBE_SECONDS = 0.25;

export interface OptionLatencyCall {
  readonly classes: readonly string[];
  readonly signal?: AbortSignal;
}

/** Measures the reference of a supernet, and every network one option away from it, one at a time. */
export async function measureOptionLatencies<A>(
  device: Device,
  space: Space<A>,
  { reference }: Supernet,
  { classes, signal }: OptionLatencyCall,
): Promise<LatencyTable> {
  const latencyOf = async (choices: readonly number[]): Promise<number> => {
    const graph = drawWeights(space.decode(space.fromChoices(choices)), new Rng('option latency'));
    const model = encodeModel(deployGraph(graph, { classes }));
    const options = { seconds: PROBE_SECONDS, ...(signal && { signal }) };
    return (await measureLatencyBriefly(device, model, options)).p50Ms;
  };
  const referenceMs = await latencyOf(reference);
  const deltaMs: number[][] = [];
  for (const [i, { options }] of space.decisions.entries()) {
    const row: number[] = [];
    for (let option = 0; option < options; option++) {
      const isReference = option === reference[i];
      row.push(isReference ? 0 : (await latencyOf(reference.with(i, option))) - referenceMs);
    }
    deltaMs.push(row);
  }
  return { referenceMs, deltaMs };
}
