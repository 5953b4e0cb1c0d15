/** A candidate's profile on the run's device, small enough to be sent. */
import type { Device } from '../device/device.js';
import type { Graph } from '../ir/graph.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { profileModel } from '../measure/profile.js';
import { deployGraph } from '../train/deploy.js';
import { drawWeights } from '../train/initialize.js';
import type { Json } from '../trial/trial.js';
import { Rng } from '../util/random.js';

/** Time of the profile; the run waits for the device meanwhile. */
const SECONDS = 1;
const MOST_KERNELS = 20;

/** Profiles a graph with drawn weights: what they are does not change how long it takes. */
export async function profileGraph(
  device: Device,
  graph: Graph,
  classes: readonly string[],
): Promise<Json> {
  const drawn = drawWeights(graph, new Rng('profile'));
  const model = encodeModel(deployGraph(drawn, { classes }));
  const { profile } = await profileModel(device, model, { dims: { N: 1 }, seconds: SECONDS });
  const { latencyMs, totalMs, coverage, rest, byOp, kernels, flags } = profile;
  const slowest = kernels.toSorted((a, b) => b.latencyMs - a.latencyMs).slice(0, MOST_KERNELS);
  const document = { device: profile.device, latencyMs, totalMs, coverage, rest, byOp, flags };
  const nodes = slowest.map(({ name, op, latencyMs: ms, share, flops, bytes, rooflineShare }) => {
    return { name, op, latencyMs: ms, share, flops, bytes, rooflineShare };
  });
  return JSON.parse(JSON.stringify({ ...document, slowest: nodes })) as Json;
}
