/** Matrix products. */
import { intOf } from '../attributes.js';
import type { Dim, Shape } from '../graph.js';
import { broadcastShapes, formatShape, isBroadcastableTo, isFixed } from './dims.js';
import { commonType, fail, type ShapeRule, single } from './shape.js';

const contradicts = (a: Dim, b: Dim) => isFixed(a) && isFixed(b) && a !== b;

/** MatMul, as numpy.matmul: […,M,K] × […,K,N]; a vector counts as a row left and a column right. */
export const matMul: ShapeRule = (context) => {
  const { node, inputs } = context;
  const dtype = commonType(context, [0, 1]);
  const [a, b] = [inputs[0]?.shape, inputs[1]?.shape];
  if (a === undefined || b === undefined) return single(dtype, undefined);
  if (a.length === 0 || b.length === 0) {
    fail(node, `expected ranks of 1 or more, received ${formatShape(a)} and ${formatShape(b)}`);
  }
  const left: Shape = a.length === 1 ? [1, ...a] : a;
  const right: Shape = b.length === 1 ? [...b, 1] : b;
  if (contradicts(left.at(-1) as Dim, right.at(-2) as Dim)) {
    fail(node, `expected inner sizes that agree, received ${formatShape(a)} and ${formatShape(b)}`);
  }
  const batch = broadcastShapes(node, [left.slice(0, -2), right.slice(0, -2)]) ?? [];
  const rows = a.length === 1 ? [] : [left.at(-2) as Dim];
  const columns = b.length === 1 ? [] : [right.at(-1) as Dim];
  return single(dtype, [...batch, ...rows, ...columns]);
};

/** Gemm: α·A'·B' + β·C, with C broadcast to the product. */
export const gemm: ShapeRule = (context) => {
  const { node, inputs } = context;
  const dtype = commonType(context, [0, 1, 2]);
  const [a, b, c] = inputs.map((x) => x?.shape);
  for (const matrix of [a, b]) {
    if (matrix !== undefined && matrix.length !== 2) {
      fail(node, `expected matrices, received ${formatShape(matrix)}`);
    }
  }
  const oriented = (shape: Shape | undefined, attribute: string): Shape => {
    const [rows, columns] = (shape ?? ['?', '?']) as [Dim, Dim];
    return intOf(node, attribute, 0) === 1 ? [columns, rows] : [rows, columns];
  };
  const [rows, inner] = oriented(a, 'transA') as [Dim, Dim];
  const [inner2, columns] = oriented(b, 'transB') as [Dim, Dim];
  if (contradicts(inner, inner2)) {
    fail(
      node,
      `expected ${inner2} features as in its weight ${formatShape(b)}, received ${inner} in ${formatShape(a)}`,
    );
  }
  const shape = [rows, columns];
  if (c !== undefined && !isBroadcastableTo(c, shape)) {
    fail(
      node,
      `expected a bias that broadcasts to ${formatShape(shape)}, received ${formatShape(c)}`,
    );
  }
  return single(dtype, shape);
};
