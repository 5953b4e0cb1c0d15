/** How far the outputs of two models are apart on the same inputs: are they versions of one model? */
import type { SessionValue } from '../runtime/runtime.js';
import type { HostTensor } from '../util/tensor.js';
import { decodeNumbers, largest, type Outputs } from './fingerprint.js';

export type OutputDifference =
  | { readonly comparable: false; readonly reason: string }
  | {
      readonly comparable: true;
      /** Null where one model gives NaN or infinity and the other does not. */
      readonly maxAbsDifference: number | null;
      /** Relative to the largest magnitude in b's tensor; null as above, and where that is 0. */
      readonly maxRelDifference: number | null;
      /** Name of the output that differs most, relatively. */
      readonly output: string;
    };

/** What two models must have in common for their outputs to be compared, or why they have not. */
export function explainSignatures(
  kind: 'input' | 'output',
  a: readonly SessionValue[],
  b: readonly SessionValue[],
): string | undefined {
  const names = (values: readonly SessionValue[]): string =>
    values.map(({ name }) => name).join(', ') || 'none';
  const others = new Map(b.map((value) => [value.name, value]));
  if (a.length !== b.length || a.some(({ name }) => !others.has(name))) {
    return `${kind}s differ: ${names(a)} and ${names(b)}`;
  }
  const odd = a.find(({ name, dtype }) => others.get(name)?.dtype !== dtype);
  if (odd === undefined) return undefined;
  return `${kind} ${odd.name}: ${odd.dtype} and ${others.get(odd.name)?.dtype}`;
}

/** The largest difference between outputs of the same names. */
export function compareOutputs(a: Outputs, b: Outputs): OutputDifference {
  let worst = { output: '', absolute: 0, relative: -1 };
  let maxAbsDifference = 0;
  for (const [output, tensor] of Object.entries(a)) {
    const other = b[output] as HostTensor;
    if (tensor.dims.join() !== other.dims.join()) {
      return {
        comparable: false,
        reason: `output ${output}: shapes [${tensor.dims}] and [${other.dims}]`,
      };
    }
    const right = decodeNumbers(other);
    const absolute = largestDifference(decodeNumbers(tensor), right);
    const relative = absolute === 0 ? 0 : absolute / largest(right);
    maxAbsDifference = Math.max(maxAbsDifference, absolute);
    if (relative > worst.relative) worst = { output, absolute, relative };
  }
  return {
    comparable: true,
    maxAbsDifference: finiteOrNull(maxAbsDifference),
    maxRelDifference: finiteOrNull(Math.max(0, worst.relative)),
    output: worst.output,
  };
}

/** Infinite where only one of two values is finite, or infinities differ; NaN equals NaN. */
function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((max, value, i) => {
    const other = b[i] as number;
    if (Object.is(value, other)) return max;
    const difference = Math.abs(value - other);
    return Math.max(max, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }, 0);
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
