/**
 * Models from elsewhere made ready to be trained: the first loss of a step is the one that the file's
 * own outputs have, run row by row. Needs `../shared/data`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Graph, ValueInfo } from '../../src/ir/graph.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { Session } from '../../src/runtime/session.js';
import { type AdoptOptions, adoptModel } from '../../src/train/adopt.js';
import { packState } from '../../src/train/flat-state.js';
import { scoreBatch } from '../../src/train/loss/score.js';
import { resolveRecipe } from '../../src/train/recipe.js';
import { createTrainingStep } from '../../src/train/step.js';
import { Rng } from '../../src/util/random.js';
import { elementCount, type HostTensor } from '../../src/util/tensor.js';

const folder = fileURLToPath(new URL('../../../shared/data/onnx-models/', import.meta.url));
const present = existsSync(folder);
if (!present) console.warn(`SKIPPED: real ONNX models; expected them in ${folder}`);

const BATCH = 2;

const load = (graph: Graph) =>
  Session.create(encodeModel(graph), { threads: 2, optimization: 'all', provider: 'cpu' });

/** Frozen norms stay in inference form, so that a step computes what the file does. */
const models: readonly [string, Partial<AdoptOptions>, ...number[][]][] = [
  ['convnet-maxpool-mnist', {}, [1, 28, 28]],
  ['mnist-cntk', {}, [1, 28, 28]],
  ['resnet2b-cifar10', {}, [3, 32, 32]],
  ['vit-cifar10-pgd-2-3-16', { freeze: ['*BatchNormalization'] }, [3, 32, 32]],
  ['light-squeezenet', {}, [3, 224, 224]],
  ['pfld-landmark', { loss: 'mse', output: 'facial_landmark' }, [3, 112, 112]],
  ['ultraface-rfb320', { loss: 'mse', output: 'boxes' }, [3, 240, 320]],
  ['light-resnet50', { freeze: ['*_bn*'] }, [3, 224, 224]],
  ['yahpo-lcbench', { loss: 'mse', freeze: ['*norm*'] }, [1], [8]],
];

describe.skipIf(!present)('real models', () => {
  it.each(models)('%s', async (name, change, ...rowDims) => {
    const theirs = decodeModel(readFileSync(`${folder}${name}.onnx`), name);
    const options = { loss: 'cross-entropy', freeze: [], scratch: false, ...change } as const;
    const { graph, activation } = adoptModel(theirs, options);
    const output = options.output ?? (theirs.outputs[0]?.name as string);
    const rng = new Rng(name);
    const draw = ({ dtype }: ValueInfo, dims: readonly number[]): HostTensor => {
      const shape = [1, ...dims];
      if (dtype !== 'float32') {
        return { dtype, dims: shape, data: Int32Array.from(dims, () => rng.integer(3)) };
      }
      const data = Float32Array.from({ length: elementCount(dims) }, () => rng.uniform());
      return { dtype, dims: shape, data };
    };
    const rows = Array.from({ length: BATCH }, () =>
      theirs.inputs.map((input, i) => draw(input, rowDims[i] as number[])),
    );

    const own = await load(theirs);
    const outputs: HostTensor[] = [];
    for (const row of rows) {
      const feeds = Object.fromEntries(
        theirs.inputs.map(({ name: input }, i) => [input, row[i] as HostTensor]),
      );
      outputs.push((await own.run(feeds, [output]))[output] as HostTensor);
    }
    own.release();
    const isClass = options.loss === 'cross-entropy';
    const values = outputs.flatMap(({ data }) => Array.from(data, Number));
    const dims = [BATCH, ...(outputs[0]?.dims.slice(1) ?? [])];
    // The logarithm of a softmax has the softmax of the logits.
    const logits = activation === 'Softmax' ? values.map(Math.log) : values;
    const labels = BigInt64Array.of(3n, 1n);
    const offset = values.map((value, i) => value + Math.sin(i) * (1 + Math.abs(value)));
    const target: HostTensor = isClass
      ? { dtype: 'int64', dims: [BATCH], data: labels }
      : { dtype: 'float32', dims, data: Float32Array.from(offset) };
    const prediction: HostTensor = { dtype: 'float32', dims, data: Float32Array.from(logits) };
    const recipe = resolveRecipe({ loss: options.loss, batch: BATCH });
    const wanted = scoreBatch(recipe, prediction, target).loss;

    const type = { dtype: target.dtype as 'int64' | 'float32', rowDims: target.dims.slice(1) };
    const step = createTrainingStep(graph, recipe, 'native', { target: type });
    const session = await load(step.graph);
    const streams = step.inputs.map(({ name: input, dtype }, i) => {
      const values = rows.flatMap((row) => Array.from((row[i] as HostTensor).data, Number));
      const source = dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values);
      return { name: input, rowDims: rowDims[i] as number[], dtype, source };
    });
    const state = packState(step, graph);
    const result = await session.runLoop({
      batch: BATCH,
      order: Uint32Array.of(0, 1, 0, 1),
      stream: [...streams, { name: step.target?.name as string, ...type, source: target.data }],
      state: step.state.map(({ name: vector, next }, i) => ({
        name: vector,
        next,
        value: state[i] as HostTensor,
      })),
      perStep: step.perStep(Float32Array.of(1e-5, 1e-5), 0),
      record: step.record,
    });
    session.release();
    const [first = 0, second = Number.POSITIVE_INFINITY] = result.recorded[0] ?? [];
    expect(Math.abs(first - wanted)).toBeLessThan(5e-4 * Math.max(1, wanted));
    expect(second).toBeLessThan(first);
  });

  it('silero-vad-16k-op15 is refused for the condition that only a run decides', () => {
    const name = 'silero-vad-16k-op15';
    const { graph } = adoptModel(decodeModel(readFileSync(`${folder}${name}.onnx`), name), {
      loss: 'mse',
      output: 'output',
      freeze: [],
      scratch: false,
    });
    const target = { dtype: 'float32', rowDims: [1] } as const;
    expect(() =>
      createTrainingStep(graph, resolveRecipe({ loss: 'mse', batch: BATCH }), 'native', { target }),
    ).toThrow(/If\) cannot be trained: its condition is not constant/);
  });
});
