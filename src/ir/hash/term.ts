/**
 * A graph as terms: what is reachable from the outputs, without names. A term is an input, a stored
 * tensor or a node; equal constants are one term, while every weight is a term of its own.
 */
import { InternalError } from '../../errors.js';
import type { Graph, Node } from '../graph.js';
import { capturedBy } from '../uses.js';
import { type BodyLabel, constantOf, labelInitializer, labelNode, labelTensor } from './label.js';

/** One output of a term, by the term's index. */
export interface Ref {
  readonly term: number;
  readonly output: number;
}

export interface Term {
  readonly label: string;
  readonly operands: readonly Ref[];
  readonly commutes: boolean;
}

export interface Terms {
  /** Operands stand before the terms that use them. */
  readonly terms: readonly Term[];
  readonly roots: readonly Ref[];
}

const commutative: ReadonlySet<string> = new Set([
  'Add',
  'And',
  'Equal',
  'Max',
  'Min',
  'Mul',
  'Or',
  'Sum',
]);

/** Whether the operands of a node may change places. */
export function isCommutative({ op, domain }: Node): boolean {
  return domain === '' && commutative.has(op);
}

/** The terms of a verified graph. `labelBody` labels nested graphs. */
export function collectTerms(graph: Graph, labelBody: BodyLabel): Terms {
  const terms: Term[] = [];
  const refs = new Map<string, Ref>();
  const constants = new Map<string, Ref>();
  const add = (label: string, operands: readonly Ref[] = [], commutes = false): Ref => {
    terms.push({ label, operands, commutes });
    return { term: terms.length - 1, output: 0 };
  };
  const constant = (label: string): Ref => {
    const ref = constants.get(label) ?? add(label);
    constants.set(label, ref);
    return ref;
  };
  const refOf = (name: string): Ref => {
    if (name === '') return constant('absent');
    const ref = refs.get(name);
    if (ref === undefined) throw new InternalError(`graph ${graph.name}: ${name} is not defined`);
    return ref;
  };

  const { nodes, isLive } = liveNodes(graph);
  graph.inputs.forEach(({ name }, i) => {
    refs.set(name, add(`input ${i}`));
  });
  for (const initializer of graph.initializers) {
    if (!isLive(initializer.name)) continue;
    const label = labelInitializer(initializer);
    refs.set(initializer.name, initializer.role === 'constant' ? constant(label) : add(label));
  }
  for (const node of nodes) {
    const tensor = constantOf(node);
    const ref =
      tensor === undefined
        ? add(labelNode(node, labelBody), operandsOf(node).map(refOf), isCommutative(node))
        : constant(labelTensor(tensor));
    node.outputs.forEach((name, output) => {
      refs.set(name, { term: ref.term, output });
    });
  }
  return { terms, roots: graph.outputs.map(({ name }) => refOf(name)) };
}

/** Inputs without trailing gaps, and the outer values that bodies read. */
function operandsOf(node: Node): readonly string[] {
  const last = node.inputs.findLastIndex((name) => name !== '');
  return [...node.inputs.slice(0, last + 1), ...capturedBy(node)];
}

function liveNodes(graph: Graph) {
  const live = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((name) => name !== '' && live.has(name))) return false;
      for (const name of operandsOf(node)) live.add(name);
      return true;
    })
    .reverse();
  return { nodes, isLive: (name: string) => live.has(name) };
}
