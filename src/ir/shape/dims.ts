/** Arithmetic on dimensions that may be symbolic. What cannot be written as a name becomes `'?'`. */
import type { Dim, Node, Shape } from '../graph.js';
import { fail } from './shape.js';

/** `[N,3,224,224]`. */
export function formatShape(shape: Shape | undefined): string {
  return shape === undefined ? 'an unknown shape' : `[${shape.join(',')}]`;
}

export function isFixed(dim: Dim | undefined): dim is number {
  return typeof dim === 'number';
}

/** Whether both are certainly the same size. */
export function isSameDim(a: Dim | undefined, b: Dim | undefined): boolean {
  return a === b && a !== '?' && a !== undefined;
}

export function addDims(a: Dim, b: Dim): Dim {
  if (isFixed(a) && isFixed(b)) return a + b;
  if (a === 0) return b;
  return b === 0 ? a : '?';
}

export function subtractDims(a: Dim, b: Dim): Dim {
  if (isFixed(a) && isFixed(b)) return a - b;
  if (b === 0) return a;
  return isSameDim(a, b) ? 0 : '?';
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (isFixed(a) && isFixed(b)) return a * b;
  if (a === 0 || b === 0) return 0;
  if (a === 1) return b;
  return b === 1 ? a : '?';
}

/** Quotient toward zero, as integer Div of ONNX. */
export function divideDims(a: Dim, b: Dim): Dim {
  if (b === 0) return '?';
  if (isFixed(a) && isFixed(b)) return Math.trunc(a / b);
  if (b === 1) return a;
  return isSameDim(a, b) ? 1 : '?';
}

export function maxDims(a: Dim, b: Dim): Dim {
  if (isFixed(a) && isFixed(b)) return Math.max(a, b);
  return isSameDim(a, b) ? a : '?';
}

export function minDims(a: Dim, b: Dim): Dim {
  if (isFixed(a) && isFixed(b)) return Math.min(a, b);
  return isSameDim(a, b) ? a : '?';
}

/** Product of the dimensions; 1 for none. */
export function productOf(dims: Shape): Dim {
  return dims.includes(0) ? 0 : dims.reduce(multiplyDims, 1);
}

/** The more definite of two descriptions of one size; undefined when they contradict. */
export function unifyDims(a: Dim, b: Dim): Dim | undefined {
  if (isFixed(a) && isFixed(b)) return a === b ? a : undefined;
  if (isFixed(a) || b === '?') return a;
  return isFixed(b) || a === '?' ? b : a;
}

/** Unifies whole shapes; undefined when the ranks or two sizes contradict. */
export function unifyShapes(a: Shape, b: Shape): Shape | undefined {
  if (a.length !== b.length) return undefined;
  const dims = a.map((dim, i) => unifyDims(dim, b[i] as Dim));
  return dims.includes(undefined) ? undefined : (dims as Dim[]);
}

/** One axis of a multidirectional broadcast. A size other than 1 decides; names must agree. */
function broadcastDim(a: Dim, b: Dim): Dim | undefined {
  if (a === 1) return b;
  if (b === 1) return a;
  if (isFixed(a) && isFixed(b)) return a === b ? a : undefined;
  if (isFixed(a)) return a;
  if (isFixed(b)) return b;
  return a === b ? a : '?';
}

/** Multidirectional broadcast of shapes, aligned at the last axis. Unknown ranks give undefined. */
export function broadcastShapes(
  node: Node,
  shapes: readonly (Shape | undefined)[],
): Shape | undefined {
  let result: Shape | undefined = [];
  for (const shape of shapes) {
    if (result === undefined || shape === undefined) return undefined;
    const rank = Math.max(result.length, shape.length);
    const dims: Dim[] = [];
    for (let back = rank; back >= 1; back--) {
      const dim = broadcastDim(result.at(-back) ?? 1, shape.at(-back) ?? 1);
      if (dim === undefined) {
        fail(
          node,
          `expected shapes that broadcast, received ${shapes.map(formatShape).join(' and ')}`,
        );
      }
      dims.push(dim);
    }
    result = dims;
  }
  return result;
}

/** Whether `shape` can be broadcast to `target` without changing `target`. */
export function isBroadcastableTo(shape: Shape, target: Shape): boolean {
  if (shape.length > target.length) return false;
  return shape.every((dim, i) => {
    const other = target[target.length - shape.length + i];
    return !isFixed(dim) || !isFixed(other) || dim === 1 || dim === other;
  });
}
