/**
 * What a shape rule is: from the types (and known integer contents) of a node's inputs to the types
 * of its outputs. One rule per operator, in one file per family; `rules.ts` is the whole table.
 * A rule never guesses: what does not follow is `'?'` or absent, what contradicts is a `ShapeError`.
 */
import { ArchwrightError } from '../../errors.js';
import type { ElementType, TensorData } from '../../util/tensor.js';
import type { Dim, Node, Shape, TensorType } from '../graph.js';
import type { OpName } from '../op-schema.js';

/** Contents of a small integer tensor, row-major, as far as they are known. */
export type Contents = readonly Dim[];

/** What is known of one value. */
export interface Known {
  readonly type?: TensorType | undefined;
  readonly contents?: Contents | undefined;
}

/** What a shape rule sees of one node. */
export interface InferContext {
  readonly node: Node;
  readonly opset: number;
  /** Types of the inputs; undefined where the input is left out or nothing is known of it. */
  readonly inputs: readonly (TensorType | undefined)[];
  /** Known integer contents of the inputs. */
  readonly contents: readonly (Contents | undefined)[];
  /** Elements of inputs that are constants of any element type. */
  readonly constants: readonly (TensorData | undefined)[];
  /**
   * Infers the nested graph of that attribute for these inputs, amid the values around the node, and
   * gives what is known of its outputs. The last call for an attribute is what gets recorded of it.
   */
  readonly inferBody: (attribute: string, inputs: readonly Known[]) => readonly Known[];
}

export interface Inferred {
  /** One entry per output of the node. */
  readonly types: readonly (TensorType | undefined)[];
  /** Integer contents of the first output, where they follow from the inputs. */
  readonly contents?: Contents;
  /** Integer contents of the outputs after the first. */
  readonly furtherContents?: readonly (Contents | undefined)[];
  /** How often each nested graph runs, by attribute, where that is known. */
  readonly runs?: Readonly<Record<string, number | undefined>>;
}

export type ShapeRule = (context: InferContext) => Inferred;
export type ShapeRules = Readonly<Record<OpName, ShapeRule>>;

/** The inputs of a node contradict its operator; the message names the node. */
export class ShapeError extends ArchwrightError {
  override name = 'ShapeError';
}

/** Throws a `ShapeError` that names the node. */
export function fail(node: Node, problem: string): never {
  throw new ShapeError(`node ${node.name} (${node.op}): ${problem}`);
}

/** A type from its parts; unknown when the element type is. */
export function typeFrom(
  dtype: ElementType | undefined,
  shape: Shape | undefined,
): TensorType | undefined {
  if (dtype === undefined) return undefined;
  return shape === undefined ? { dtype } : { dtype, shape };
}

/** The result of a rule with one output. */
export function single(
  dtype: ElementType | undefined,
  shape: Shape | undefined,
  contents?: Contents,
): Inferred {
  const types = [typeFrom(dtype, shape)];
  return contents === undefined ? { types } : { types, contents };
}

/** Whether the optional input is given at all. */
export function hasInput(node: Node, index: number): boolean {
  return (node.inputs[index] ?? '') !== '';
}

/** The element type that the inputs at `indices` share; an error when two differ. */
export function commonType(
  { node, inputs }: InferContext,
  indices: readonly number[],
): ElementType | undefined {
  let common: ElementType | undefined;
  for (const i of indices) {
    const dtype = inputs[i]?.dtype;
    if (dtype === undefined) continue;
    common ??= dtype;
    if (dtype !== common) {
      fail(node, `expected inputs of one element type, received ${common} and ${dtype}`);
    }
  }
  return common;
}

/** The axis counted from the front; an error when it is outside `rank` axes. */
export function frontAxis(node: Node, axis: number, rank: number): number {
  const front = axis < 0 ? axis + rank : axis;
  if (front < 0 || front >= rank) {
    fail(node, `expected an axis from ${-rank} to ${rank - 1}, received ${axis}`);
  }
  return front;
}

/** Contents that are numbers all through. */
export function numbersOf(contents: Contents | undefined): readonly number[] | undefined {
  return contents?.every((d) => typeof d === 'number')
    ? (contents as readonly number[])
    : undefined;
}

/** Length of the integer list at input `index`, where it is known. */
export function lengthOf({ inputs, contents }: InferContext, index: number): number | undefined {
  const known = contents[index]?.length;
  if (known !== undefined) return known;
  const length = inputs[index]?.shape?.[0];
  return typeof length === 'number' ? length : undefined;
}

/** `rank` unknown dimensions. */
export function unknownDims(rank: number): Dim[] {
  return new Array<Dim>(rank).fill('?');
}
