/**
 * Text to Graph: the ONNX textual syntax (ONNX project, docs/Syntax.md) without model-local
 * functions, attribute references, external data and types that are not tensors. An entry of the
 * initializer list without value is the type of a node's output, which is dropped, or else a weight
 * without data.
 */
import type { HostTensor } from '../../util/tensor.js';
import { freezeGraph, type Graph, type Initializer, type ValueInfo } from '../graph.js';
import { DOC_KEY } from '../onnx/header.js';
import { decodeRoles, ROLES_KEY, withRoles } from '../onnx/roles.js';
import { parseNodes } from './parse-node.js';
import { fixedDims, parseData, parseValue } from './parse-value.js';
import { Scanner } from './scanner.js';

type Opsets = Graph['opsets'];
type Strings = Record<string, string>;

/**
 * Parses one model. Roles of initializers come from its metadata or their consumers, as with ONNX
 * files. Throws `UsageError`, one line with line and column, for text that is not in the syntax; what
 * the graph means is left to `verify`.
 */
export function parseGraph(text: string): Graph {
  const scanner = new Scanner(text);
  const { opsets, metadata } = parseHeader(scanner);
  const graph = parseBody(scanner, opsets);
  if (!scanner.atEnd) scanner.fail('the end of the text (functions are not supported)');
  const roles = decodeRoles(graph, metadata);
  const { [ROLES_KEY]: _, ...rest } = metadata;
  const initializers = withRoles(graph.initializers, roles);
  return freezeGraph({ ...graph, metadata: rest, initializers });
}

function parseHeader(scanner: Scanner): { opsets: Opsets; metadata: Strings } {
  let opsets: Opsets | undefined;
  let metadata: Strings = {};
  const from = scanner.position;
  scanner.expect('<', 'a header such as <ir_version: 8, opset_import: ["" : 17]>');
  do {
    const at = scanner.position;
    const key = scanner.word('a key of the header');
    scanner.expect(':');
    switch (key) {
      case 'ir_version':
      case 'model_version':
        scanner.int('an integer');
        break;
      case 'producer_name':
      case 'producer_version':
      case 'domain':
        scanner.string('a quoted string');
        break;
      case 'doc_string':
        metadata = { ...metadata, [DOC_KEY]: scanner.string('a quoted string') };
        break;
      case 'opset_import':
        opsets = parsePairs(scanner, () => Number(scanner.int('an operator set version')));
        break;
      case 'metadata_props':
        metadata = { ...metadata, ...parsePairs(scanner, () => scanner.string('a quoted string')) };
        break;
      default:
        scanner.fail('ir_version, opset_import, metadata_props or another key of ONNX models', at);
    }
  } while (scanner.take(','));
  scanner.expect('>', "',' or '>'");
  if (opsets === undefined) return scanner.fail('a header with opset_import', from);
  const { 'ai.onnx': long, ...others } = opsets;
  return { opsets: long === undefined ? others : { '': long, ...others }, metadata };
}

function parsePairs<T>(scanner: Scanner, parseItem: () => T): Record<string, T> {
  const pairs: [string, T][] = [];
  scanner.expect('[');
  if (scanner.take(']')) return {};
  do {
    const key = scanner.string('a quoted key');
    scanner.expect(':');
    pairs.push([key, parseItem()]);
  } while (scanner.take(','));
  scanner.expect(']', "',' or ']'");
  return Object.fromEntries(pairs);
}

/** A graph; its initializers are weights where they have no data, else constant. */
function parseBody(scanner: Scanner, opsets: Opsets): Graph {
  const name = scanner.name('the name of a graph');
  const given = scanner.next === '(' ? parseEntries(scanner, '(', ')') : scanner.fail("'('");
  scanner.expect('=>');
  const outputs = parseOutputs(scanner);
  const listed = scanner.next === '<' ? parseEntries(scanner, '<', '>') : [];
  const nodes = parseNodes(scanner, (nested) => parseNested(nested, opsets));
  const inputs = given.filter(({ tensor }) => tensor === undefined).map(({ value }) => value);
  const others = new Set([...nodes.flatMap((node) => node.outputs), ...inputs.map((i) => i.name)]);
  const owned = [
    ...given.filter(({ tensor }) => tensor !== undefined),
    ...listed.filter(({ value, tensor }) => tensor !== undefined || !others.has(value.name)),
  ];
  const initializers = owned.map((entry) => createInitializer(scanner, entry));
  return { name, opsets, inputs, outputs, initializers, nodes, metadata: {} };
}

function parseNested(scanner: Scanner, opsets: Opsets): Graph {
  const from = scanner.position;
  const graph = parseBody(scanner, opsets);
  const absent = graph.initializers.find(({ data }) => data === undefined);
  if (absent === undefined) return graph;
  return scanner.fail(`a nested graph with data for ${absent.name}`, from);
}

/** A typed name, with a tensor where one is given; `from` is where it stands. */
interface Entry {
  readonly from: number;
  readonly value: ValueInfo;
  readonly tensor?: HostTensor;
}

function parseEntries(scanner: Scanner, open: string, close: string): Entry[] {
  const entries: Entry[] = [];
  scanner.expect(open);
  if (scanner.take(close)) return entries;
  do {
    const from = scanner.position;
    const value = parseValue(scanner);
    const valued = scanner.take('=');
    entries.push(
      valued ? { from, value, tensor: parseData(scanner, value, from) } : { from, value },
    );
  } while (scanner.take(','));
  scanner.expect(close, `'=', ',' or '${close}'`);
  return entries;
}

function parseOutputs(scanner: Scanner): ValueInfo[] {
  const outputs: ValueInfo[] = [];
  scanner.expect('(');
  if (scanner.take(')')) return outputs;
  do outputs.push(parseValue(scanner));
  while (scanner.take(','));
  scanner.expect(')', "',' or ')'");
  return outputs;
}

function createInitializer(scanner: Scanner, { from, value, tensor }: Entry): Initializer {
  const { name, dtype } = value;
  if (tensor !== undefined) return { name, role: 'constant', ...tensor };
  return { name, role: 'weight', dtype, dims: fixedDims(scanner, value, from) };
}
