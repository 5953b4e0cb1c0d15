/**
 * ScatterElements and ScatterND: data, and updates placed into it. Both have the same gradients once it
 * is known how to put a tensor like the updates where they go, and how to take one from there.
 */
import { intOf, stringOf } from '../../ir/attributes.js';
import { elementCount } from '../../util/tensor.js';
import type { NodeContext } from './node-context.js';
import { type GradientContext, type GradientRule, type Gradients, range } from './rule.js';

interface Place {
  put(into: string, updates: string, reduction: 'none' | 'add' | 'mul'): string;
  take(from: string): string;
}

export const scatterElements: GradientRule = (c) => {
  const axis = intOf(c.node, 'axis', 0);
  return scatterGradients(c, {
    put: (into, updates, reduction) =>
      c.op('ScatterElements', [into, c.x(1), updates], { axis, reduction }),
    take: (from) => c.op('GatherElements', [from, c.x(1)], { axis }),
  });
};

export const scatterND: GradientRule = (c) => {
  const dims = c.dims(c.x(0));
  const slices = slicesOf(c, c.x(1), dims, 0);
  return scatterGradients(c, {
    // Slice by slice and not as ScatterND, which runs in no order where indices repeat.
    put: (into, updates, reduction) => c.reshape(slices.put(into, updates, reduction), dims),
    take: (from) => c.op('GatherND', [from, c.x(1)]),
  });
};

/** Gradients for data and updates. */
function scatterGradients(c: GradientContext, place: Place): Gradients {
  const reduction = stringOf(c.node, 'reduction', 'none');
  const updates = c.x(2);
  if (reduction === 'none') {
    const kept = () => place.put(c.dy, c.zeros(c.dims(updates), c.dy), 'none');
    return both(c, kept, () => place.take(c.dy));
  }
  if (reduction === 'add')
    return both(
      c,
      () => c.dy,
      () => place.take(c.dy),
    );
  if (reduction === 'mul') return productGradients(c, place);
  if (reduction === 'max' || reduction === 'min') return extremumGradients(c, place);
  throw c.refuse(`reduction expected none, add, mul, max or min, received ${reduction}`);
}

function both(c: GradientContext, data: () => string, updates: () => string): Gradients {
  return [c.wants[0] ? data() : undefined, undefined, c.wants[2] ? updates() : undefined];
}

/** Each factor gets the product of the others; found without dividing by a factor that is zero. */
function productGradients(c: GradientContext, place: Place): Gradients {
  const updates = c.x(2);
  const [zero, one] = [c.scalar(0), c.scalar(1)];
  const ones = c.expand(one, c.dims(c.x(0)));
  const nonZero = () => {
    const isZero = c.op('Equal', [updates, zero]);
    const plain = c.where(isZero, one, updates);
    const flag = c.where(isZero, one, zero);
    const zeros = place.put(c.zeros(c.dims(c.x(0)), c.dy), flag, 'add');
    const others = c.sub(place.take(zeros), flag);
    const product = c.div(place.take(place.put(ones, plain, 'mul')), plain);
    return c.where(c.op('Equal', [others, zero]), product, zero);
  };
  return both(
    c,
    () => c.mul(c.dy, place.put(ones, updates, 'mul')),
    () => c.mul(place.take(c.mul(c.dy, c.x(0))), nonZero()),
  );
}

/** In equal shares to all that have the extreme value, as PyTorch's scatter_reduce. */
function extremumGradients(c: GradientContext, place: Place): Gradients {
  const hit = (value: string, result: string) =>
    c.where(c.op('Equal', [value, result]), c.scalar(1), c.scalar(0));
  const data = hit(c.x(0), c.y);
  const updates = hit(c.x(2), place.take(c.y));
  const share = c.div(c.dy, place.put(data, updates, 'add'));
  return both(
    c,
    () => c.mul(share, data),
    () => c.mul(place.take(share), updates),
  );
}

/** Slices of a tensor that index tuples name. */
export interface Slices {
  /** A tensor of slices, as the tuples stand, put into one [slices, elements of each]. */
  put(into: string, slices: string, reduction: 'none' | 'add' | 'mul'): string;
}

/**
 * The slices of a tensor of `dims` that `indices` [batch…, …, k] name, as GatherND and ScatterND have
 * it: behind `batch` shared axes, k axes are indexed.
 */
export function slicesOf(
  c: NodeContext,
  indices: string,
  dims: readonly number[],
  batch: number,
): Slices {
  const b = c.builder;
  const lead = c.dims(indices).slice(0, -1);
  const depth = c.dims(indices).at(-1) as number;
  const indexed = dims.slice(batch, batch + depth);
  const strides = indexed.map((_, i) => elementCount(indexed.slice(i + 1)));
  const negative = c.op('Less', [indices, b.scalar(0, 'int64')]);
  const wrapped = c.where(negative, c.add(indices, b.ints(indexed)), indices);
  const within = c.reduceSum(c.mul(wrapped, b.ints(strides)), [lead.length]);
  const perBatch = elementCount(indexed);
  const batches = elementCount(lead.slice(0, batch));
  const firsts = b.constant({
    dtype: 'int64',
    dims: lead.map((size, i) => (i < batch ? size : 1)),
    data: BigInt64Array.from(range(batches), (n) => BigInt(n * perBatch)),
  });
  const width = elementCount(dims.slice(batch + depth));
  const [count, total] = [elementCount(lead), batches * perBatch];
  const rows = c.reshape(batch === 0 ? within : c.add(within, firsts), [count, 1]);
  return {
    put: (into, slices, reduction) =>
      c.op(
        'ScatterElements',
        [
          c.reshape(into, [total, width]),
          c.expand(rows, [count, width]),
          c.reshape(slices, [count, width]),
        ],
        { axis: 0, reduction },
      ),
  };
}
