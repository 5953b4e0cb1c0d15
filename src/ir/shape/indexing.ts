/** Operators that pick or place elements: slice, pad, gather, scatter, shape. */
import { intOf, intsOf } from '../attributes.js';
import type { Dim, Shape } from '../graph.js';
import { pickContents } from './contents.js';
import { formatShape, isFixed } from './dims.js';
import {
  type Contents,
  fail,
  frontAxis,
  hasInput,
  type InferContext,
  numbersOf,
  type ShapeRule,
  single,
  unknownDims,
} from './shape.js';

/** Shape: int64 sizes from `start` to `end`, which are clamped. */
export const shapeOf: ShapeRule = ({ node, inputs: [x] }) => {
  if (x?.shape === undefined) return single('int64', ['?']);
  const rank = x.shape.length;
  const dims = x.shape.slice(intOf(node, 'start', 0), intOf(node, 'end', rank));
  return single('int64', [dims.length], dims);
};

/** Gather: the axis of `data` replaced by the shape of `indices`. */
export const gather: ShapeRule = ({ node, inputs, contents }) => {
  const [data, indices] = inputs;
  if (data?.shape === undefined) return single(data?.dtype, undefined);
  const axis = frontAxis(node, intOf(node, 'axis', 0), data.shape.length);
  if (indices?.shape === undefined) return single(data.dtype, undefined);
  const shape = data.shape.toSpliced(axis, 1, ...indices.shape);
  const [values, picks] = [contents[0], numbersOf(contents[1])];
  if (data.shape.length !== 1 || values === undefined || picks === undefined) {
    return single(data.dtype, shape);
  }
  const picked = picks.map((pick) => {
    const value = values.at(pick);
    if (value === undefined) {
      fail(node, `expected indices into ${values.length} elements, received ${pick}`);
    }
    return value;
  });
  return single(data.dtype, shape, picked);
};

/** ScatterElements: y like data. */
export const scatterElements: ShapeRule = ({ node, inputs: [data, indices, updates] }) => {
  const [a, b] = [indices?.shape, updates?.shape];
  if (a !== undefined && b !== undefined && a.length !== b.length) {
    fail(node, `expected updates of ${formatShape(a)}, received ${formatShape(b)}`);
  }
  return single(data?.dtype, data?.shape);
};

interface Range {
  readonly start: Dim;
  readonly end: Dim;
  readonly step: Dim;
}

/** Slice: starts, ends, axes and steps are inputs from opset 10 on, attributes before. */
export const slice: ShapeRule = (context) => {
  const { inputs, contents } = context;
  const [x] = inputs;
  if (x?.shape === undefined) return single(x?.dtype, undefined);
  const { shape } = x;
  const ranges = rangesOf(context, shape.length);
  if (ranges === undefined) return single(x.dtype, unknownDims(shape.length));
  const dims = shape.map((dim, i) => {
    const range = ranges.get(i);
    return range === undefined ? dim : slicedSize(dim, range);
  });
  return single(x.dtype, dims, pickContents(contents[0], shape, slicedIndices(shape, ranges)));
};

/** The slice of each axis; undefined where not even the axes are known. */
function rangesOf(context: InferContext, rank: number): Map<number, Range> | undefined {
  const { node, contents } = context;
  const read = (input: number, attribute: string): Contents | undefined =>
    hasInput(node, input) ? contents[input] : intsOf(node, attribute);
  const [starts, ends] = [read(1, 'starts'), read(2, 'ends')];
  const isNamed = hasInput(node, 3) || node.attributes.axes !== undefined;
  const steps = hasInput(node, 4) ? contents[4] : undefined;
  const axes = isNamed ? numbersOf(read(3, 'axes')) : starts?.map((_, i) => i);
  if (axes === undefined) return undefined;
  if ((starts?.length ?? axes.length) !== axes.length) {
    fail(node, `expected ${axes.length} starts, received [${starts}]`);
  }
  return new Map(
    axes.map((axis, i) => [
      frontAxis(node, axis, rank),
      {
        start: starts?.[i] ?? '?',
        end: ends?.[i] ?? '?',
        step: hasInput(node, 4) ? (steps?.[i] ?? '?') : 1,
      },
    ]),
  );
}

/** First index, index behind the last, clamped to `size` as the specification of Slice says. */
function clampRange(size: number, start: number, end: number, step: number): [number, number] {
  const clamp = (i: number, low: number, high: number) =>
    Math.min(Math.max(i < 0 ? i + size : i, low), high);
  return step > 0
    ? [clamp(start, 0, size), clamp(end, 0, size)]
    : [clamp(start, 0, size - 1), clamp(end, -1, size - 1)];
}

/** Ends beyond this mean "to the last element" (exporters write the largest int32 or int64). */
const FAR = 2 ** 31 - 1;

function slicedSize(size: Dim, { start, end, step }: Range): Dim {
  if (!isFixed(step) || step === 0) return '?';
  if (isFixed(size) && isFixed(start) && isFixed(end)) {
    const [first, behind] = clampRange(size, start, end, step);
    return Math.max(0, Math.ceil((behind - first) / step));
  }
  const isWhole =
    (step === 1 && start === 0 && ((isFixed(end) && end >= FAR) || end === size)) ||
    (step === -1 &&
      (start === -1 || (isFixed(start) && start >= FAR)) &&
      isFixed(end) &&
      end <= -FAR);
  return isWhole ? size : '?';
}

/** Indices that the slice keeps of each axis; undefined where one is not known. */
function slicedIndices(shape: Shape, ranges: ReadonlyMap<number, Range>): number[][] | undefined {
  const indices = shape.map((size, axis) => {
    const { start, end, step } = ranges.get(axis) ?? { start: 0, end: size, step: 1 };
    if (![size, start, end, step].every(isFixed) || step === 0) return undefined;
    const by = Number(step);
    const [first, behind] = clampRange(Number(size), Number(start), Number(end), by);
    const count = Math.max(0, Math.ceil((behind - first) / by));
    return Array.from({ length: count }, (_, i) => first + i * by);
  });
  return indices.includes(undefined) ? undefined : (indices as number[][]);
}

/** Pad: pads are an attribute before opset 11 and an input since; `axes` came with opset 18. */
export const pad: ShapeRule = ({ node, inputs, contents }) => {
  const [x] = inputs;
  if (x?.shape === undefined) return single(x?.dtype, undefined);
  const { shape } = x;
  const pads = hasInput(node, 1) ? contents[1] : intsOf(node, 'pads');
  const axes = hasInput(node, 3) ? numbersOf(contents[3]) : shape.map((_, i) => i);
  if (pads === undefined || axes === undefined) return single(x.dtype, unknownDims(shape.length));
  if (pads.length !== 2 * axes.length) {
    fail(node, `expected ${2 * axes.length} pads for ${formatShape(shape)}, received [${pads}]`);
  }
  const dims: Dim[] = [...shape];
  axes.forEach((given, i) => {
    const axis = frontAxis(node, given, shape.length);
    const [size, before, after] = [shape[axis], pads[i], pads[i + axes.length]] as [Dim, Dim, Dim];
    if (!isFixed(before) || !isFixed(after)) {
      dims[axis] = '?';
      return;
    }
    const padded = isFixed(size) ? size + before + after : before + after === 0 ? size : '?';
    if (isFixed(padded) && padded < 0) {
      fail(node, `expected pads within ${formatShape(shape)}, received [${pads}]`);
    }
    dims[axis] = padded;
  });
  return single(x.dtype, dims);
};
