/** The float64 reference interpreter on stored inputs, beside the stored outputs. */
import type { Graph } from '../../src/ir/graph.js';
import { decodeBfloat16, decodeFloat16 } from '../../src/util/half.js';
import type { HostTensor } from '../../src/util/tensor.js';
import { interpret } from '../reference/interpreter.js';
import { type Tensor, tensor } from '../reference/tensor.js';
import type { Prepared } from './prepare.js';
import type { Finding } from './report.js';

/** The elements of a stored tensor as float64. */
export function valuesOf({ dtype, dims, data }: HostTensor): Tensor {
  const decode =
    dtype === 'float16' ? decodeFloat16 : dtype === 'bfloat16' ? decodeBfloat16 : Number;
  return tensor(dims, Array.from(data as ArrayLike<number>, decode));
}

/** All values of the graph by name, its 16-bit initializers decoded. */
export function evaluate(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  const halves = graph.initializers.filter(
    ({ dtype, data }) => (dtype === 'float16' || dtype === 'bfloat16') && data !== undefined,
  );
  const initializers = graph.initializers.filter((initializer) => !halves.includes(initializer));
  const decoded = halves.map((i) => [i.name, valuesOf(i as HostTensor)] as const);
  return interpret(
    { ...graph, initializers },
    Object.fromEntries([...inputs, ...decoded]) as Record<string, Tensor>,
  );
}

/** Relative to the largest element, by element type: half precision rounds, float32 adds up. */
const tolerances: Readonly<Record<string, number>> = {
  float16: 4e-3,
  bfloat16: 3e-2,
  float64: 1e-6,
};
const TOLERANCE = 1e-4;

/** Whether the reference gives the stored outputs. */
export function checkReference({ graph, inputs, outputs }: Prepared): Finding {
  const values = evaluate(graph, new Map([...inputs].map(([name, t]) => [name, valuesOf(t)])));
  for (const [i, stored] of outputs.entries()) {
    const name = graph.outputs[i]?.name ?? '';
    const actual = values.get(name);
    const expected = valuesOf(stored);
    if (actual === undefined) return { status: 'failed', reason: `the reference left out ${name}` };
    if (`${actual.dims}` !== `${expected.dims}`) {
      return {
        status: 'failed',
        reason: `the reference gave ${name} as [${actual.dims}], stored is [${expected.dims}]`,
      };
    }
    const error = largestError(actual, expected);
    if (!(error <= (tolerances[stored.dtype] ?? TOLERANCE))) {
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
