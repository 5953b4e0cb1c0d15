/**
 * Convolution and pooling. Window arithmetic as in the ONNX specification of Conv, MaxPool and
 * ConvTranspose; a symbolic size survives where the window keeps every size (stride 1, "same").
 */
import { intOf, intsOf, stringOf } from '../attributes.js';
import type { Dim, Node, Shape } from '../graph.js';
import { formatShape, isFixed } from './dims.js';
import { commonType, fail, type ShapeRule, single, typeFrom } from './shape.js';

/** One spatial axis of a sliding window. */
export interface Axis {
  readonly kernel: Dim;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before and after. */
  readonly before: number;
  readonly after: number;
}

/** Attributes of the window, one entry per spatial axis. */
export function axesOf(node: Node, kernel: Shape): Axis[] {
  const rank = kernel.length;
  const list = (name: string, count: number, fallback: number): readonly number[] => {
    const given = intsOf(node, name) ?? new Array<number>(count).fill(fallback);
    if (given.length !== count) {
      fail(node, `expected ${count} ${name}, received ${given.length}`);
    }
    return given;
  };
  const strides = list('strides', rank, 1);
  const dilations = list('dilations', rank, 1);
  const pads = isExplicit(node) ? list('pads', 2 * rank, 0) : new Array<number>(2 * rank).fill(0);
  return kernel.map((size, i) => ({
    kernel: size,
    stride: strides[i] as number,
    dilation: dilations[i] as number,
    before: pads[i] as number,
    after: pads[i + rank] as number,
  }));
}

const autoPadOf = (node: Node) => stringOf(node, 'auto_pad', 'NOTSET');
const isExplicit = (node: Node) => autoPadOf(node) === 'NOTSET';
const isSame = (node: Node) => autoPadOf(node).startsWith('SAME');

/** Elements that the dilated kernel covers. */
const spanOf = (kernel: number, dilation: number) => (kernel - 1) * dilation + 1;

/** Number of window positions along one axis. */
export function slide(node: Node, size: Dim, axis: Axis, ceil: boolean): Dim {
  const { kernel, stride, dilation, before, after } = axis;
  if (isSame(node)) {
    if (isFixed(size)) return Math.ceil(size / stride);
    return stride === 1 ? size : '?';
  }
  if (!isFixed(kernel)) return '?';
  const span = spanOf(kernel, dilation);
  if (!isFixed(size)) return stride === 1 && before + after === span - 1 ? size : '?';
  const room = size + before + after - span;
  // Rounded up, the only window may reach beyond the input.
  if (ceil ? room <= -stride : room < 0) {
    fail(
      node,
      `expected at least ${span} elements under the window, received ${size} (padded ${size + before + after})`,
    );
  }
  if (!ceil) return Math.floor(room / stride) + 1;
  const count = Math.ceil(room / stride) + 1;
  // A window that would begin in the padding after the input is left out.
  return (count - 1) * stride >= size + before ? count - 1 : count;
}

function spatialOf(node: Node, x: Shape): Shape {
  if (x.length < 3)
    fail(node, `expected input [N,C,…] of rank 3 or more, received ${formatShape(x)}`);
  return x.slice(2);
}

/** Checks `kernel_shape` and bias against a weight, and returns the kernel's size. */
function kernelOf(node: Node, x: Shape, weight: Shape): Shape {
  if (weight.length !== x.length) {
    fail(
      node,
      `expected a weight of rank ${x.length} for input ${formatShape(x)}, received ${formatShape(weight)}`,
    );
  }
  const kernel = weight.slice(2);
  const stated = intsOf(node, 'kernel_shape');
  if (stated?.some((k, i) => isFixed(kernel[i]) && kernel[i] !== k)) {
    fail(node, `expected kernel_shape ${formatShape(kernel)}, received ${formatShape(stated)}`);
  }
  return kernel;
}

function checkBias(node: Node, bias: Shape | undefined, channels: Dim): void {
  if (bias === undefined) return;
  const length = bias[0];
  if (bias.length !== 1 || (isFixed(length) && isFixed(channels) && length !== channels)) {
    fail(node, `expected a bias of [${channels}], received ${formatShape(bias)}`);
  }
}

