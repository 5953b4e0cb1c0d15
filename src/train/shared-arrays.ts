/** Plain arrays as a runner shares them, in the element types that a model takes. */
import {
  type ArrayColumn,
  type ArrayDataset,
  type ArraySplit,
  TARGET_COLUMN,
} from '../data/arrays.js';
import { UsageError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import type { Runner } from '../runtime/runtime.js';
import { createTensorData, type ElementType, type TensorData } from '../util/tensor.js';
import type { SharedColumn } from './column.js';
import type { SplitName } from './shared-images.js';
import type { SharedRows } from './shared-rows.js';

/** Array types that the training loop converts by itself. */
const narrower: Readonly<Partial<Record<ElementType, readonly ElementType[]>>> = {
  float32: ['uint8', 'int32'],
  int64: ['uint8', 'uint16', 'int32'],
  int32: ['uint8', 'uint16'],
};

/** Element type of the targets: int64 for class numbers. */
export type TargetElement = 'int64' | 'float32';

/**
 * Gives a runner the columns of all splits for the inputs of `graph`, and the targets in the element
 * type that `typeOfTarget` gives. Throws `UsageError` where a column has no such numbers.
 */
export function shareArrays(
  runner: Runner,
  dataset: ArrayDataset,
  graph: Graph,
  typeOfTarget: (target: ArrayColumn) => TargetElement,
): Readonly<Record<SplitName, SharedRows>> {
  const typeOf = new Map(graph.inputs.map(({ name, dtype }) => [name, dtype]));
  const share = (split: ArraySplit, splitName: SplitName): SharedRows => {
    const columns = split.columns.map((column): SharedColumn => {
      const { name, rowDims } = column;
      const dtype = typeOf.get(name) ?? typeOfTarget(column);
      const array = `${splitName}.${name}`;
      runner.share(array, converted(column, dtype));
      return { name, array, dtype, rowDims };
    });
    const targets = columns.find(({ name }) => name === TARGET_COLUMN && !typeOf.has(name));
    const inputs = columns.filter((column) => column !== targets);
    return { count: split.count, inputs, ...(targets && { target: targets }) };
  };
  return {
    train: share(dataset.train, 'train'),
    search: share(dataset.search, 'search'),
    hidden: share(dataset.hidden, 'hidden'),
  };
}

function converted({ name, dtype, data }: ArrayColumn, wanted: ElementType): TensorData {
  if (dtype === wanted || narrower[wanted]?.includes(dtype)) return data;
  const isWhole = !wanted.startsWith('float');
  const result = createTensorData(wanted, data.length);
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (isWhole && !Number.isInteger(value)) {
      throw new UsageError(
        `data: expected whole numbers in ${name}, which is ${wanted}, received ${value}`,
      );
    }
    if (result instanceof BigInt64Array || result instanceof BigUint64Array) {
      result[i] = BigInt(value);
    } else {
      result[i] = value;
    }
  }
  return result;
}
