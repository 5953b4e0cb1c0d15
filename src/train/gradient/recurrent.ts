/**
 * Gradients: recurrent layers, trained as they are over a fixed number of steps: the inputs of all steps
 * are multiplied by W at once, then step follows step.
 */
import { intOf, stringOf } from '../../ir/attributes.js';
import type { recurrentSchemas } from '../../ir/schema/recurrent.js';
import { stack } from './control.js';
import { requireRoom } from './inline.js';
import { activationsOf } from './recurrent-activation.js';
import { type Cell, gru, lstm, type Parameters, type State, simple } from './recurrent-cell.js';
import { type Expansion, type GradientRow, type NodeContext, range } from './rule.js';

/** About as many nodes as a step of any layer has. */
const STEP_NODES = 13;

const recurrent = (cell: Cell): Expansion => ({
  expand: (c) => {
    const batchFirst = intOf(c.node, 'layout', 0) === 1;
    const x = batchFirst ? c.transpose(c.x(), [1, 0, 2]) : c.x();
    const [length = 0, batch = 0] = c.dims(x);
    if (length === 0) throw c.refuse('its sequence has no steps');
    const direction = stringOf(c.node, 'direction', 'forward').toLowerCase();
    const reversals = direction === 'bidirectional' ? [false, true] : [direction === 'reverse'];
    requireRoom(c, STEP_NODES, length * reversals.length);
    const activations = activationsOf(c, cell.activations, reversals.length);
    const results = reversals.map((reversed, d) => {
      const parameters = parametersOf(c, cell, d, activations[d] as Parameters['activations']);
      const inputs = project(c, cell, x, d, parameters);
      const start = (input: number) => initial(c, input, d, batchFirst, [batch, parameters.hidden]);
      const state = { h: start(5), ...(cell === lstm ? { memory: start(6) } : {}) };
      return unroll(c, cell, parameters, inputs, state, reversed);
    });
    const [axis, order] = batchFirst ? [1, [1, 0, 2, 3]] : [0, undefined];
    const all = stack(
      c,
      results.map(({ steps }) => stack(c, steps, 0)),
      batchFirst ? 2 : 1,
    ) as string;
    const last = (pick: (state: State) => string | undefined) =>
      stack(
        c,
        results.map(({ state }) => pick(state)),
        axis,
      );
    return [
      order === undefined ? all : c.transpose(all, order),
      last(({ h }) => h),
      cell === lstm ? last(({ memory }) => memory) : undefined,
    ];
  },
});

export const recurrentGradients: Readonly<Record<keyof typeof recurrentSchemas, GradientRow>> = {
  GRU: recurrent(gru),
  LSTM: recurrent(lstm),
  RNN: recurrent(simple),
};

/** What belongs to direction `d` of input `i`, whose first axis is that of directions. */
function partOf(c: NodeContext, i: number, d: number, axis = 0): string {
  const dims = c.dims(c.x(i));
  const part = dims[axis] === 1 ? c.x(i) : c.slice(c.x(i), [axis], [d], [d + 1]);
  return c.reshape(part, dims.toSpliced(axis, 1));
}

function parametersOf(
  c: NodeContext,
  cell: Cell,
  d: number,
  activations: Parameters['activations'],
): Parameters {
  const hidden = c.dims(c.x(2))[2] as number;
  const rows = cell.gates * hidden;
  const both = c.hasInput(3) ? partOf(c, 3, d) : undefined;
  return {
    recurrence: c.transpose(partOf(c, 2, d), [1, 0]),
    bias:
      both === undefined
        ? undefined
        : {
            input: c.slice(both, [0], [0], [rows]),
            recurrence: c.slice(both, [0], [rows], [2 * rows]),
          },
    peephole: cell === lstm && c.hasInput(7) ? partOf(c, 7, d) : undefined,
    activations,
    hidden,
  };
}

/** The projected inputs [N, gates·H] of all steps, biases added. */
function project(
  c: NodeContext,
  cell: Cell,
  x: string,
  d: number,
  { bias }: Parameters,
): readonly string[] {
  const [length = 0, batch = 0, size = 0] = c.dims(x);
  const flat = c.reshape(x, [length * batch, size]);
  let all = c.op('MatMul', [flat, c.transpose(partOf(c, 1, d), [1, 0])]);
  if (bias !== undefined) {
    all = c.add(all, cell.joinsBias(c) ? c.add(bias.input, bias.recurrence) : bias.input);
  }
  if (length === 1) return [all];
  const sizes = c.builder.ints(range(length).map(() => batch));
  return c.ops('Split', [all, sizes], { axis: 0 }, length);
}

/** The state before the first step: zeros where it is not given. */
function initial(
  c: NodeContext,
  input: number,
  d: number,
  batchFirst: boolean,
  dims: readonly number[],
): string {
  return c.hasInput(input) ? partOf(c, input, d, batchFirst ? 1 : 0) : c.zeros(dims, c.x());
}

/**
 * All steps, in the order of time whichever way they are taken. A sequence that has ended leaves the
 * state as it is and gives zeros; a reversed one begins where it ends.
 */
function unroll(
  c: NodeContext,
  cell: Cell,
  parameters: Parameters,
  inputs: readonly string[],
  start: State,
  reversed: boolean,
): { readonly steps: readonly string[]; readonly state: State } {
  const step = cell.create(c, parameters);
  const goesOn = lengthsOf(c);
  let state = start;
  const order = range(inputs.length);
  if (reversed) order.reverse();
  const steps = order.map((time) => {
    const next = step(inputs[time] as string, state);
    const condition = goesOn(time);
    if (condition === undefined) {
      state = next;
      return state.h;
    }
    const keep = (after: string, before: string) => c.where(condition, after, before);
    state = {
      h: keep(next.h, state.h),
      ...(next.memory === undefined ? {} : { memory: keep(next.memory, state.memory as string) }),
    };
    return keep(next.h, c.scalar(0, next.h));
  });
  return { steps: reversed ? steps.reverse() : steps, state };
}

/** Which sequences reach a time [N, 1]; undefined where all are known to. */
function lengthsOf(c: NodeContext): (time: number) => string | undefined {
  if (!c.hasInput(4)) return () => undefined;
  const known = c.builder.contentsOf(c.x(4))?.map(Number);
  const shortest = known === undefined ? 0 : Math.min(...known);
  const column = c.reshape(c.x(4), [...c.dims(c.x(4)), 1]);
  return (time) =>
    time < shortest ? undefined : c.greater(column, c.builder.scalar(time, 'int32'));
}
