/** The float64 reference interpreter on stored inputs, beside the stored outputs. */
import type { HostTensor } from '../../src/util/tensor.js';
import { hasKernel, interpret } from '../reference/interpreter.js';
import { fromHost } from '../reference/stored.js';
import type { Tensor } from '../reference/tensor.js';
import type { Prepared } from './prepare.js';
import type { Finding } from './report.js';

/** Relative to the largest element, by element type: half precision rounds, float32 adds up. */
const tolerances: Readonly<Record<string, number>> = {
  float16: 4e-3,
  bfloat16: 3e-2,
  float64: 1e-6,
};
const TOLERANCE = 1e-4;

function toleranceOf({ dtype, data }: HostTensor): number {
  // Quantised values may round the other way: one step.
  const isByte = dtype === 'uint8' || dtype === 'int8';
  if (isByte) return 1 / Math.max(1, ...Array.from(data as Int8Array, Math.abs));
  return tolerances[dtype] ?? TOLERANCE;
}

/** Whether the reference gives the stored outputs. */
export function checkReference({ graph, inputs, outputs }: Prepared): Finding {
  const foreign = graph.nodes.find(({ op }) => !hasKernel(op));
  if (foreign !== undefined) return { status: 'skipped', reason: `no reference of ${foreign.op}` };
  const feeds = Object.fromEntries([...inputs].map(([name, t]) => [name, fromHost(t)]));
  const values = interpret(graph, feeds);
  for (const [i, stored] of outputs.entries()) {
    const name = graph.outputs[i]?.name ?? '';
    const actual = values.get(name);
    const expected = fromHost(stored);
    if (actual === undefined) return { status: 'failed', reason: `the reference left out ${name}` };
    if (`${actual.dims}` !== `${expected.dims}`) {
      return {
        status: 'failed',
        reason: `the reference gave ${name} as [${actual.dims}], stored is [${expected.dims}]`,
      };
    }
    const error = largestError(actual, expected);
    if (!(error <= toleranceOf(stored))) {
      return {
        status: 'failed',
        reason: `the reference is off by ${error.toPrecision(2)} in ${name}`,
      };
    }
  }
  return { status: 'passed' };
}

/** Largest difference ÷ max(1, largest finite expected value); NaN and infinities must be the same. */
function largestError(actual: Tensor, expected: Tensor): number {
  const finite = expected.data.filter(Number.isFinite).map(Math.abs);
  const scale = finite.reduce((most, x) => Math.max(most, x), 1);
  return expected.data.reduce((most, x, i) => {
    const y = actual.data[i] as number;
    if (Object.is(x, y) || x === y) return most;
    const error = Math.abs(x - y) / scale;
    return Number.isNaN(error) || error === Number.POSITIVE_INFINITY
      ? Number.POSITIVE_INFINITY
      : Math.max(most, error);
  }, 0);
}
