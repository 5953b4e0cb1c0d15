/** What a node or tensor is, without names: text that two of the same kind share. */
import { createHash } from 'node:crypto';
import { encodeTensorData, type HostTensor } from '../../util/tensor.js';
import { isDefault } from '../attribute-defaults.js';
import { intsOf, tensorOf } from '../attributes.js';
import type { Attribute, Graph, Initializer, Node } from '../graph.js';
import { isKnownOp } from '../op-schema.js';

/** Hex SHA-256 of text or bytes. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A constant by its contents. */
export function labelTensor({ dtype, dims, data }: HostTensor): string {
  return `constant ${dtype}[${dims}] ${sha256(encodeTensorData({ dtype, data }))}`;
}

/** A weight or state by its type alone; a constant by its contents. */
export function labelInitializer({ role, dtype, dims, data }: Initializer): string {
  if (role === 'constant' && data !== undefined) return labelTensor({ dtype, dims, data });
  return `${role} ${dtype}[${dims}]`;
}

/** The tensor of a Constant node. */
export function constantOf(node: Node): HostTensor | undefined {
  if (node.op !== 'Constant' || node.domain !== '') return undefined;
  const value = tensorOf(node, 'value');
  if (value !== undefined) return value;
  const ints = intsOf(node, 'value_ints');
  if (ints !== undefined) {
    return { dtype: 'int64', dims: [ints.length], data: BigInt64Array.from(ints, BigInt) };
  }
  const { value_int: int, value_float: float, value_floats: floats } = node.attributes;
  if (int?.kind === 'int') {
    return { dtype: 'int64', dims: [], data: BigInt64Array.of(BigInt(int.value)) };
  }
  if (float?.kind === 'float') {
    return { dtype: 'float32', dims: [], data: Float32Array.of(float.value) };
  }
  if (floats?.kind !== 'floats') return undefined;
  return { dtype: 'float32', dims: [floats.value.length], data: Float32Array.from(floats.value) };
}

/** Labels a nested graph of a node. */
export type BodyLabel = (body: Graph, node: Node) => string;

/** Operator and attributes; those that have their default value, or follow from a weight, are out. */
export function labelNode(node: Node, labelBody: BodyLabel): string {
  const { op, domain, attributes } = node;
  const isDerived = (name: string) =>
    name === 'kernel_shape' && (op === 'Conv' || op === 'ConvTranspose');
  const parts = Object.entries(attributes)
    .filter(([name, value]) => !isDerived(name) && !isDefault(op, domain, name, value))
    .map(
      ([name, value]) =>
        `${name}=${value.kind}:${labelAttribute(value, (body) => labelBody(body, node))}`,
    )
    .sort();
  // An operator without the attribute `split` divides by the number of its outputs.
  const countsOutputs = op === 'Split' || !isKnownOp(op, domain);
  return `${domain}::${op} {${parts.join('; ')}}${countsOutputs ? ` → ${node.outputs.length}` : ''}`;
}

function labelAttribute(attribute: Attribute, labelBody: (body: Graph) => string): string {
  switch (attribute.kind) {
    case 'float':
      return String(Math.fround(attribute.value));
    case 'floats':
      return attribute.value.map(Math.fround).join();
    case 'tensor':
      return labelTensor(attribute.value);
    case 'graph':
      return labelBody(attribute.value);
    default:
      return JSON.stringify(attribute.value);
  }
}
