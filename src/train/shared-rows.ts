/** Rows of a data set that a runner shares with its tasks: a column for each input of the model. */
import { UsageError } from '../errors.js';
import { type Graph, withGraph } from '../ir/graph.js';
import type { SharedColumn } from './column.js';
import { affineOf, type SharedImages } from './shared-images.js';

export interface SharedRows {
  readonly count: number;
  readonly inputs: readonly SharedColumn[];
  /** int64 class numbers or float32 values; absent where the model computes its own loss. */
  readonly target?: SharedColumn;
}

export type SharedData = SharedImages | SharedRows;

/** The columns for the inputs of `graph`, in its order. Throws `UsageError` where one is missing. */
export function rowsOf(data: SharedData, graph: Graph): SharedRows {
  if ('inputs' in data) {
    const inputs = graph.inputs.map(({ name }) => {
      const column = data.inputs.find((one) => one.name === name);
      if (column !== undefined) return column;
      const names = data.inputs.map((one) => one.name).join(', ');
      throw new UsageError(
        `data: expected an array for input ${name}, received ${names || 'none'}`,
      );
    });
    return { ...data, inputs };
  }
  const [image, ...others] = graph.inputs;
  if (image === undefined || others.length > 0) {
    throw new UsageError(
      `graph ${graph.name}: expected one input for images, received ${graph.inputs.length}`,
    );
  }
  const { count, channels, height, width } = data;
  const rowDims = [channels, height, width];
  const column = { name: image.name, array: data.images, dtype: 'float32', rowDims } as const;
  return {
    count,
    inputs: [{ ...column, ...affineOf(data) }],
    target: { name: 'target', array: data.labels, dtype: 'int64', rowDims: [] },
  };
}

/**
 * The graph with the dims of the rows in its inputs; the batch stays as it is. Throws `UsageError`
 * where type or dims do not fit.
 */
export function fitToRows(graph: Graph, rows: SharedRows): Graph {
  const inputs = graph.inputs.map((input, i) => {
    const { dtype, rowDims } = rows.inputs[i] as SharedColumn;
    const [batch = 'N', ...wanted] = input.shape ?? ['N', ...rowDims];
    const fits =
      input.dtype === dtype &&
      wanted.length === rowDims.length &&
      wanted.every((dim, k) => typeof dim === 'string' || dim === rowDims[k]);
    if (!fits) {
      throw new UsageError(
        `data: expected rows of ${input.dtype} [${wanted}] for input ${input.name}, ` +
          `received ${dtype} [${rowDims}]`,
      );
    }
    return { ...input, shape: [batch === '?' ? 'N' : batch, ...rowDims] };
  });
  return withGraph(graph, { inputs });
}
