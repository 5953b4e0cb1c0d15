/** How far the outputs of two models are apart on the same inputs: are they versions of one model? */
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

/** Why two sets of tensors are not alike in names, types and shapes; undefined where they are. */
export function explainDifference(
  kind: 'input' | 'output',
  a: Outputs,
  b: Outputs,
): string | undefined {
  const names = (tensors: Outputs): string => Object.keys(tensors).join(', ') || 'none';
  const type = ({ dtype, dims }: HostTensor): string => `${dtype}[${dims.join(', ')}]`;
  if (Object.keys(a).length !== Object.keys(b).length || Object.keys(a).some((n) => !(n in b))) {
    return `${kind}s differ: ${names(a)} and ${names(b)}`;
  }
  for (const [name, tensor] of Object.entries(a)) {
    const [left, right] = [type(tensor), type(b[name] as HostTensor)];
    if (left !== right) return `${kind} ${name} differs: ${left} and ${right}`;
  }
  return undefined;
}

/** The largest difference between outputs of the same names. */
export function compareOutputs(a: Outputs, b: Outputs): OutputDifference {
  const reason = explainDifference('output', a, b);
  if (reason !== undefined) return { comparable: false, reason };
  let worst = { output: '', relative: -1 };
  let maxAbsDifference = 0;
  for (const [output, tensor] of Object.entries(a)) {
    const right = decodeNumbers(b[output] as HostTensor);
    const absolute = largestDifference(decodeNumbers(tensor), right);
    const relative = absolute === 0 ? 0 : absolute / largest(right);
    maxAbsDifference = Math.max(maxAbsDifference, absolute);
    if (relative > worst.relative) worst = { output, relative };
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
