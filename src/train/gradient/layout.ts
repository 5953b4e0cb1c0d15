/** Operators that move elements: the seed is moved back. */
import { intOf, intsOf } from '../../ir/attributes.js';
import { frontAxis, type GradientContext, type GradientRule, range } from './rule.js';

/** Reshape, Flatten, Squeeze, Unsqueeze, Identity. */
export const reshape: GradientRule = (c) => [c.reshape(c.dy, c.dims(c.x()))];

/** The inverse permutation. */
export const transpose: GradientRule = (c) => {
  const rank = c.dims(c.x()).length;
  const perm = intsOf(c.node, 'perm') ?? range(rank).reverse();
  return [
    c.transpose(
      c.dy,
      range(rank).map((axis) => perm.indexOf(axis)),
    ),
  ];
};

/** Each input takes its part of the seed. */
export const concat: GradientRule = (c) => {
  const dims = c.dims(c.y);
  const axis = frontAxis(intOf(c.node, 'axis', 0), dims.length);
  const sizes = c.node.inputs.map((name) => c.dims(name)[axis] as number);
  const parts = c.builder.ops(
    'Split',
    [c.dy, c.builder.ints(sizes)],
    { axis },
    sizes.length,
    `d.${c.node.name}.split`,
  );
  return parts.map((part, i) => (c.wants[i] ? part : undefined));
};

/** The seeds joined, zeros for outputs without one. */
export const split: GradientRule = (c) => {
  const axis = intOf(c.node, 'axis', 0);
  const parts = c.node.outputs.map((name, i) => c.seeds[i] ?? c.zeros(c.dims(name), c.x()));
  return [c.op('Concat', parts, { axis })];
};

/** Zeros around the seed; for a step s, s−1 zeros after each element; reversed for s < 0. */
export const slice: GradientRule = (c) => {
  const dims = c.dims(c.x());
  if (c.dims(c.dy).includes(0)) return [c.zeros(dims, c.dy)];
  const starts = c.ints('starts', 1) ?? [];
  const axes = c.ints('axes', 3) ?? range(starts.length);
  const steps = c.hasInput(4) ? (c.ints('steps', 4) ?? []) : starts.map(() => 1);
  let value = c.dy;
  const pads = new Array<number>(2 * dims.length).fill(0);
  axes.forEach((rawAxis, i) => {
    const axis = frontAxis(rawAxis, dims.length);
    const size = dims[axis] as number;
    const step = steps[i] as number;
    const count = c.dims(value)[axis] as number;
    const from = frontAxis(starts[i] as number, size);
    let start = Math.min(Math.max(from, 0), step < 0 ? size - 1 : size);
    if (step < 0) {
      value = c.slice(value, [axis], [-1], [-Number.MAX_SAFE_INTEGER], [-1]);
      start += (count - 1) * step;
    }
    value = interleaveZeros(c, value, axis, Math.abs(step));
    pads[axis] = start;
    pads[dims.length + axis] = size - start - (c.dims(value)[axis] as number);
  });
  return [c.pad(value, pads)];
};

/** x₀ 0 0 x₁ 0 0 x₂ for a step of 3. */
function interleaveZeros(c: GradientContext, value: string, axis: number, step: number): string {
  if (step === 1) return value;
  const dims = c.dims(value);
  const inserted = [...dims.slice(0, axis + 1), 1, ...dims.slice(axis + 1)];
  const pads = new Array<number>(2 * inserted.length).fill(0);
  pads[inserted.length + axis + 1] = step - 1;
  const padded = c.pad(c.reshape(value, inserted), pads);
  const length = (dims[axis] as number) * step;
  const joined = c.reshape(
    padded,
    dims.map((size, i) => (i === axis ? length : size)),
  );
  return c.slice(joined, [axis], [0], [length - step + 1]);
}

/** The seed summed over the axes that were stretched. */
export const expand: GradientRule = (c) => [c.sumTo(c.dy, c.dims(c.x()))];

/** The seed summed over the repeats. */
export const tile: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const full = c.dims(c.y);
  const parts = dims.flatMap((size, i) => [(full[i] as number) / size, size]);
  return [
    c.reduceSum(
      c.reshape(c.dy, parts),
      dims.map((_, i) => 2 * i),
    ),
  ];
};

/** The seed in its former element type; none for integers. */
export const cast: GradientRule = (c) => {
  const { dtype } = c.builder.typeOf(c.x());
  const codes: Partial<Record<string, number>> = { float32: 1, float16: 10, float64: 11 };
  const to = codes[dtype];
  return [to === undefined ? undefined : c.op('Cast', [c.dy], { to })];
};
