/** Nodes and attributes of the ONNX textual syntax. */
import type { Attribute, AttributeKind, Graph, Node } from '../graph.js';
import { shortestFloat32, uniqueNodeNames } from '../onnx/header.js';
import { nextIsType, parseData, parseFloatText, parseType } from './parse-value.js';
import type { Literal, Scanner } from './scanner.js';
import { isFloatWord } from './syntax.js';

type GraphParser = (scanner: Scanner) => Graph;

const kinds: readonly AttributeKind[] = [
  'int',
  'float',
  'string',
  'ints',
  'floats',
  'strings',
  'tensor',
  'graph',
];

/** `{ node … }`; nodes without a label are named after their first output. */
export function parseNodes(scanner: Scanner, parseGraph: GraphParser): Node[] {
  scanner.expect('{');
  const nodes: Node[] = [];
  while (!scanner.take('}')) nodes.push(parseNode(scanner, parseGraph));
  const names = uniqueNodeNames(nodes);
  return nodes.map((node, i) => ({ ...node, name: names[i] as string }));
}

function parseNode(scanner: Scanner, parseGraph: GraphParser): Node {
  let name = '';
  if (scanner.take('[')) {
    name = scanner.name('a node label');
    scanner.expect(']');
  }
  const outputs = parseNames(scanner);
  scanner.expect('=', outputs.length === 0 ? "a node or '}'" : "',' or '='");
  const path = [scanner.word('an operator')];
  while (scanner.take('.')) path.push(scanner.word('an operator'));
  let attributes = parseAttributes(scanner, parseGraph);
  scanner.expect('(', "'<' or '('");
  const inputs = parseNames(scanner);
  scanner.expect(')', "',' or ')'");
  attributes ??= parseAttributes(scanner, parseGraph);
  const op = path.pop() as string;
  const domain = path.join('.');
  return {
    name,
    op,
    domain: domain === 'ai.onnx' ? '' : domain,
    inputs,
    outputs,
    attributes: attributes ?? {},
  };
}

/** Names with commas between; `""`, or nothing before a comma, is one left out. */
function parseNames(scanner: Scanner): string[] {
  const first = scanner.optionalName();
  if (first === undefined && scanner.next !== ',') return [];
  const names = [first ?? ''];
  while (scanner.take(',')) names.push(scanner.optionalName() ?? '');
  return names;
}

function parseAttributes(
  scanner: Scanner,
  parseGraph: GraphParser,
): Record<string, Attribute> | undefined {
  if (!scanner.take('<')) return undefined;
  const attributes = new Map<string, Attribute>();
  do {
    const from = scanner.position;
    const name = scanner.word('an attribute');
    if (attributes.has(name)) scanner.fail('each attribute once', from);
    const kind = scanner.take(':') ? parseKind(scanner) : undefined;
    scanner.expect('=', kind === undefined ? "':' or '='" : "'='");
    attributes.set(name, parseAttribute(scanner, kind, parseGraph));
  } while (scanner.take(','));
  scanner.expect('>', "',' or '>'");
  return Object.fromEntries(attributes);
}

function parseKind(scanner: Scanner): AttributeKind {
  const from = scanner.position;
  const word = scanner.word('an attribute type');
  const kind = kinds.find((known) => known === word);
  return kind ?? scanner.fail(`an attribute type of ${kinds.join(', ')}`, from);
}

function parseAttribute(
  scanner: Scanner,
  kind: AttributeKind | undefined,
  parseGraph: GraphParser,
): Attribute {
  const from = scanner.position;
  const attribute = parseAnyAttribute(scanner, kind, parseGraph);
  if (kind !== undefined && attribute.kind !== kind) {
    return scanner.fail(`a value of type ${kind}`, from, attribute.kind);
  }
  return attribute;
}

/** An attribute by the look of its value; `kind` decides where several would fit. */
function parseAnyAttribute(
  scanner: Scanner,
  kind: AttributeKind | undefined,
  parseGraph: GraphParser,
): Attribute {
  const from = scanner.position;
  if (scanner.take('[')) return parseList(scanner, kind, from);
  if (nextIsType(scanner)) {
    const type = parseType(scanner);
    if (scanner.next !== '{') scanner.optionalName();
    scanner.take('=');
    return { kind: 'tensor', value: parseData(scanner, type, from) };
  }
  const word = scanner.nextWord;
  if (word !== '' && !isFloatWord(word)) return { kind: 'graph', value: parseGraph(scanner) };
  const { kind: literal, text } = scanner.literal('a value');
  if (literal === 'string') return { kind: 'string', value: text };
  if (literal === 'int' && kind !== 'float') {
    return { kind: 'int', value: intOfText(scanner, text, from) };
  }
  return { kind: 'float', value: shortestFloat32(parseFloatText(text)) };
}

function parseList(scanner: Scanner, kind: AttributeKind | undefined, from: number): Attribute {
  const items: Literal[] = [];
  if (!scanner.take(']')) {
    do items.push(scanner.literal('a number or a string'));
    while (scanner.take(','));
    scanner.expect(']', "',' or ']'");
  }
  if (items.length === 0 && kind === undefined) {
    return scanner.fail("a type before an empty list, as in 'axes: ints = []'", from);
  }
  const texts = items.map(({ text }) => text);
  const all = (...allowed: Literal['kind'][]) => items.every((item) => allowed.includes(item.kind));
  if ((kind ?? 'ints') === 'ints' && all('int')) {
    return { kind: 'ints', value: texts.map((text) => intOfText(scanner, text, from)) };
  }
  if ((kind ?? 'floats') === 'floats' && all('int', 'float')) {
    return { kind: 'floats', value: texts.map((t) => shortestFloat32(parseFloatText(t))) };
  }
  if ((kind ?? 'strings') === 'strings' && all('string')) return { kind: 'strings', value: texts };
  return scanner.fail(`a value of type ${kind ?? 'ints, floats or strings'}`, from);
}

/** The nearest double; the largest int64 becomes 2^63, as in files. */
function intOfText(scanner: Scanner, text: string, from: number): number {
  const exact = BigInt(text);
  return BigInt.asIntN(64, exact) === exact ? Number(exact) : scanner.fail('an int64', from);
}
