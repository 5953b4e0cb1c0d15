/** How targets belong to predictions. */
import { UsageError } from '../../errors.js';

/** What a prediction and its targets have to do with each other. */
export type TargetKind =
  /** Class numbers, one for each position of the class axis' other dims. */
  | { readonly kind: 'classes'; readonly axis: number }
  /** A number for each element of the prediction. */
  | { readonly kind: 'elements' };

/**
 * How targets belong to a prediction, both with the batch as first dim. Class numbers have the dims of
 * the prediction without its class axis: axis 1 ([N, K], [N, K, d…]) or the last one ([N, T, K]).
 * Dims of 1 behind the batch do not count. Throws `UsageError` where nothing fits, and where both do.
 */
export function targetKindOf(
  prediction: readonly number[],
  target: readonly number[],
  dtype: 'float32' | 'int64',
): TargetKind {
  const same = (dims: readonly number[]) => essential(dims) === essential(target);
  if (dtype === 'float32') {
    if (same(prediction)) return { kind: 'elements' };
    throw new UsageError(
      `target: expected float targets of the prediction's dims [${prediction}], received [${target}]`,
    );
  }
  const last = prediction.length - 1;
  const fitting = [...new Set([1, last])].filter(
    (axis) =>
      axis >= 1 && axis <= last && prediction[axis] !== 1 && same(prediction.toSpliced(axis, 1)),
  );
  const [axis] = fitting;
  if (axis !== undefined && fitting.length === 1) return { kind: 'classes', axis };
  throw new UsageError(
    axis === undefined
      ? `target: expected class numbers of the prediction's dims [${prediction}] without its class axis ` +
          `(1 or the last), received [${target}]`
      : `target: expected a prediction whose class axis is plain, received [${prediction}] for class ` +
          `numbers [${target}]: axis 1 and axis ${last} both fit; choose another length`,
  );
}

function essential([batch, ...rest]: readonly number[]): string {
  return [batch, ...rest.filter((dim) => dim !== 1)].join();
}
