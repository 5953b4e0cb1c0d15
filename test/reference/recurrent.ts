/** Recurrent layers, element by element from the formulas of the ONNX operators. */
import { floatOf, floatsOf, intOf, stringOf, stringsOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { count, type Kernel, type Kernels, need } from './kernel.js';
import { at, generate, get, type Tensor, transpose } from './tensor.js';

type Scalar = (x: number) => number;

const functions: Readonly<Record<string, (x: number, alpha: number, beta: number) => number>> = {
  Affine: (x, alpha, beta) => alpha * x + beta,
  Elu: (x, alpha) => (x >= 0 ? x : alpha * (Math.exp(x) - 1)),
  HardSigmoid: (x, alpha, beta) => Math.min(Math.max(alpha * x + beta, 0), 1),
  LeakyRelu: (x, alpha) => (x >= 0 ? x : alpha * x),
  Relu: (x) => Math.max(0, x),
  ScaledTanh: (x, alpha, beta) => alpha * Math.tanh(beta * x),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Softplus: (x) => Math.log(1 + Math.exp(x)),
  Softsign: (x) => x / (1 + Math.abs(x)),
  Tanh: Math.tanh,
  ThresholdedRelu: (x, alpha) => (x >= alpha ? x : 0),
};

/** Defaults of alpha and beta; undefined where the function has none. */
const parameters: Readonly<Record<string, readonly [number?, number?]>> = {
  Affine: [1, 0],
  Elu: [1],
  HardSigmoid: [0.2, 0.5],
  LeakyRelu: [0.01],
  ScaledTanh: [1, 1],
  ThresholdedRelu: [1],
};

function activationsOf(node: Node, standard: readonly string[], directions: number): Scalar[] {
  const all = count(directions).flatMap(() => standard);
  const names = stringsOf(node, 'activations') ?? all;
  const alphas = [...(floatsOf(node, 'activation_alpha') ?? [])];
  const betas = [...(floatsOf(node, 'activation_beta') ?? [])];
  const clip = floatOf(node, 'clip', 0) || Number.POSITIVE_INFINITY;
  return names.map((name, i) => {
    // ONNX Runtime clips the sums of an LSTM's gates, but not its memory, which the third one takes.
    const bound = i % standard.length === 2 ? Number.POSITIVE_INFINITY : clip;
    const [alpha, beta] = parameters[name] ?? [];
    const a = alpha === undefined ? 0 : (alphas.shift() ?? alpha);
    const b = beta === undefined ? 0 : (betas.shift() ?? beta);
    const f = functions[name];
    if (f === undefined) throw new Error(`no activation ${name}`);
    return (x) => f(Math.min(Math.max(x, -bound), bound), a, b);
  });
}

/** What one unit of a step needs. */
interface Step {
  readonly node: Node;
  readonly hidden: number;
  /** Activations of this direction. */
  readonly f: readonly Scalar[];
  /** State before the step, by unit. */
  readonly h: readonly number[];
  readonly memory: readonly number[];
  /** Input product of a gate and unit, without bias. */
  wx(gate: number, unit: number): number;
  /** Recurrent product of a gate and unit with a state, without bias. */
  rh(gate: number, unit: number, state: readonly number[]): number;
  wb(gate: number, unit: number): number;
  rb(gate: number, unit: number): number;
  /** Peephole weight. */
  p(gate: number, unit: number): number;
}

interface Next {
  readonly h: readonly number[];
  readonly memory: readonly number[];
}

type Cell = (step: Step) => Next;

const simple: Cell = ({ hidden, f, h, wx, rh, wb, rb }) => ({
  h: count(hidden).map((u) => call(f, 0, wx(0, u) + rh(0, u, h) + wb(0, u) + rb(0, u))),
  memory: [],
});

const gru: Cell = ({ node, hidden, f, h, wx, rh, wb, rb }) => {
  const units = count(hidden);
  const gate = (g: number) =>
    units.map((u) => call(f, 0, wx(g, u) + rh(g, u, h) + wb(g, u) + rb(g, u)));
  const [z, r] = [gate(0), gate(1)];
  const reset = units.map((u) => at(r, u) * at(h, u));
  const after = intOf(node, 'linear_before_reset', 0) !== 0;
  const candidate = units.map((u) => {
    const recurrent = after ? at(r, u) * (rh(2, u, h) + rb(2, u)) : rh(2, u, reset) + rb(2, u);
    return call(f, 1, wx(2, u) + recurrent + wb(2, u));
  });
  return {
    h: units.map((u) => (1 - at(z, u)) * at(candidate, u) + at(z, u) * at(h, u)),
    memory: [],
  };
};

const lstm: Cell = ({ node, hidden, f, h, memory, wx, rh, wb, rb, p }) => {
  const units = count(hidden);
  const sum = (g: number, u: number) => wx(g, u) + rh(g, u, h) + wb(g, u) + rb(g, u);
  const next = units.map((u) => {
    const input = call(f, 0, sum(0, u) + p(0, u) * at(memory, u));
    const coupled = intOf(node, 'input_forget', 0) !== 0;
    const forget = coupled ? 1 - input : call(f, 0, sum(2, u) + p(2, u) * at(memory, u));
    return forget * at(memory, u) + input * call(f, 1, sum(3, u));
  });
  const output = units.map((u) => call(f, 0, sum(1, u) + p(1, u) * at(next, u)));
  return { h: units.map((u) => at(output, u) * call(f, 2, at(next, u))), memory: next };
};

const call = (f: readonly Scalar[], i: number, x: number) => (f[i] as Scalar)(x);

function layer(cell: Cell, activations: readonly string[]): Kernel {
  return (node, inputs) => {
    const batchFirst = intOf(node, 'layout', 0) === 1;
    const swap = (t: Tensor) => (batchFirst ? transpose(t, [1, 0, 2]) : t);
    const x = swap(need(inputs, 0));
    const [w, r] = [need(inputs, 1), need(inputs, 2)];
    const [bias, lengths, , , p] = inputs.slice(3);
    const [h0, c0] = [inputs[5], inputs[6]].map((t) => (t === undefined ? undefined : swap(t)));
    const [steps, batch] = [at(x.dims, 0), at(x.dims, 1)];
    const [directions, rows, hidden] = [at(r.dims, 0), at(r.dims, 1), at(r.dims, 2)];
    const f = activationsOf(node, activations, directions);
    const length = (n: number) => (lengths === undefined ? steps : at(lengths.data, n));
    const biasAt = (d: number, i: number) => (bias === undefined ? 0 : get(bias, [d, i]));
    const dot = (weights: Tensor, d: number, row: number, values: readonly number[]) =>
      values.reduce((sum, v, k) => sum + v * get(weights, [d, row, k]), 0);

    const outputs = new Map<string, readonly number[]>();
    const last: Next[][] = count(directions).map((d) =>
      count(batch).map((n) => {
        const initial = (t: Tensor | undefined) =>
          count(hidden).map((u) => (t === undefined ? 0 : get(t, [d, n, u])));
        let state: Next = { h: initial(h0), memory: initial(c0) };
        const reversed = d === 1 || stringOf(node, 'direction', 'forward') === 'reverse';
        for (const turn of count(length(n))) {
          const time = reversed ? length(n) - 1 - turn : turn;
          const input = count(at(x.dims, 2)).map((k) => get(x, [time, n, k]));
          state = cell({
            ...state,
            node,
            hidden,
            f: f.slice(d * activations.length, (d + 1) * activations.length),
            wx: (g, u) => dot(w, d, g * hidden + u, input),
            rh: (g, u, values) => dot(r, d, g * hidden + u, values),
            wb: (g, u) => biasAt(d, g * hidden + u),
            rb: (g, u) => biasAt(d, rows + g * hidden + u),
            p: (g, u) => (p === undefined ? 0 : get(p, [d, g * hidden + u])),
          });
          outputs.set(`${time},${d},${n}`, state.h);
        }
        return state;
      }),
    );
    const y = generate([steps, directions, batch, hidden], (i) => {
      const values = outputs.get(i.slice(0, 3).join());
      return values === undefined ? 0 : at(values, at(i, 3));
    });
    const final = (pick: (state: Next) => readonly number[]) =>
      swap(
        generate([directions, batch, hidden], ([d = 0, n = 0, u = 0]) =>
          at(pick(last[d]?.[n] as Next), u),
        ),
      );
    const states = [final(({ h }) => h), ...(cell === lstm ? [final((s) => s.memory)] : [])];
    return [batchFirst ? transpose(y, [2, 0, 1, 3]) : y, ...states];
  };
}

export const recurrent: Kernels = {
  GRU: layer(gru, ['Sigmoid', 'Tanh']),
  LSTM: layer(lstm, ['Sigmoid', 'Tanh', 'Tanh']),
  RNN: layer(simple, ['Tanh']),
};
