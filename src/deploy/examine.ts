/** The deployment check of a model: what is in it, where it runs, what float16 and int8 would do. */
import type { Device } from '../device/device.js';
import { decodeModel } from '../ir/onnx/decode.js';
import { resolveInputs } from '../measure/dims.js';
import { inspectModel, type ModelFacts } from './inspect.js';
import { type Placement, placeNodes } from './place.js';
import { imageInput } from './trial-inputs.js';
import { measureVariants, type VariantOptions, type VariantReport } from './variants.js';

export interface Examination {
  readonly facts: ModelFacts;
  /** One per device, in the order given. */
  readonly placements: readonly Placement[];
  /** On the first device; null where the model does not run there. */
  readonly variants: VariantReport | null;
}

/**
 * Examines `model` (bytes of an ONNX file, all data inside). Places its nodes on every device, and
 * measures the variants on the first. Takes the devices' leases. Throws `UsageError` for a model that
 * cannot be decoded and for data that does not fit it.
 */
export async function examineModel(
  devices: readonly [Device, ...Device[]],
  model: Uint8Array,
  options: VariantOptions & { readonly file?: string } = {},
): Promise<Examination> {
  const { onProgress = () => {} } = options;
  const graph = decodeModel(model, options.file);
  const inputs = resolveInputs(graph, options);
  if (options.data !== undefined) imageInput(graph, options.data.dataset);
  const facts = inspectModel(model, graph, inputs);
  const placements: Placement[] = [];
  for (const device of devices) {
    onProgress(`running it on ${device.id}`);
    placements.push(await placeNodes(device, model, graph, inputs));
  }
  const variants =
    placements[0]?.runs === true ? await measureVariants(devices[0], graph, model, options) : null;
  return { facts, placements, variants };
}
