/**
 * Gradients beside finite differences, both in float64: for L = Σ r·y with random r, dL/dx by the
 * product's own rules, its graph evaluated by the reference interpreter, against central differences
 * of the forward graph. Where differences of two steps disagree, or the slopes to either side, the
 * function is not smooth there, and the inputs are moved.
 */
import { ArchwrightError, errorMessage } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { DEFAULT_OPSET, type Graph, withGraph } from '../../src/ir/graph.js';
import { inferTypes } from '../../src/ir/infer.js';
import { isKnownOp } from '../../src/ir/op-schema.js';
import { upgradeOpset } from '../../src/ir/pass/upgrade-opset.js';
import { appendForward, appendGradients } from '../../src/train/autodiff.js';
import { gradientRules } from '../../src/train/gradient/table.js';
import { Rng } from '../../src/util/random.js';
import { type ElementType, isFloating } from '../../src/util/tensor.js';
import { interpret } from '../reference/interpreter.js';
import { fromHost } from '../reference/stored.js';
import { type Tensor, tensor } from '../reference/tensor.js';
import type { Prepared } from './prepare.js';
import type { Finding } from './report.js';

/** Relative error of a gradient that is let pass. */
const TOLERANCE = 1e-5;
/** Inputs are tried as stored, moved a little, and so on. */
const JITTERS = [0, 1e-3, 1e-2, 3e-2];
/** Elements of one input that are differentiated, drawn from larger ones … */
const MAX_ELEMENTS = 32;
const LEAST_ELEMENTS = 3;
/** … and fewer where the values of a graph have many elements: this many in all, over an input. */
const MAX_WORK = 100_000;
/** Difference of the two estimates, relative to the gradient, beyond which none is believed … */
const ROUGH = 2e-5;
/** … and change of slope over one step that only a kink makes. */
const KINK = 0.02;

/** Whether the gradient of every float input agrees. */
export function checkGradients(prepared: Prepared, name: string): Finding {
  const refused = prepared.graph.nodes.flatMap(({ op, domain }) => {
    const row = isKnownOp(op, domain) ? gradientRules[op] : undefined;
    return row !== undefined && 'notDifferentiable' in row
      ? [`${op}: ${row.notDifferentiable}`]
      : [];
  })[0];
  let example: Example;
  try {
    example = buildExample(prepared, new Rng(name));
  } catch (error) {
    if (!(error instanceof ArchwrightError)) throw error;
    return { status: 'skipped', reason: refused ?? reasonOf(errorMessage(error)) };
  }
  if (example.wrt.length === 0) {
    return { status: 'skipped', reason: refused ?? 'no float input reaches a float output' };
  }
  let worst = { reason: '', smooth: false };
  for (const jitter of JITTERS) {
    const result = compare(example, new Rng(`${name} ${jitter}`), jitter);
    if (result === undefined) return { status: 'passed' };
    worst = result;
    if (result.smooth) break;
  }
  return worst.smooth
    ? { status: 'failed', reason: worst.reason }
    : { status: 'skipped', reason: 'not smooth where it was tried' };
}

/** The reason in a refusal to train, without the node's own name. */
function reasonOf(message: string): string {
  const [, op, reason] = /\((\w+)\) cannot be trained: (.+)$/.exec(message) ?? [];
  return reason === undefined ? message : `${op}: ${reason}`;
}

interface Example {
  readonly forward: Graph;
  readonly backward: Graph;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly wrt: readonly string[];
  /** Name of the random factor by output. */
  readonly seeds: ReadonlyMap<string, string>;
  readonly gradients: ReadonlyMap<string, string>;
}

function buildExample({ graph, inputs, outputs }: Prepared, rng: Rng): Example {
  const values = new Map(
    [...inputs].map(([name, stored]) => [name, finite(fromHost(stored), rng)]),
  );
  const isFloat = (dtype: ElementType | undefined) => dtype !== undefined && isFloating(dtype);
  const deciding = decidingInputs(graph);
  const wanted = graph.inputs.filter(
    ({ name, dtype }) => isFloat(dtype) && inputs.has(name) && !deciding.has(name),
  );
  // Everything that is not differentiated is constant, as it is in a training graph.
  const constants = graph.inputs.flatMap(({ name }) => {
    const stored = inputs.get(name);
    return stored === undefined || wanted.some((input) => input.name === name)
      ? []
      : [{ ...stored, name, role: 'constant' as const }];
  });
  const bound = withGraph(graph, {
    inputs: wanted.map(({ name, dtype }) => ({ name, dtype, shape: inputs.get(name)?.dims ?? [] })),
    initializers: [...graph.initializers, ...constants],
  });
  const opset = bound.opsets[''] ?? DEFAULT_OPSET;
  const forward = opset < 13 ? upgradeOpset(bound).graph : bound;
  const types = inferTypes(forward);
  const b = new GraphBuilder('backward', {
    domains: Object.fromEntries(Object.entries(forward.opsets).filter(([domain]) => domain !== '')),
    opset: Math.max(DEFAULT_OPSET, forward.opsets[''] ?? 0),
  });
  for (const input of forward.inputs) b.input(input.name, input.dtype, input.shape);
  for (const initializer of forward.initializers) b.initializer(initializer);
  const nodes = forward.nodes.flatMap((node) => appendForward(b, node));
  const seeds = new Map<string, string>();
  forward.outputs.forEach(({ name }, i) => {
    const stored = outputs[i];
    if (stored === undefined || !isFloat(types.get(name)?.dtype)) return;
    if (values.has(name)) return;
    const seed = b.input(`r.${name}`, stored.dtype, stored.dims);
    seeds.set(name, seed);
    values.set(
      seed,
      tensor(
        stored.dims,
        Array.from({ length: stored.data.length }, () => rng.range(0.5, 1.5)),
      ),
    );
  });
  const names = wanted.map(({ name }) => name);
  const gradients = appendGradients(b, nodes, seeds, names);
  for (const gradient of new Set(gradients.values())) b.output(gradient, `out.${gradient}`);
  const wrt = names.filter((name) => gradients.has(name));
  return { forward, backward: b.build(), inputs: values, wrt, seeds, gradients };
}

