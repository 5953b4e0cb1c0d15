/**
 * Reverse-mode differentiation of a graph into a graph. Nodes are visited from last to first; each
 * one's rule turns the gradients of its outputs into gradients of its inputs, and the gradients that
 * meet at a value are added. Only values that depend on what is asked for are followed, so the
 * gradient of the network's input costs nothing.
 */
import { InternalError, UsageError } from '../errors.js';
import type { GraphBuilder } from '../ir/builder.js';
import type { Graph, Node } from '../ir/graph.js';
import { TypeScope } from '../ir/infer.js';
import { isKnownOp, type OpName } from '../ir/op-schema.js';
import { GradientContext, type KnownContents } from './gradient/rule.js';
import { gradientRules } from './gradient/table.js';

/** A forward pass that stands in a builder. */
export interface Forward {
  readonly nodes: readonly Node[];
  /** Integer contents of its values, from `knownContents`. */
  readonly contents: KnownContents;
}

/** The integer contents (axes, pads, shapes) that follow from a graph alone. */
export function knownContents(graph: Graph): KnownContents {
  const scope = new TypeScope(graph.opsets);
  for (const input of graph.inputs) scope.types.set(input.name, input);
  for (const initializer of graph.initializers) scope.addInitializer(initializer);
  for (const node of graph.nodes) scope.addNode(node);
  return scope.contents;
}

/**
 * Appends the backward pass to the builder.
 *
 * @param seeds gradient of the loss by value of the forward pass; of the same dims as the value.
 * @param wrt values whose gradients are asked for.
 * @returns gradient by name; a value that the seeds do not depend on is missing.
 * @throws UsageError where a gradient would have to pass an operator that has none.
 */
export function appendGradients(
  builder: GraphBuilder,
  forward: Forward,
  seeds: ReadonlyMap<string, string>,
  wrt: readonly string[],
): ReadonlyMap<string, string> {
  const active = dependents(builder, forward.nodes, wrt);
  const gradients = new Map(seeds);
  for (let i = forward.nodes.length - 1; i >= 0; i--) {
    const node = forward.nodes[i] as Node;
    const seed = node.outputs.map((name) => (active.has(name) ? gradients.get(name) : undefined));
    const wants = node.inputs.map((name) => active.has(name));
    if (seed.every((s) => s === undefined) || !wants.includes(true)) continue;
    const received = ruleOf(node)(
      new GradientContext(builder, node, seed, wants, forward.contents),
    );
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
    if (!node.inputs.some((name) => active.has(name))) continue;
    for (const output of node.outputs) {
      if (output !== '' && isFloat(builder, node, output)) active.add(output);
    }
  }
  return active;
}

function isFloat(builder: GraphBuilder, node: Node, value: string): boolean {
  if (!isKnownOp(node.op, node.domain)) return true;
  return builder.typeOf(value).dtype.includes('float');
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

function ruleOf(node: Node) {
  requireKnown([node]);
  const row = gradientRules[node.op as OpName];
  if (typeof row === 'function') return row;
  throw new UsageError(
    `node ${node.name} (${node.op}) cannot be trained: ${row.notDifferentiable}`,
  );
}
