/**
 * Which node of a child was which node of its parent. Both lists are in topological order, so the
 * pairs are a global sequence alignment (Needleman and Wunsch 1970) that earns most: for the same
 * operator, equal shapes of weights, equal attributes, and a little for equal names, which a space
 * may keep or may shift. Any two graphs can be aligned, whatever made them.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Graph, Node } from '../../ir/graph.js';
import { convKind } from './trace.js';

/** Child node → parent node. */
export type Pairs = ReadonlyMap<Node, Node>;

/** What a pair of layers that mix channels earns: they are most of what there is to inherit. */
const LAYER = 2;
/** The share of it that all equal dims of the weight add. */
const SHAPE = 1;
const STRIDE = 1;
/** What layers with a number for each channel earn (norms, scales). */
const NORM = 1;
const PLAIN = 0.5;
const ATTRIBUTES = 0.25;
const NAME = 0.5;
/** For a pair that follows a pair: runs stay together. */
const RUN = 0.25;

export function alignNodes(child: Graph, parent: Graph): Pairs {
  const rows = child.nodes.length;
  const columns = parent.nodes.length;
  const width = columns + 1;
  const childDims = weightDims(child);
  const parentDims = weightDims(parent);
  // Best earnings of the first i and j nodes: ending in their pair, and ending in a gap.
  const paired = new Float64Array((rows + 1) * width).fill(Number.NEGATIVE_INFINITY);
  const gap = new Float64Array((rows + 1) * width);
  for (let i = 1; i <= rows; i++) {
    const node = child.nodes[i - 1] as Node;
    for (let j = 1; j <= columns; j++) {
      const at = i * width + j;
      const before = at - width - 1;
      const earned = likeness(node, childDims, parent.nodes[j - 1] as Node, parentDims);
      paired[at] = earned + Math.max(num(paired, before) + RUN, num(gap, before));
      gap[at] = Math.max(best(at - width), best(at - 1));
    }
  }
  const pairs = new Map<Node, Node>();
  let [i, j] = [rows, columns];
  let inRun = false;
  while (i > 0 && j > 0) {
    const at = i * width + j;
    if (inRun ? num(paired, at) + RUN >= num(gap, at) : num(paired, at) >= num(gap, at)) {
      pairs.set(child.nodes[i - 1] as Node, parent.nodes[j - 1] as Node);
      [i, j, inRun] = [i - 1, j - 1, true];
    } else {
      inRun = false;
      if (best(at - width) >= best(at - 1)) i--;
      else j--;
    }
  }
  return pairs;

  function best(at: number): number {
    return Math.max(num(paired, at), num(gap, at));
  }
}

function num(values: Float64Array, at: number): number {
  return values[at] as number;
}

type Dims = ReadonlyMap<string, readonly number[]>;

function weightDims({ initializers }: Graph): Dims {
  return new Map(initializers.flatMap((i) => (i.role === 'constant' ? [] : [[i.name, i.dims]])));
}

/** What pairing the two nodes earns; nothing on earth pairs different operators. */
function likeness(a: Node, aDims: Dims, b: Node, bDims: Dims): number {
  if (a.op !== b.op || a.domain !== b.domain) return Number.NEGATIVE_INFINITY;
  const name = a.name === b.name ? NAME : 0;
  const [x, y] = [mainWeight(a, aDims), mainWeight(b, bDims)];
  if ((x === undefined) !== (y === undefined)) return Number.NEGATIVE_INFINITY;
  if (x === undefined || y === undefined) {
    const same =
      Object.keys(a.attributes).length === 0 || isDeepStrictEqual(a.attributes, b.attributes);
    return PLAIN + name + (same ? ATTRIBUTES : 0);
  }
  if (x.length !== y.length) return Number.NEGATIVE_INFINITY;
  if (a.op === 'Conv' && convKind(a, x) !== convKind(b, y)) return Number.NEGATIVE_INFINITY;
  const shape = (SHAPE * x.filter((dim, axis) => dim === y[axis]).length) / x.length;
  if (x.length === 1) return NORM * (1 + shape) + name;
  const stride = isDeepStrictEqual(a.attributes.strides, b.attributes.strides) ? STRIDE : 0;
  return LAYER * (1 + shape) + stride + name;
}

function mainWeight(node: Node, dims: Dims): readonly number[] | undefined {
  const name = node.inputs.find((input) => dims.has(input));
  return name === undefined ? undefined : dims.get(name);
}
