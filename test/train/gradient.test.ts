/**
 * Every row of the gradient table on real nodes: the forward value of the float64 reference against
 * ONNX Runtime, the gradient against central differences in float64, and the gradient graph in ONNX
 * Runtime against the reference. Where kernels of our own take part, they do so too.
 */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { createAttributes } from '../../src/ir/attributes.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, NATIVE_DOMAIN, NEWEST_RUNNABLE_OPSET } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { domainOf, type OpName, opSchemas } from '../../src/ir/op-schema.js';
import { problemsOf } from '../../src/ir/verify.js';
import { Session } from '../../src/runtime/session.js';
import { appendForward, appendGradients } from '../../src/train/autodiff.js';
import { gradientRules } from '../../src/train/gradient/table.js';
import type { Kernels } from '../../src/train/step.js';
import { Rng } from '../../src/util/random.js';
import { createTensorData } from '../../src/util/tensor.js';
import { interpret } from '../reference/interpreter.js';
import { at, size, type Tensor, tensor, zeros } from '../reference/tensor.js';
import type { GradientCase } from './cases/case.js';
import { gradientCases } from './gradient-cases.js';

const differentiable = (Object.keys(opSchemas) as OpName[]).filter(
  (op) => !('notDifferentiable' in gradientRules[op]),
);

test('each differentiable operator has cases, and no other', () => {
  expect(Object.keys(gradientCases).sort()).toEqual(differentiable.sort());
});

test('each operator without gradient says why', () => {
  for (const op of Object.keys(opSchemas) as OpName[]) {
    const row = gradientRules[op];
    if ('notDifferentiable' in row) expect(row.notDifferentiable).toMatch(/^\w.{10,}/);
  }
});

const kernelKinds = ['onnx', 'native'] as const satisfies readonly Kernels[];

describe.each(differentiable)('%s', (op) => {
  const variants = (gradientCases[op] ?? []).flatMap((example) =>
    kernelKinds.map((kernels) => ({ example, kernels, about: example.about })),
  );
  test.each(variants.filter(isOfItsOwn(op)))('$about, $kernels', async ({ example, kernels }) => {
    const { graph, forward, values, wrt, outputs, gradients } = buildExample(op, example, kernels);
    expect(problemsOf(graph)).toEqual([]);
    const reference = interpret(graph, values);
    const plain = interpret(forward, values);
    for (const output of outputs.keys()) {
      expectClose(reference.get(output) as Tensor, plain.get(output) as Tensor, 1e-9, output);
    }
    const run = kernels === 'native' ? runInAddon : runPlain;
    if (example.asIs === true) {
      const itself = GraphBuilder.from(forward);
      for (const name of outputs.keys()) itself.output(name);
      const alone = await run(itself.build(), values);
      for (const name of outputs.keys()) {
        expectClose(alone.get(name) as Tensor, plain.get(name) as Tensor, 2e-5, name);
      }
    }
    const actual = await run(graph, values);
    for (const { name } of graph.outputs) {
      expectClose(actual.get(name) as Tensor, reference.get(name) as Tensor, 2e-5, name);
    }
    for (const name of wrt) {
      const numeric = centralDifference(forward, values, name, outputs);
      const gradient = gradients.get(name);
      const symbolic = gradient === undefined ? zeros(numeric.dims) : reference.get(gradient);
      expectClose(symbolic as Tensor, numeric, 1e-6, `gradient of ${name}`);
    }
  });
});

/** Native where a kernel of ours takes part, ordinary where it can do without. */
function isOfItsOwn(op: OpName) {
  return ({ example, kernels }: { example: GradientCase; kernels: Kernels }): boolean => {
    if (kernels === 'onnx') return domainOf(op) !== NATIVE_DOMAIN;
    const { graph } = buildExample(op, example, kernels);
    return graph.nodes.some(({ domain }) => domain === NATIVE_DOMAIN);
  };
}

