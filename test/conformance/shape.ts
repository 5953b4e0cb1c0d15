/** Inferred types beside the types of the stored outputs. */
import { errorMessage } from '../../src/errors.js';
import { inferTypes } from '../../src/ir/infer.js';
import type { Prepared } from './prepare.js';
import type { Finding } from './report.js';

/**
 * `passed` where element type and every dimension agree; `skipped` where a dimension depends on the
 * data and all others agree; `failed` where something else is inferred, or nothing of the rank.
 */
export function checkShapes({ graph, fixed, outputs }: Prepared): Finding {
  let unknown = 0;
  for (const candidate of [graph, fixed]) {
    unknown = 0;
    let types: ReturnType<typeof inferTypes>;
    try {
      types = inferTypes(candidate);
    } catch (error) {
      return { status: 'failed', reason: errorMessage(error) };
    }
    for (const [i, { dtype, dims }] of outputs.entries()) {
      const name = graph.outputs[i]?.name ?? '';
      const type = types.get(name);
      const agrees =
        type === undefined ||
        (type.dtype === dtype &&
          (type.shape === undefined ||
            (type.shape.length === dims.length &&
              type.shape.every((dim, axis) => typeof dim === 'string' || dim === dims[axis]))));
      if (!agrees || (candidate === fixed && type === undefined)) {
        const inferred = type === undefined ? 'nothing' : `${type.dtype}[${type.shape}]`;
        const reason = `output ${name} is ${dtype}[${dims}], inferred ${inferred}`;
        return { status: 'failed', reason };
      }
      if (type?.shape?.every((dim) => typeof dim === 'number') !== true) unknown++;
    }
  }
  return unknown === 0
    ? { status: 'passed' }
    : { status: 'skipped', reason: 'a dimension depends on data' };
}
