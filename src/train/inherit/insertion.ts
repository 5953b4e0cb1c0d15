/**
 * What new nodes must be so that nothing changes: a new branch that is added to something ends in
 * zeros (zero-initialised residual, arXiv 1706.02677, §5.1), a new gate or scale is 1. Layers in line become
 * identities; that is the business of `identity.ts`, since it needs the maps of channels.
 */
import { floatOf } from '../../ir/attributes.js';
import type { Graph, Node } from '../../ir/graph.js';
import { countUses, producersOf } from '../../ir/uses.js';
import type { Pairs } from './align.js';

export interface InsertionPlan {
  /** Weights that are filled with one number, by name. */
  readonly fills: ReadonlyMap<string, number>;
  /** New nodes whose output is this input of theirs. */
  readonly transparent: ReadonlyMap<Node, string>;
  /** New nodes whose output has no effect yet: their weights stay as drawn. */
  readonly idle: ReadonlySet<Node>;
}

/**
 * How far under 1 a new gate stays: a hard sigmoid has no slope at its upper end and would never move
 * from there.
 */
const GATE_GAP = 1e-5;

export function planInsertions(child: Graph, pairs: Pairs): InsertionPlan {
  const producers = producersOf(child);
  const weights = new Set(child.initializers.flatMap((i) => (i.role === 'weight' ? [i.name] : [])));
  const isNew = (node: Node | undefined): node is Node => node !== undefined && !pairs.has(node);
  const newProducer = (value: string | undefined): Node | undefined => {
    const node = producers.get(value ?? '');
    return isNew(node) ? node : undefined;
  };
  const fills = new Map<string, number>();
  const transparent = new Map<Node, string>();
  const silenced = new Set<string>();

  /** Weights that make `value` zero, or `undefined` where it cannot be without a loss. */
  function zeroesOf(value: string): readonly string[] | undefined {
    const node = newProducer(value);
    if (node === undefined) return undefined;
    const [x = '', w = '', bias = ''] = node.inputs;
    switch (node.op) {
      case 'BatchNormalization':
      case 'LayerNormalization':
      case 'Conv':
      case 'Gemm':
        if (!weights.has(w)) return undefined;
        return weights.has(bias) ? [w, bias] : [w];
      case 'MatMul':
        return weights.has(w) ? [w] : undefined;
      case 'Mul':
        return weights.has(w) ? [w] : zeroesOf(x);
      case 'Add': {
        const inner = weights.has(w) ? zeroesOf(x) : undefined;
        return inner && [...inner, w];
      }
      case 'Identity':
      case 'Dropout':
      case 'Transpose':
        return zeroesOf(x);
      default:
        return undefined;
    }
  }

  for (const node of child.nodes.filter(isNew)) {
    const [a = '', b = ''] = node.inputs;
    if (node.op !== 'Add' || weights.has(a) || weights.has(b)) continue;
    for (const [branch, kept] of [
      [a, b],
      [b, a],
    ] as const) {
      const zeroes = zeroesOf(branch);
      if (zeroes === undefined) continue;
      for (const name of zeroes) fills.set(name, 0);
      transparent.set(node, kept);
      silenced.add(branch);
      break;
    }
  }
  const idle = idleNodes(child, isNew, silenced);
  for (const node of child.nodes.filter(isNew)) {
    if (idle.has(node)) continue;
    const [x = '', gateValue = ''] = node.inputs;
    const neutral = node.op === 'Add' ? 0 : node.op === 'Mul' ? 1 : undefined;
    if (neutral !== undefined && weights.has(gateValue)) {
      fills.set(gateValue, neutral);
      transparent.set(node, x);
    }
    if (node.op !== 'Mul') continue;
    const gate = newProducer(gateValue);
    const layer = newProducer(gate?.inputs[0]);
    const [, weight = '', bias = ''] = layer?.inputs ?? [];
    if (gate?.op !== 'HardSigmoid' || !weights.has(weight) || !weights.has(bias)) continue;
    const [slope, middle] = [floatOf(gate, 'alpha', 0.2), floatOf(gate, 'beta', 0.5)];
    fills.set(weight, 0);
    fills.set(bias, (1 - GATE_GAP - middle) / slope);
    transparent.set(node, x);
    silenced.add(gateValue);
  }
  return { fills, transparent, idle: idleNodes(child, isNew, silenced) };
}

/** New nodes that work for silenced values alone. */
function idleNodes(
  child: Graph,
  isNew: (node: Node) => boolean,
  silenced: ReadonlySet<string>,
): ReadonlySet<Node> {
  const uses = countUses(child);
  const idle = new Set<Node>();
  const idleUses = new Map<string, number>();
  for (const node of child.nodes.toReversed()) {
    const serves = node.outputs.every(
      (name) => name === '' || silenced.has(name) || (uses.get(name) ?? 0) === idleUses.get(name),
    );
    if (!isNew(node) || !serves) continue;
    idle.add(node);
    for (const name of node.inputs) idleUses.set(name, (idleUses.get(name) ?? 0) + 1);
  }
  return idle;
}