function buildExample(op: OpName, example: GradientCase, kernels: Kernels) {
  const rng = new Rng(`${op} ${example.about}`);
  const plain = new GraphBuilder('example', {
    domains: kernels === 'native' ? { [NATIVE_DOMAIN]: 1 } : {},
    ...(example.opset === undefined ? {} : { opset: example.opset }),
  });
  const values: Record<string, Tensor> = {};
  const wrt: string[] = [];
  const inputs = example.inputs.map((input, i) => {
    if (input === undefined) return '';
    if ('values' in input) {
      const dtype = input.dtype ?? 'int64';
      const data = createTensorData(dtype, input.values.length);
      input.values.forEach((v, k) => {
        data[k] = data instanceof BigInt64Array ? BigInt(v) : v;
      });
      return plain.constant({ dtype, dims: input.dims, data });
    }
    const name = plain.input(`x${i}`, 'float32', input.dims);
    values[name] =
      input.data === undefined
        ? spread(rng, input.dims, input.range ?? [-2, 2])
        : tensor(input.dims, input.data);
    if (input.fixed !== true) wrt.push(name);
    return name;
  });
  for (const [i, { dims, range }] of (example.captured ?? []).entries()) {
    const name = plain.input(`w${i}`, 'float32', dims);
    values[name] = spread(rng, dims, range ?? [-2, 2]);
    wrt.push(name);
  }
  const outputs = Array.from({ length: example.outputs ?? 1 }, (_, i) => `y${i}`);
  const attributes = createAttributes(op, example.attributes ?? {});
  const node = { name: 'node', op, domain: domainOf(op), inputs, outputs, attributes };
  plain.append(node);
  const { opsets, ...rest } = plain.build();
  const forward = { ...rest, opsets: { [node.domain]: 1, ...opsets } };
  const b = GraphBuilder.from({
    ...forward,
    opsets: { ...opsets, '': Math.min(plain.opset, NEWEST_RUNNABLE_OPSET) },
    nodes: [],
  });
  const nodes = appendForward(b, node);
  const seeds = new Map(
    (example.seeded ?? [0]).map((i) => {
      const output = outputs[i] as string;
      const seed = b.input(`r.${output}`, 'float32', b.shapeOf(output));
      values[seed] = spread(rng, b.dimsOf(output), [-1, 1]);
      return [output, seed] as const;
    }),
  );
  const gradients = appendGradients(b, nodes, seeds, wrt);
  for (const output of outputs) b.output(output);
  for (const gradient of new Set(gradients.values())) b.output(gradient, `d${gradient}`);
  return { graph: b.build(), forward, values, wrt, outputs: seeds, gradients };
}

/** Distinct values, evenly spread over the range, in random order; the offset avoids ties and kinks. */
function spread(rng: Rng, dims: readonly number[], [low, high]: readonly [number, number]): Tensor {
  const n = size(dims);
  const offset = rng.range(0.15, 0.35);
  const steps = Array.from({ length: n }, (_, i) => low + ((high - low) * (i + offset)) / n);
  return tensor(dims, rng.shuffle(steps).map(Math.fround));
}

/** d/dx of Σ r·y by central differences. */
function centralDifference(
  graph: Graph,
  values: Readonly<Record<string, Tensor>>,
  name: string,
  seeds: ReadonlyMap<string, string>,
): Tensor {
  const step = 2e-5;
  const x = values[name] as Tensor;
  const loss = (i: number, by: number) => {
    const moved = tensor(x.dims, x.data);
    moved.data[i] = at(x.data, i) + by;
    const result = interpret(graph, { ...values, [name]: moved });
    let sum = 0;
    for (const [output, seed] of seeds) {
      const y = result.get(output) as Tensor;
      y.data.forEach((v, k) => {
        sum += v * at((values[seed] as Tensor).data, k);
      });
    }
    return sum;
  };
  const slopes = Array.from(x.data, (_, i) => (loss(i, step) - loss(i, -step)) / (2 * step));
  return tensor(x.dims, slopes);
}

function expectClose(actual: Tensor, expected: Tensor, tolerance: number, what: string): void {
  expect(actual.dims, what).toEqual(expected.dims);
  const scale = Math.max(0.05, ...expected.data.map(Math.abs));
  const error = Math.max(0, ...actual.data.map((v, i) => Math.abs(v - at(expected.data, i))));
  expect(error / scale, `${what}: relative error`).toBeLessThan(tolerance);
}

async function runInAddon(
  graph: Graph,
  values: Readonly<Record<string, Tensor>>,
): Promise<Map<string, Tensor>> {
  const session = await Session.create(encodeModel(graph), {
    threads: 1,
    optimization: 'all',
    provider: 'cpu',
  });
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name }) => {
      const { dims, data } = values[name] as Tensor;
      return [name, { dtype: 'float32' as const, dims, data: Float32Array.from(data) }];
    }),
  );
  const results = await session.run(feeds);
  session.release();
  return new Map(
    Object.entries(results).map(([name, { dims, data }]) => [
      name,
      tensor(dims, Array.from(data, Number)),
    ]),
  );
}

async function runPlain(
  graph: Graph,
  values: Readonly<Record<string, Tensor>>,
): Promise<Map<string, Tensor>> {
  const session = await InferenceSession.create(encodeModel(graph), {
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name }) => {
      const { dims, data } = values[name] as Tensor;
      return [name, new OrtTensor('float32', Float32Array.from(data), [...dims])];
    }),
  );
  const results = await session.run(feeds);
  await session.release();
  return new Map(
    Object.entries(results).map(([name, { dims, data }]) => [
      name,
      tensor(dims, Array.from(data as ArrayLike<number | bigint>, Number)),
    ]),
  );
}
