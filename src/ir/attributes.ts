/** Reading and writing of node attributes, with the kinds that the operator's schema states. */
import { InternalError } from '../errors.js';
import type { HostTensor } from '../util/tensor.js';
import type { Attribute, Graph, Node } from './graph.js';
import { type OpName, schemaOf } from './op-schema.js';

/** A plain value that stands for an attribute of a known operator. */
export type AttributeValue = number | string | readonly number[] | readonly string[] | HostTensor;

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

/** Every graph inside the attributes of a node (bodies of If, Loop, Scan). */
export function subgraphsOf(node: Node): Graph[] {
  return Object.values(node.attributes).flatMap((a) => (a.kind === 'graph' ? [a.value] : []));
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
