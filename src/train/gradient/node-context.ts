/**
 * Short hands for a rule that appends nodes in the place of one node: to pass gradients back through
 * it, or to write it as the graph that it stands for. All dimensions are fixed.
 */
import { UsageError } from '../../errors.js';
import { type AttributeValue, intsOf } from '../../ir/attributes.js';
import type { GraphBuilder } from '../../ir/builder.js';
import type { Node } from '../../ir/graph.js';
import type { OpName } from '../../ir/op-schema.js';
import { elementCount } from '../../util/tensor.js';

export class NodeContext {
  constructor(
    readonly builder: GraphBuilder,
    readonly node: Node,
    /** Before the names of what is appended. */
    private readonly prefix: string,
    /** Takes each node; its inputs stand in the builder. */
    readonly append: (node: Node) => void,
  ) {}

  /** Value whose type new scalars have where nothing else is said. */
  protected get like(): string {
    return this.x();
  }

  /** The first output. */
  get y(): string {
    return this.node.outputs[0] as string;
  }

  /** The i-th input. */
  x(i = 0): string {
    return this.node.inputs[i] as string;
  }

  /** Whether the i-th input is there and not left out. */
  hasInput(i: number): boolean {
    return (this.node.inputs[i] ?? '') !== '';
  }

  /** The i-th output if the node has it. */
  output(i: number): string | undefined {
    const name = this.node.outputs[i] ?? '';
    return name === '' ? undefined : name;
  }

  /** An error that names the node and why it cannot be trained. */
  refuse(reason: string): UsageError {
    return new UsageError(`node ${this.node.name} (${this.node.op}) cannot be trained: ${reason}`);
  }

  dims(value: string): readonly number[] {
    return this.builder.dimsOf(value);
  }

  /** Integers from the attribute of that name or, where there is none, from the i-th input. */
  ints(attribute: string, input: number): readonly number[] | undefined {
    const listed = intsOf(this.node, attribute);
    if (listed !== undefined || !this.hasInput(input)) return listed;
    const known = this.builder.contentsOf(this.x(input));
    if (known === undefined) throw this.refuse(`its ${attribute} are not constant`);
    return known.map(Number);
  }

  op(
    op: OpName,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
  ): string {
    return this.ops(op, inputs, attributes, 1)[0] as string;
  }

  /** A node with several outputs. */
  ops(
    op: OpName,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue>,
    outputCount: number,
  ): string[] {
    const name = `${this.prefix}.${op.toLowerCase()}`;
    const node = this.builder.create(op, inputs, attributes, outputCount, name);
    this.append(node);
    return [...node.outputs];
  }

  add(a: string, b: string): string {
    return this.op('Add', [a, b]);
  }

  sub(a: string, b: string): string {
    return this.op('Sub', [a, b]);
  }

  mul(a: string, b: string): string {
    return this.op('Mul', [a, b]);
  }

  div(a: string, b: string): string {
    return this.op('Div', [a, b]);
  }

  neg(a: string): string {
    return this.op('Neg', [a]);
  }

  /** A scalar of the type of `like`. */
  scalar(value: number, like: string = this.like): string {
    return this.builder.scalar(value, this.builder.typeOf(like).dtype);
  }

  /** A constant of the type of `like`, row-major. */
  tensor(dims: readonly number[], values: readonly number[], like: string = this.like): string {
    return this.builder.tensor(dims, values, this.builder.typeOf(like).dtype);
  }

  /** a · factor, or `a` itself for 1. */
  scale(a: string, factor: number): string {
    return factor === 1 ? a : this.mul(a, this.scalar(factor, a));
  }

  where(condition: string, a: string, b: string): string {
    return this.op('Where', [condition, a, b]);
  }

  greater(a: string, b: string): string {
    return this.op('Greater', [a, b]);
  }

  reshape(value: string, dims: readonly number[]): string {
    const known = this.dims(value);
    if (sameDims(known, dims)) return value;
    return this.op('Reshape', [value, this.builder.ints(dims)]);
  }

  transpose(value: string, perm: readonly number[]): string {
    return perm.every((axis, i) => axis === i) ? value : this.op('Transpose', [value], { perm });
  }

  expand(value: string, dims: readonly number[]): string {
    return sameDims(this.dims(value), dims)
      ? value
      : this.op('Expand', [value, this.builder.ints(dims)]);
  }

  reduceSum(value: string, axes: readonly number[], keepdims = 0): string {
    return this.op('ReduceSum', [value, this.builder.ints(axes)], { keepdims });
  }

  /** A reduction over the listed axes, kept with size 1; before opset 18 they are an attribute. */
  reduce(
    op: 'ReduceMax' | 'ReduceMean' | 'ReduceMin' | 'ReduceProd',
    value: string,
    axes: readonly number[],
  ): string {
    if (this.builder.opset < 18) return this.op(op, [value], { axes });
    return this.op(op, [value, this.builder.ints(axes)]);
  }

  slice(
    value: string,
    axes: readonly number[],
    starts: readonly number[],
    ends: readonly number[],
    steps: readonly number[] = axes.map(() => 1),
  ): string {
    const b = this.builder;
    return this.op('Slice', [value, b.ints(starts), b.ints(ends), b.ints(axes), b.ints(steps)]);
  }

  /** The first elements of each axis, as many as `dims` say. */
  firstOf(value: string, dims: readonly number[]): string {
    const axes = this.dims(value).flatMap((size, i) => (size === dims[i] ? [] : [i]));
    if (axes.length === 0) return value;
    const ends = axes.map((axis) => dims[axis] as number);
    return this.slice(
      value,
      axes,
      axes.map(() => 0),
      ends,
    );
  }

  /** Zero padding: `pads` as in ONNX, all beginnings and then all ends. */
  pad(value: string, pads: readonly number[]): string {
    return pads.every((p) => p === 0) ? value : this.op('Pad', [value, this.builder.ints(pads)]);
  }

  /** Zeros with the type of `like`. */
  zeros(dims: readonly number[], like: string): string {
    return this.expand(this.scalar(0, like), dims);
  }

  /** Undoes broadcasting: sums `value` over the axes along which `dims` was stretched. */
  sumTo(value: string, dims: readonly number[]): string {
    const full = this.dims(value);
    if (sameDims(full, dims)) return value;
    const lead = full.length - dims.length;
    const axes = full.flatMap((size, i) =>
      i < lead || ((dims[i - lead] as number) === 1 && size !== 1) ? [i] : [],
    );
    return this.reshape(axes.length === 0 ? value : this.reduceSum(value, axes), dims);
  }
}

/** Equal lists of sizes. */
export function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** The dims with the listed axes set to 1. */
export function keptDims(dims: readonly number[], axes: readonly number[]): number[] {
  return dims.map((size, i) => (axes.includes(i) ? 1 : size));
}

/** Number of elements along the listed axes. */
export function countAlong(dims: readonly number[], axes: readonly number[]): number {
  return elementCount(axes.map((axis) => dims[axis] as number));
}

/** The axis counted from the front. */
export function frontAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** 0 … count − 1. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
