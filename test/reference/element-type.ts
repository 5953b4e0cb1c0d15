/** Which element type the results of an operator have, where another operator may ask for it. */
import { intOf } from '../../src/ir/attributes.js';
import { elementTypeOf } from '../../src/ir/element-codes.js';
import type { Node } from '../../src/ir/graph.js';
import type { ElementType } from '../../src/util/tensor.js';
import type { Tensor } from './tensor.js';

const truths: ReadonlySet<string> = new Set(
  'And Equal Greater GreaterOrEqual IsInf IsNaN Less LessOrEqual Not Or Xor'.split(' '),
);
const indices: ReadonlySet<string> = new Set('ArgMax ArgMin NonZero Shape Size'.split(' '));

/** Operators whose first result has the type of their first input, integers too. */
const same: ReadonlySet<string> = new Set(
  (
    'Abs Add BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Clip Compress Concat CumProd CumSum ' +
    'Div Expand Flatten Gather GatherElements GatherND Identity Max Min Mod Mul Neg Pad Pow Range ' +
    'ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu ' +
    'Reshape ReverseSequence ScatterElements ScatterND Sign Slice Split Squeeze Sub Sum Tile TopK ' +
    'Transpose Trilu Unsqueeze'
  ).split(' '),
);

/** Type of the i-th result where its kernel does not say; undefined is a float. */
export function resultType(
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  i: number,
): ElementType | undefined {
  if (truths.has(node.op)) return 'bool';
  if (indices.has(node.op)) return 'int64';
  if (node.op === 'Cast' || node.op === 'BitCast') return elementTypeOf(intOf(node, 'to', 0));
  if (node.op === 'CastLike' || node.op === 'Where') return inputs[1]?.dtype;
  if (node.op === 'Dropout' && i === 1) return 'bool';
  return same.has(node.op) && (i === 0 || node.op === 'Split') ? inputs[0]?.dtype : undefined;
}

const widths: Partial<Readonly<Record<ElementType, number>>> = {
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  int2: 2,
  int4: 4,
  uint2: 2,
  uint4: 4,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
};

/** Bits of an integer type; undefined for what is none. */
export function bitsOf(dtype: ElementType | undefined): number | undefined {
  return dtype === undefined ? undefined : widths[dtype];
}

/** The integer as the type holds it: what does not fit loses its upper bits. */
export function wrap(value: bigint, dtype: ElementType | undefined): number {
  const bits = bitsOf(dtype);
  if (bits === undefined) throw new Error(`expected an integer type, received ${dtype}`);
  return Number(dtype?.startsWith('u') ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value));
}
