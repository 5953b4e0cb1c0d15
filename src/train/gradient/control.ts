/**
 * Gradients: graphs within a node: If, Loop, Scan. Trained as the graph that is left once the branch is
 * chosen and the turns are written out; both must follow from the model itself.
 */
import { graphOf, intOf, intsOf } from '../../ir/attributes.js';
import type { Graph } from '../../ir/graph.js';
import type { controlSchemas } from '../../ir/schema/control.js';
import { inlineBody, requireRoom } from './inline.js';
import type { Expansion, GradientRow, NodeContext } from './rule.js';
import { frontAxis, range } from './rule.js';

const branch: Expansion = {
  expand: (c) => {
    const condition = numberOf(c, c.x());
    if (condition === undefined) throw c.refuse('its condition is not constant');
    return inlineBody(c, bodyOf(c, condition === 0 ? 'else_branch' : 'then_branch'))([]);
  },
};

const loop: Expansion = {
  expand: (c) => {
    const [most, conditional] = [c.hasInput(0) ? numberOf(c, c.x(0)) : undefined, c.hasInput(1)];
    if (c.hasInput(0) && most === undefined) throw c.refuse('its trip count is not constant');
    const body = bodyOf(c, 'body');
    if (!conditional) requireRoom(c, body.nodes.length, most ?? Number.POSITIVE_INFINITY);
    const run = inlineBody(c, body);
    let state = [conditional ? c.x(1) : c.builder.scalar(1, 'bool'), ...c.node.inputs.slice(2)];
    const carried = state.length;
    const scanned: string[][] = [];
    for (let turn = 0; turn < (most ?? Number.POSITIVE_INFINITY); turn++) {
      const goesOn = conditional ? numberOf(c, state[0] as string) : 1;
      if (goesOn === undefined) throw c.refuse('its condition is not constant');
      if (goesOn === 0) break;
      const outputs = run([c.builder.scalar(turn, 'int64'), ...state]);
      state = outputs.slice(0, carried);
      scanned.push(outputs.slice(carried));
    }
    const count = c.node.outputs.length - (carried - 1);
    return [
      ...state.slice(1),
      ...range(count).map((k) =>
        stack(
          c,
          scanned.map((all) => all[k]),
          0,
        ),
      ),
    ];
  },
};

const scan: Expansion = {
  expand: (c) => {
    const body = bodyOf(c, 'body');
    const run = inlineBody(c, body);
    const count = intOf(c.node, 'num_scan_inputs', 1);
    const states = c.node.inputs.length - count;
    if (body.inputs.length !== c.node.inputs.length) {
      throw c.refuse('it has a batch axis of its own, as before operator set 9');
    }
    const [axes, reversed] = listsOf(c, 'scan_input');
    const parts = c.node.inputs.slice(states).map((name, i) => {
      const all = unstack(c, name, frontAxis(axes[i] ?? 0, c.dims(name).length));
      return reversed[i] === 1 ? all.reverse() : all;
    });
    requireRoom(c, body.nodes.length, parts[0]?.length ?? 0);
    let state = c.node.inputs.slice(0, states);
    const scanned = range(parts[0]?.length ?? 0).map((turn) => {
      const outputs = run([...state, ...parts.map((part) => part[turn] as string)]);
      state = outputs.slice(0, states);
      return outputs.slice(states);
    });
    const [outputAxes, outputReversed] = listsOf(c, 'scan_output');
    const stacked = range(c.node.outputs.length - states).map((k) => {
      const all = scanned.map((outputs) => outputs[k]);
      return stack(c, outputReversed[k] === 1 ? all.reverse() : all, outputAxes[k] ?? 0);
    });
    return [...state, ...stacked];
  },
};

export const controlGradients: Readonly<Record<keyof typeof controlSchemas, GradientRow>> = {
  If: branch,
  Loop: loop,
  Scan: scan,
};

function bodyOf(c: NodeContext, attribute: string): Graph {
  const body = graphOf(c.node, attribute);
  if (body === undefined) throw c.refuse(`it has no ${attribute}`);
  return body;
}

/** The one number in a value, where it follows from the graph. */
function numberOf(c: NodeContext, value: string): number | undefined {
  const known = c.builder.contentsOf(value)?.[0];
  return typeof known === 'number' ? known : undefined;
}

/** Axes and directions of a Scan's inputs or outputs; where there are none, all are 0. */
function listsOf(c: NodeContext, side: 'scan_input' | 'scan_output') {
  return [
    intsOf(c.node, `${side}_axes`) ?? [],
    intsOf(c.node, `${side}_directions`) ?? [],
  ] as const;
}

/** The slices of a value along an axis, without it. */
export function unstack(c: NodeContext, value: string, axis: number): string[] {
  const dims = c.dims(value);
  const count = dims[axis] as number;
  if (count === 0) return [];
  const sizes = c.builder.ints(new Array<number>(count).fill(1));
  const parts = count === 1 ? [value] : c.ops('Split', [value, sizes], { axis }, count);
  return parts.map((part) => c.reshape(part, dims.toSpliced(axis, 1)));
}

/** Values of one shape joined along a new axis; undefined where there are none. */
export function stack(
  c: NodeContext,
  values: readonly (string | undefined)[],
  axis: number,
): string | undefined {
  const parts = values.map((value) => {
    const dims = c.dims(value as string);
    return c.reshape(value as string, dims.toSpliced(frontAxis(axis, dims.length + 1), 0, 1));
  });
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  return c.op('Concat', parts, { axis: frontAxis(axis, c.dims(first).length) });
}
