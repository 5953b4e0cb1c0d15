/** One array of a data set, a row for each example, as a runner shares it with its tasks. */
import type { StreamInput } from '../runtime/binding-types.js';
import type { TaskContext } from '../runtime/runner-protocol.js';
import {
  createTensorData,
  type ElementType,
  elementCount,
  type HostTensor,
  type TensorData,
} from '../util/tensor.js';

/** An array [count, …rowDims]. */
export interface SharedColumn {
  /** Input of the model, or `target`. */
  readonly name: string;
  /** Name under which the runner shares the array. */
  readonly array: string;
  readonly dtype: ElementType;
  readonly rowDims: readonly number[];
  /** The input is value·scale + shift, per first dim of a row. */
  readonly scale?: Float32Array;
  readonly shift?: Float32Array;
}

/** The column as a stream into the input `name`. */
export function streamOf(column: SharedColumn, name: string, context: TaskContext): StreamInput {
  const { dtype, rowDims, scale, shift } = column;
  return {
    name,
    rowDims,
    dtype,
    source: context.shared(column.array),
    ...(scale && shift && { scale, shift }),
  };
}

/** `count` rows from row `from` on, converted: [count, …rowDims]. */
export function readRows(
  { dtype, rowDims, scale, shift }: Omit<SharedColumn, 'name' | 'array'>,
  source: TensorData,
  from: number,
  count: number,
): HostTensor {
  const length = elementCount(rowDims);
  const values = source.subarray(from * length, (from + count) * length);
  const data = createTensorData(dtype, values.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < data.length; i++) data[i] = BigInt(values[i] as number | bigint);
  } else if (scale !== undefined && shift !== undefined) {
    const plane = length / scale.length;
    for (let start = 0, c = 0; start < data.length; start += plane, c = (c + 1) % scale.length) {
      const [factor, term] = [scale[c] as number, shift[c] as number];
      for (let i = start; i < start + plane; i++) data[i] = Number(values[i]) * factor + term;
    }
  } else {
    for (let i = 0; i < data.length; i++) data[i] = Number(values[i]);
  }
  return { dtype, dims: [count, ...rowDims], data };
}
