/** Reading and writing of node attributes, with the kinds that the operator's schema states. */
import { InternalError } from '../errors.js';
import type { HostTensor } from '../util/tensor.js';
import type { Attribute, Graph, Node } from './graph.js';
import { type OpName, schemaOf } from './op-schema.js';

/** A plain value that stands for an attribute of a known operator. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | HostTensor
  | Graph;

/** Attributes from plain values; the schema of `op` says which kind each is. */
export function createAttributes(
  op: OpName,
  values: Readonly<Record<string, AttributeValue>>,
): Record<string, Attribute> {
  const kinds = schemaOf(op).attributes;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const kind = kinds[name];
      if (kind === undefined) throw new InternalError(`${op} has no attribute ${name}`);
      return [name, { kind, value } as Attribute];
    }),
  );
}

/** Integer attribute, or `fallback` where it is absent. */
export function intOf(node: Node, name: string, fallback: number): number {
  return read(node, name, 'int') ?? fallback;
}

/** Float attribute, or `fallback` where it is absent. */
export function floatOf(node: Node, name: string, fallback: number): number {
  return read(node, name, 'float') ?? fallback;
}

/** String attribute, or `fallback` where it is absent. */
export function stringOf(node: Node, name: string, fallback: string): string {
  return read(node, name, 'string') ?? fallback;
}

/** Integer list, or undefined where it is absent. */
export function intsOf(node: Node, name: string): readonly number[] | undefined {
  return read(node, name, 'ints');
}

/** Tensor attribute, or undefined where it is absent. */
export function tensorOf(node: Node, name: string): HostTensor | undefined {
  return read(node, name, 'tensor');
}

/** Float list, or undefined where it is absent. */
export function floatsOf(node: Node, name: string): readonly number[] | undefined {
  return read(node, name, 'floats');
}

/** String list, or undefined where it is absent. */
export function stringsOf(node: Node, name: string): readonly string[] | undefined {
  return read(node, name, 'strings');
}

/** Nested graph, or undefined where it is absent. */
export function graphOf(node: Node, name: string): Graph | undefined {
  return read(node, name, 'graph');
}

/** Every graph inside the attributes of a node (bodies of If, Loop, Scan), by name of attribute. */
export function subgraphsOf(node: Node): Graph[] {
  return Object.entries(node.attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, attribute]) => (attribute.kind === 'graph' ? [attribute.value] : []));
}

/** The node with each nested graph as `change` makes it. */
export function mapSubgraphs(node: Node, change: (body: Graph) => Graph): Node {
  if (!Object.values(node.attributes).some(({ kind }) => kind === 'graph')) return node;
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([name, attribute]) => [
      name,
      attribute.kind === 'graph' ? { ...attribute, value: change(attribute.value) } : attribute,
    ]),
  );
  return { ...node, attributes };
}

type ValueOfKind = { [A in Attribute as A['kind']]: A['value'] };

function read<K extends keyof ValueOfKind>(
  node: Node,
  name: string,
  kind: K,
): ValueOfKind[K] | undefined {
  const attribute = node.attributes[name];
  if (attribute === undefined) return undefined;
  if (attribute.kind !== kind) {
    throw new InternalError(
      `node ${node.name} (${node.op}): attribute ${name} expected ${kind}, received ${attribute.kind}`,
    );
  }
  return attribute.value as ValueOfKind[K];
}