/** Conv: x [N,C,…], w [M,C/group,…] → [N,M,…]. */
export const conv: ShapeRule = (context) => {
  const { node, inputs } = context;
  const dtype = commonType(context, [0, 1, 2]);
  const [x, w] = [inputs[0]?.shape, inputs[1]?.shape];
  if (x === undefined) return single(dtype, undefined);
  const spatial = spatialOf(node, x);
  if (w === undefined) return single(dtype, [x[0] as Dim, '?', ...spatial.map(() => '?')]);
  const kernel = kernelOf(node, x, w);
  const group = intOf(node, 'group', 1);
  const [batch, received] = x as [Dim, Dim];
  const [channels, perGroup] = w as [Dim, Dim];
  if (isFixed(received) && isFixed(perGroup) && received !== perGroup * group) {
    fail(
      node,
      `expected ${perGroup * group} input channels as in its weight ${formatShape(w)}${group > 1 ? ` with group ${group}` : ''}, received ${received} in ${formatShape(x)}`,
    );
  }
  if (isFixed(channels) && channels % group !== 0) {
    fail(node, `expected output channels divisible by group ${group}, received ${channels}`);
  }
  checkBias(node, inputs[2]?.shape, channels);
  const axes = axesOf(node, kernel);
  const out = spatial.map((size, i) => slide(node, size, axes[i] as Axis, false));
  return single(dtype, [batch, channels, ...out]);
};

/** ConvTranspose: x [N,C,…], w [C,M/group,…] → [N,M,…]. */
export const convTranspose: ShapeRule = (context) => {
  const { node, inputs } = context;
  const dtype = commonType(context, [0, 1, 2]);
  const [x, w] = [inputs[0]?.shape, inputs[1]?.shape];
  if (x === undefined) return single(dtype, undefined);
  const spatial = spatialOf(node, x);
  if (w === undefined) return single(dtype, [x[0] as Dim, '?', ...spatial.map(() => '?')]);
  const kernel = kernelOf(node, x, w);
  const group = intOf(node, 'group', 1);
  const [batch, received] = x as [Dim, Dim];
  const [expected, perGroup] = w as [Dim, Dim];
  if (isFixed(received) && isFixed(expected) && received !== expected) {
    fail(
      node,
      `expected ${expected} input channels as in its weight ${formatShape(w)}, received ${received} in ${formatShape(x)}`,
    );
  }
  if (isFixed(expected) && expected % group !== 0) {
    fail(node, `expected input channels divisible by group ${group}, received ${expected}`);
  }
  const channels = isFixed(perGroup) ? perGroup * group : group === 1 ? perGroup : '?';
  checkBias(node, inputs[2]?.shape, channels);
  const stated = intsOf(node, 'output_shape')?.slice(-spatial.length);
  const extra = intsOf(node, 'output_padding');
  const axes = axesOf(node, kernel);
  const out = spatial.map((size, i) => {
    return stated?.[i] ?? spread(node, size, axes[i] as Axis, extra?.[i] ?? 0);
  });
  return single(dtype, [batch, channels, ...out]);
};

/** Output size of a transposed convolution along one axis. */
export function spread(node: Node, size: Dim, axis: Axis, extra: number): Dim {
  const { kernel, stride, dilation, before, after } = axis;
  if (isSame(node)) return isFixed(size) ? size * stride : stride === 1 ? size : '?';
  if (!isFixed(kernel)) return '?';
  const growth = spanOf(kernel, dilation) - before - after + extra;
  if (!isFixed(size)) return stride === 1 && growth === 1 ? size : '?';
  const out = stride * (size - 1) + growth;
  if (out < 1) fail(node, `expected an output of at least 1 element, received ${out}`);
  return out;
}

/** AveragePool and MaxPool (whose second output holds indices). */
export const pool: ShapeRule = ({ node, inputs: [x] }) => {
  if (x?.shape === undefined) return { types: [x, typeFrom('int64', undefined)] };
  const spatial = spatialOf(node, x.shape);
  const kernel = intsOf(node, 'kernel_shape');
  if (kernel === undefined) fail(node, 'expected attribute kernel_shape, received none');
  if (kernel.length !== spatial.length) {
    fail(
      node,
      `expected ${spatial.length} sizes in kernel_shape for ${formatShape(x.shape)}, received ${formatShape(kernel)}`,
    );
  }
  const axes = axesOf(node, kernel);
  const ceil = intOf(node, 'ceil_mode', 0) === 1;
  const out = spatial.map((size, i) => slide(node, size, axes[i] as Axis, ceil));
  const shape = [...x.shape.slice(0, 2), ...out];
  return { types: [typeFrom(x.dtype, shape), typeFrom('int64', shape)] };
};

/** GlobalAveragePool, GlobalMaxPool: [N,C,…] → [N,C,1,…]. */
export const globalPool: ShapeRule = ({ node, inputs: [x] }) => {
  if (x?.shape === undefined) return single(x?.dtype, undefined);
  const spatial = spatialOf(node, x.shape);
  return single(x.dtype, [...x.shape.slice(0, 2), ...spatial.map(() => 1)]);
};
