/**
 * Graph to text, in the ONNX textual syntax (ONNX project, docs/Syntax.md and onnx/defs/parser.cc).
 *
 * - A weight without data is an entry without value in the list of initializers: the syntax reads it
 *   as a value info, `parseGraph` as the weight it is.
 * - A node carries a label only where its name is not that of its first output.
 * - Floats have the fewest digits that read back as the same number; the payload of a NaN is lost.
 * - A nested graph's name is made an identifier, since the syntax knows no other there.
 *
 * ONNX 1.12 reads the text of a graph without labels, quoted names and left-out inputs; those need
 * 1.18 or later.
 */
import { ArchwrightError, InternalError } from '../../errors.js';
import type { HostTensor } from '../../util/tensor.js';
import type {
  Attribute,
  Graph,
  Initializer,
  Node,
  Shape,
  TensorType,
  ValueInfo,
} from '../graph.js';
import { clampInt64, DOC_KEY, IR_VERSION, shortestFloat32 } from '../onnx/header.js';
import { encodeRoles } from '../onnx/roles.js';
import { isFloatWord, isIdentifier, isTypeWord, typeNames } from './syntax.js';

/** The graph in ONNX's textual syntax; `parseGraph` reads it back. */
export function printGraph(graph: Graph): string {
  const { [DOC_KEY]: doc, ...metadata } = encodeRoles(graph);
  const pairs = (record: Readonly<Record<string, string | number>>, separator: string) =>
    Object.entries(record)
      .map(([key, value]) => {
        const text = typeof value === 'number' ? String(value) : quote(value);
        return `${quote(key)}${separator}${text}`;
      })
      .join(', ');
  const header = [
    `ir_version: ${IR_VERSION}`,
    `opset_import: [${pairs(graph.opsets, ' : ')}]`,
    ...(doc === undefined ? [] : [`doc_string: ${quote(doc)}`]),
    ...(Object.keys(metadata).length === 0 ? [] : [`metadata_props: [${pairs(metadata, ': ')}]`]),
  ];
  return `<\n  ${header.join(',\n  ')}\n>\n${printBody(name(graph.name), graph, '')}\n`;
}

function printBody(graphName: string, graph: Graph, indent: string): string {
  const inner = `${indent}  `;
  const values = (list: readonly ValueInfo[]) => `(${list.map(printValue).join(', ')})`;
  const initializers = graph.initializers.map((i) => `${inner}${printInitializer(i)}`);
  const owned = initializers.length === 0 ? '' : ` <\n${initializers.join(',\n')}\n${indent}>`;
  const nodes = graph.nodes.map((node) => `${inner}${printNode(node, inner)}\n`).join('');
  return `${graphName} ${values(graph.inputs)} => ${values(graph.outputs)}${owned} {\n${nodes}${indent}}`;
}

function printNode(node: Node, indent: string): string {
  const label = node.name === node.outputs[0] ? '' : `[${name(node.name)}] `;
  const attributes = Object.entries(node.attributes).map(
    ([key, value]) => `${word(key, node)}: ${value.kind} = ${printAttribute(value, indent)}`,
  );
  const list = attributes.length === 0 ? '' : ` <${attributes.join(', ')}>`;
  const operator = [...(node.domain === '' ? [] : node.domain.split('.')), node.op];
  const op = operator.map((part) => word(part, node)).join('.');
  const inputs = `(${node.inputs.map(name).join(', ')})`;
  const nested = Object.values(node.attributes).some(({ kind }) => kind === 'graph');
  const call = nested ? `${op} ${inputs}${list}` : `${op}${list} ${inputs}`;
  return `${label}${node.outputs.map(name).join(', ')} = ${call}`;
}

function printAttribute(attribute: Attribute, indent: string): string {
  switch (attribute.kind) {
    case 'int':
      return printInt(attribute.value);
    case 'float':
      return printFloat32(attribute.value);
    case 'string':
      return quote(attribute.value);
    case 'ints':
      return `[${attribute.value.map(printInt).join(', ')}]`;
    case 'floats':
      return `[${attribute.value.map(printFloat32).join(', ')}]`;
    case 'strings':
      return `[${attribute.value.map(quote).join(', ')}]`;
    case 'tensor': {
      const { dtype, dims } = attribute.value;
      return `${printType({ dtype, shape: dims })} ${printData(attribute.value)}`;
    }
    case 'graph':
      return printBody(nestedName(attribute.value.name), attribute.value, indent);
  }
}

function printValue(value: ValueInfo): string {
  return `${printType(value)} ${name(value.name)}`;
}

function printInitializer({ name: own, dtype, dims, data }: Initializer): string {
  const typed = printValue({ name: own, dtype, shape: dims });
  return data === undefined ? typed : `${typed} = ${printData({ dtype, dims, data })}`;
}

/** Without brackets it is a scalar, with empty ones the rank is unknown. */
function printType({ dtype, shape }: TensorType): string {
  if (shape === undefined) return `${typeNames[dtype]}[]`;
  return `${typeNames[dtype]}${shape.length === 0 ? '' : `[${printDims(shape)}]`}`;
}

function printDims(shape: Shape): string {
  return shape.map((d) => (typeof d === 'number' || d === '?' ? d : name(d))).join(', ');
}

/** Floats of 16 bits and less are written as their bits, as ONNX does. */
function printData({ dtype, data }: HostTensor): string {
  const number = dtype === 'float32' ? printFloat32 : dtype === 'float64' ? printFloat : String;
  const texts: string[] = [];
  for (const value of data) texts.push(typeof value === 'number' ? number(value) : String(value));
  return `{${texts.join(', ')}}`;
}

function printFloat32(value: number): string {
  return printFloat(shortestFloat32(value));
}

/** Always with a point or an exponent: without one it would be an int. */
function printFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** An int64; 2^63, which stands for its largest, is written as that. */
function printInt(value: number): string {
  if (!Number.isInteger(value)) {
    throw new InternalError(`int attribute: expected an integer, received ${value}`);
  }
  return Number.isSafeInteger(value) ? String(value) : String(clampInt64(value));
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function name(text: string): string {
  return isIdentifier(text) ? text : quote(text);
}

function nestedName(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9_]/g, '_');
  const free = isIdentifier(plain) && !isTypeWord(plain) && !isFloatWord(plain);
  return free ? plain : `_${plain}`;
}

/** A part of an operator or attribute name, which the syntax does not let be quoted. */
function word(text: string, node: Node): string {
  if (isIdentifier(text)) return text;
  throw new ArchwrightError(
    `node ${node.name} (${node.op}): the ONNX text cannot hold ${JSON.stringify(text)}; expected ` +
      'a word of letters, digits and underscores',
  );
}