/** Floats that decide sizes: scales and regions of Resize. A training graph must know them. */
function decidingInputs(graph: Graph): ReadonlySet<string> {
  return new Set(
    graph.nodes.flatMap(({ op, inputs }) =>
      op === 'Resize' || op === 'Upsample' ? inputs.slice(1) : [],
    ),
  );
}

/** The tensor with drawn numbers in the place of infinite ones and of what is none. */
function finite(value: Tensor, rng: Rng): Tensor {
  return { ...value, data: value.data.map((x) => (Number.isFinite(x) ? x : rng.range(-2, 2))) };
}

/** What is wrong; undefined where nothing is. `smooth` is false where no verdict was possible. */
function compare(
  { forward, backward, inputs, wrt, seeds, gradients }: Example,
  rng: Rng,
  jitter: number,
): { reason: string; smooth: boolean } | undefined {
  const moved = new Map(
    [...inputs].map(([name, value]) => [
      name,
      wrt.includes(name)
        ? tensor(
            value.dims,
            value.data.map((x) => x + jitter * rng.range(-1, 1) * Math.max(1, Math.abs(x))),
          )
        : value,
    ]),
  );
  const results = interpret(backward, Object.fromEntries(moved));
  const values = interpret(forward, Object.fromEntries(moved));
  const here = lossOf(values, seeds, moved);
  const work = [...values.values()].reduce((sum, { data }) => sum + data.length, 0);
  let rough = false;
  for (const name of wrt) {
    const gradient = results.get(gradients.get(name) as string) as Tensor;
    const x = moved.get(name) as Tensor;
    const all = Array.from(x.data, (_, i) => i);
    const most = Math.max(LEAST_ELEMENTS, Math.min(MAX_ELEMENTS, MAX_WORK / work));
    const elements = all.length <= most ? all : rng.shuffle(all).slice(0, most);
    const scale = gradient.data.reduce((most, g) => Math.max(most, Math.abs(g)), 0.05);
    for (const i of elements) {
      const h = 2e-5 * Math.max(1, Math.abs(x.data[i] as number));
      const at = (by: number) => lossAt(forward, moved, name, i, by, seeds);
      const [high, low] = [at(h), at(-h)];
      const coarse = (high - low) / (2 * h);
      const fine = (at(h / 2) - at(-h / 2)) / h;
      const bend = (high - 2 * here + low) / h;
      // Richardson: the error of central differences falls with h².
      const numeric = (4 * fine - coarse) / 3;
      if (!(Math.abs(coarse - fine) < ROUGH * scale) || !(Math.abs(bend) < KINK * scale)) {
        rough = true;
        continue;
      }
      const error = Math.abs((gradient.data[i] as number) - numeric) / scale;
      if (!(error < TOLERANCE)) {
        const reason = `gradient of ${name}[${i}] is ${gradient.data[i]}, by differences ${numeric}`;
        return { reason, smooth: true };
      }
    }
  }
  return rough ? { reason: '', smooth: false } : undefined;
}

/** L where element `i` of input `name` is changed. */
function lossAt(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  name: string,
  i: number,
  by: number,
  seeds: ReadonlyMap<string, string>,
): number {
  const x = inputs.get(name) as Tensor;
  const shifted = tensor(x.dims, x.data);
  shifted.data[i] = (x.data[i] as number) + by;
  return lossOf(
    interpret(graph, { ...Object.fromEntries(inputs), [name]: shifted }),
    seeds,
    inputs,
  );
}

function lossOf(
  values: ReadonlyMap<string, Tensor>,
  seeds: ReadonlyMap<string, string>,
  inputs: ReadonlyMap<string, Tensor>,
): number {
  let sum = 0;
  for (const [output, seed] of seeds) {
    const r = inputs.get(seed) as Tensor;
    values.get(output)?.data.forEach((y, k) => {
      sum += y * (r.data[k] as number);
    });
  }
  return sum;
}
