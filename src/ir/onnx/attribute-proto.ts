/** Attributes of ONNX nodes. Nested graphs are handed to the caller's encoder or decoder. */
import { UsageError } from '../../errors.js';
import type { Attribute, Graph } from '../graph.js';
import { shortestFloat32 } from './header.js';
import {
  type AttributeProto,
  type GraphProto,
  type Int64,
  int64Of,
  numberOf,
  proto,
} from './proto.js';
import { decodeTensor, encodeTensor } from './tensor-proto.js';

const types = proto.AttributeProto.AttributeType;

/** Decodes one attribute; `where` names it in messages. */
export function decodeAttribute(
  attribute: AttributeProto,
  where: string,
  decodeGraph: (graph: GraphProto) => Graph,
): Attribute {
  if (attribute.refAttrName) {
    throw new UsageError(`${where}: expected a value, received a reference to a function's one`);
  }
  const type = attribute.type || legacyType(attribute);
  switch (type) {
    case types.INT:
      return { kind: 'int', value: numberOf(attribute.i as Int64) };
    case types.FLOAT:
      return { kind: 'float', value: shortestFloat32(attribute.f ?? 0) };
    case types.STRING:
      return { kind: 'string', value: decodeText(attribute.s, where) };
    case types.INTS:
      return { kind: 'ints', value: (attribute.ints ?? []).map((i) => numberOf(i as Int64)) };
    case types.FLOATS:
      return { kind: 'floats', value: (attribute.floats ?? []).map(shortestFloat32) };
    case types.STRINGS:
      return { kind: 'strings', value: (attribute.strings ?? []).map((s) => decodeText(s, where)) };
    case types.TENSOR:
      return { kind: 'tensor', value: decodeTensor(attribute.t ?? {}, where) };
    case types.GRAPH:
      return { kind: 'graph', value: decodeGraph(attribute.g ?? {}) };
    default: {
      const received = types[type]?.toLowerCase() ?? `type ${type}`;
      throw new UsageError(
        `${where}: expected int, float, string, their lists, a tensor or a graph; received ${received}`,
      );
    }
  }
}

/** Encodes one attribute. */
export function encodeAttribute(
  name: string,
  attribute: Attribute,
  encodeGraph: (graph: Graph) => GraphProto,
): AttributeProto {
  const where = `attribute ${name}`;
  switch (attribute.kind) {
    case 'int':
      return { name, type: types.INT, i: int64Of(attribute.value, where) as number };
    case 'float':
      return { name, type: types.FLOAT, f: attribute.value };
    case 'string':
      return { name, type: types.STRING, s: encodeText(attribute.value) };
    case 'ints': {
      const ints = attribute.value.map((value) => int64Of(value, where) as number);
      return { name, type: types.INTS, ints };
    }
    case 'floats':
      return { name, type: types.FLOATS, floats: [...attribute.value] };
    case 'strings':
      return { name, type: types.STRINGS, strings: attribute.value.map(encodeText) };
    case 'tensor':
      return { name, type: types.TENSOR, t: encodeTensor(attribute.value) };
    case 'graph':
      return { name, type: types.GRAPH, g: encodeGraph(attribute.value) };
  }
}

/** Files of IR version 1 carry no type: it is the one field that is there. 0 when none is. */
function legacyType(attribute: AttributeProto): number {
  const has = (field: keyof AttributeProto) => Object.hasOwn(attribute, field);
  const filled = (list: readonly unknown[] | null | undefined) => (list?.length ?? 0) > 0;
  if (has('t')) return types.TENSOR;
  if (has('g')) return types.GRAPH;
  if (filled(attribute.ints)) return types.INTS;
  if (filled(attribute.floats)) return types.FLOATS;
  if (filled(attribute.strings)) return types.STRINGS;
  if (has('i')) return types.INT;
  if (has('f')) return types.FLOAT;
  return has('s') ? types.STRING : types.UNDEFINED;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

function decodeText(bytes: Uint8Array | null | undefined, where: string): string {
  try {
    return utf8.decode(bytes ?? new Uint8Array());
  } catch (cause) {
    throw new UsageError(`${where}: expected UTF-8 text, received other bytes`, { cause });
  }
}
