/**
 * Reverse-mode differentiation of a graph into a graph. Nodes are visited from last to first; each
 * one's rule turns the gradients of its outputs into gradients of its inputs, and the gradients that
 * meet at a value are added. Only values that depend on what is asked for are followed, so the
 * gradient of the network's input costs nothing.
 */
import { InternalError, UsageError } from '../errors.js';
import type { GraphBuilder } from '../ir/builder.js';
import type { Node } from '../ir/graph.js';
import { isKnownOp } from '../ir/op-schema.js';
import { isFloating } from '../util/tensor.js';
import { GradientContext, type GradientRow, NodeContext } from './gradient/rule.js';
import { gradientRules } from './gradient/table.js';

/**
 * Appends a node of the forward pass; one whose operator has an expansion as the graph that it stands
 * for.
 *
 * @param prepare what to make of each node before.
 * @returns what was appended, for `appendGradients`.
 */
export function appendForward(
  builder: GraphBuilder,
  node: Node,
  prepare: (node: Node) => Node = (same) => same,
): readonly Node[] {
  const appended: Node[] = [];
  const append = (source: Node): void => {
    const prepared = prepare(source);
    const row = rowOf(prepared);
    if (row === undefined || !('expand' in row)) {
      // Generated nodes are named after their outputs: so are these, to keep them apart.
      builder.append({
        ...prepared,
        name: prepared.outputs.find((name) => name !== '') ?? prepared.name,
      });
      appended.push(prepared);
      return;
    }
    const context = new NodeContext(builder, prepared, prepared.name, append);
    const values = row.expand(context);
    prepared.outputs.forEach((name, i) => {
      if (name === '') return;
      const value = values[i];
      if (value === undefined) throw context.refuse(`its output ${i} has no training form`);
      append({
        name,
        op: 'Identity',
        domain: '',
        inputs: [value],
        outputs: [name],
        attributes: {},
      });
    });
  };
  append(node);
  return appended;
}

/**
 * Appends the backward pass to the builder.
 *
 * @param nodes the forward pass that stands in the builder.
 * @param seeds gradient of the loss by value of the forward pass; of the same dims as the value.
 * @param wrt values whose gradients are asked for.
 * @returns gradient by name; a value that the seeds do not depend on is missing.
 * @throws UsageError where a gradient would have to pass an operator that has none.
 */
export function appendGradients(
  builder: GraphBuilder,
  nodes: readonly Node[],
  seeds: ReadonlyMap<string, string>,
  wrt: readonly string[],
): ReadonlyMap<string, string> {
  const active = dependents(builder, nodes, wrt);
  const gradients = new Map(seeds);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Node;
    const seed = node.outputs.map((name) => (active.has(name) ? gradients.get(name) : undefined));
    const wants = node.inputs.map((name) => active.has(name));
    if (seed.every((s) => s === undefined) || !wants.includes(true)) continue;
    const received = ruleOf(node)(new GradientContext(builder, node, seed, wants));
    if (received.length > node.inputs.length) {
      throw new InternalError(`gradient rule of ${node.op} gave more gradients than inputs`);
    }
    node.inputs.forEach((name, k) => {
      const gradient = received[k];
      if (gradient === undefined || !active.has(name)) return;
      const before = gradients.get(name);
      const total =
        before === undefined
          ? gradient
          : builder.op('Add', [before, gradient], {}, `d.${name}.sum`);
      gradients.set(name, total);
    });
  }
  return new Map(
    wrt.flatMap((name) => {
      const gradient = gradients.get(name);
      return gradient === undefined ? [] : [[name, gradient] as const];
    }),
  );
}

/** Every floating-point value that depends on one of `wrt`, these included. */
function dependents(
  builder: GraphBuilder,
  nodes: readonly Node[],
  wrt: readonly string[],
): ReadonlySet<string> {
  const active = new Set(wrt);
  for (const node of nodes) {
    if (!node.inputs.some((name) => active.has(name)) || isIndependent(node)) continue;
    for (const output of node.outputs) {
      if (output !== '' && isFloat(builder, node, output)) active.add(output);
    }
  }
  return active;
}

/** Whether the outputs are the same for all values of the inputs. */
function isIndependent(node: Node): boolean {
  const row = rowOf(node);
  return row !== undefined && 'notDifferentiable' in row && row.independent === true;
}

function isFloat(builder: GraphBuilder, node: Node, value: string): boolean {
  if (!isKnownOp(node.op, node.domain)) return true;
  return isFloating(builder.typeOf(value).dtype);
}

/** Throws `UsageError` at the first operator that no table knows: its values have no type here. */
export function requireKnown(nodes: readonly Node[]): void {
  for (const { name, op, domain } of nodes) {
    if (isKnownOp(op, domain)) continue;
    throw new UsageError(
      `node ${name} (${op}) cannot be trained: ` +
        `no gradient of operator ${domain || 'ai.onnx'}::${op} is known`,
    );
  }
}

function rowOf({ op, domain }: Node): GradientRow | undefined {
  return isKnownOp(op, domain) ? gradientRules[op] : undefined;
}

function ruleOf(node: Node) {
  requireKnown([node]);
  const row = rowOf(node) as GradientRow;
  if (typeof row === 'function') return row;
  const reason =
    'expand' in row ? 'it was not written as the graph it stands for' : row.notDifferentiable;
  throw new UsageError(`node ${node.name} (${node.op}) cannot be trained: ${reason}`);
}
