/** One step of each recurrent layer (formulas of the ONNX operators RNN, GRU, LSTM). */
import { intOf } from '../../ir/attributes.js';
import type { Activation } from './recurrent-activation.js';
import { type NodeContext, range } from './rule.js';

/** Tensors of one direction, without the axis of directions. */
export interface Parameters {
  /** [H, gates·H]: transposed. */
  readonly recurrence: string;
  /** [gates·H] each; undefined without biases. */
  readonly bias: { readonly input: string; readonly recurrence: string } | undefined;
  /** P of an LSTM, [3·H]. */
  readonly peephole: string | undefined;
  readonly activations: readonly Activation[];
  readonly hidden: number;
}

/** Hidden state [N, H], and memory of an LSTM. */
export interface State {
  readonly h: string;
  readonly memory?: string;
}

/** From the projected input of a step [N, gates·H] and a state to the next state. */
export type Step = (projected: string, state: State) => State;

export interface Cell {
  readonly gates: number;
  /** Names of the activations where the node lists none. */
  readonly activations: readonly string[];
  /** Whether the recurrent bias is added to the projected input, as it is where nothing is in between. */
  readonly joinsBias: (c: NodeContext) => boolean;
  readonly create: (c: NodeContext, parameters: Parameters) => Step;
}

const always = () => true;

/** h' = f(x·Wᵀ + h·Rᵀ + b) */
export const simple: Cell = {
  gates: 1,
  activations: ['Tanh'],
  joinsBias: always,
  create: (c, { recurrence, activations: [f] }) => {
    const activate = f as Activation;
    return (x, { h }) => ({ h: activate(c.add(x, c.op('MatMul', [h, recurrence]))) });
  },
};

/** Gates z r h; h' = (1 − z)∘h̃ + z∘h */
export const gru: Cell = {
  gates: 3,
  activations: ['Sigmoid', 'Tanh'],
  joinsBias: (c) => !resetsAfter(c),
  create: (c, { recurrence, bias, activations, hidden }) => {
    const [f, g] = activations as [Activation, Activation];
    const next = (z: string, candidate: string, h: string): State => ({
      h: c.add(c.mul(c.sub(c.scalar(1, z), z), candidate), c.mul(z, h)),
    });
    if (resetsAfter(c)) {
      return (x, { h }) => {
        const product = c.op('MatMul', [h, recurrence]);
        const recurrent = bias === undefined ? product : c.add(product, bias.recurrence);
        const [xz, xr, xh] = cut(c, x, hidden, 3) as [string, string, string];
        const [hz, hr, hh] = cut(c, recurrent, hidden, 3) as [string, string, string];
        const r = f(c.add(xr, hr));
        return next(f(c.add(xz, hz)), g(c.add(xh, c.mul(r, hh))), h);
      };
    }
    const gates = c.slice(recurrence, [1], [0], [2 * hidden]);
    const candidate = c.slice(recurrence, [1], [2 * hidden], [3 * hidden]);
    return (x, { h }) => {
      const [xz, xr, xh] = cut(c, x, hidden, 3) as [string, string, string];
      const [hz, hr] = cut(c, c.op('MatMul', [h, gates]), hidden, 2) as [string, string];
      const reset = c.mul(f(c.add(xr, hr)), h);
      return next(f(c.add(xz, hz)), g(c.add(xh, c.op('MatMul', [reset, candidate]))), h);
    };
  },
};

/** Whether a GRU multiplies by the reset gate behind the recurrent product. */
function resetsAfter(c: NodeContext): boolean {
  return intOf(c.node, 'linear_before_reset', 0) !== 0;
}

/** Gates i o f c; C' = f∘C + i∘c̃, h' = o∘h(C') */
export const lstm: Cell = {
  gates: 4,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  joinsBias: always,
  create: (c, { recurrence, peephole, activations, hidden }) => {
    const [f, g, h] = activations as [Activation, Activation, Activation];
    const coupled = intOf(c.node, 'input_forget', 0) !== 0;
    const peepholes = peephole === undefined ? [] : cut(c, peephole, hidden, 3);
    const peep = (gate: string, weights: string | undefined, memory: string) =>
      weights === undefined ? gate : c.add(gate, c.mul(weights, memory));
    return (x, state) => {
      const memory = state.memory as string;
      const sum = c.add(x, c.op('MatMul', [state.h, recurrence]));
      const [xi, xo, xf, xc] = cut(c, sum, hidden, 4) as [string, string, string, string];
      const input = f(peep(xi, peepholes[0], memory));
      const forget = coupled ? c.sub(c.scalar(1, input), input) : f(peep(xf, peepholes[2], memory));
      const next = c.add(c.mul(forget, memory), c.mul(input, g(xc)));
      const output = f(peep(xo, peepholes[1], next));
      return { h: c.mul(output, h(next)), memory: next };
    };
  },
};

/** `count` parts of `size` along the last axis. */
function cut(c: NodeContext, value: string, size: number, count: number): readonly string[] {
  const sizes = c.builder.ints(range(count).map(() => size));
  return c.ops('Split', [value, sizes], { axis: c.dims(value).length - 1 }, count);
}
