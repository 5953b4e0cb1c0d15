/** Window arithmetic against ONNX Runtime: random attributes, real sizes of what it computes. */
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { AttributeValue } from '../../../src/ir/attributes.js';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { encodeModel } from '../../../src/ir/onnx/encode.js';
import type { OpName } from '../../../src/ir/op-schema.js';
import { ShapeError } from '../../../src/ir/shape/shape.js';
import { elementCount } from '../../../src/util/tensor.js';

type Attributes = Readonly<Record<string, AttributeValue>>;

/** The sizes that ONNX Runtime gives for one node over an input and a weight of zeros. */
async function runtimeDims(
  op: OpName,
  dims: readonly number[],
  weight: readonly number[] | undefined,
  attributes: Attributes,
): Promise<readonly number[]> {
  const b = new GraphBuilder('one');
  const inputs = [
    b.input(
      'x',
      'float32',
      dims.map((_, i) => `d${i}`),
    ),
  ];
  if (weight !== undefined) {
    const data = new Float32Array(elementCount(weight));
    inputs.push(b.initializer({ name: 'w', role: 'weight', dtype: 'float32', dims: weight, data }));
  }
  b.output(b.op(op, inputs, attributes, 'y'));
  const session = await ort.InferenceSession.create(encodeModel(b.build()), {
    logSeverityLevel: 4,
  });
  const x = new ort.Tensor('float32', new Float32Array(elementCount(dims)), dims);
  const { y } = await session.run({ x });
  await session.release();
  return y?.dims ?? [];
}

/** The sizes that the rule gives; null where it finds a contradiction. */
function inferredDims(
  op: OpName,
  dims: readonly number[],
  weight: readonly number[] | undefined,
  attributes: Attributes,
): readonly number[] | null {
  const b = new GraphBuilder('one');
  const inputs = [b.input('x', 'float32', dims)];
  if (weight !== undefined) inputs.push(b.weight('w', weight));
  try {
    return b.dimsOf(b.op(op, inputs, attributes));
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}

const axis = fc.record({
  size: fc.integer({ min: 1, max: 12 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.nat(2),
  after: fc.nat(2),
});
const autoPad = fc.constantFrom('NOTSET', 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID');
const windows = fc.record({
  axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
  autoPad,
  group: fc.constantFrom(1, 2),
  ceil: fc.nat(1),
  extra: fc.nat(1),
});

const ops = ['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool'] as const;

describe('window arithmetic agrees with ONNX Runtime', () => {
  it.each(ops)('%s', async (op) => {
    let agreed = 0;
    await fc.assert(
      fc.asyncProperty(windows, async ({ axes, autoPad, group, ceil, extra }) => {
        const isPool = op.endsWith('Pool');
        // Pooling needs padding smaller than the kernel; ONNX Runtime's own rule.
        fc.pre(!isPool || axes.every((a) => Math.max(a.before, a.after) < a.kernel));
        // Where "same" leaves gaps (kernel under stride) ONNX Runtime is off the specification:
        // it refuses to pool, and transposed convolutions come out smaller.
        const isGap = op !== 'Conv' && axes.some((a) => a.kernel < a.stride);
        fc.pre(!isGap || !autoPad.startsWith('SAME'));
        // ONNX Runtime refuses dilation with "same" padding, and output padding up to the stride.
        const dilations = axes.map((a) => (autoPad.startsWith('SAME') ? 1 : a.dilation));
        const attributes = {
          kernel_shape: axes.map((a) => a.kernel),
          strides: axes.map((a) => a.stride),
          auto_pad: autoPad,
          ...(autoPad === 'NOTSET'
            ? { pads: [...axes.map((a) => a.before), ...axes.map((a) => a.after)] }
            : {}),
          ...(op === 'AveragePool' ? {} : { dilations }),
          ...(isPool ? { ceil_mode: ceil } : { group }),
          ...(op === 'ConvTranspose' && autoPad === 'NOTSET'
            ? { output_padding: axes.map((a) => Math.min(extra, a.stride - 1)) }
            : {}),
        };
        const dims = [2, 4, ...axes.map((a) => a.size)];
        const kernel = axes.map((a) => a.kernel);
        const weight = isPool
          ? undefined
          : op === 'Conv'
            ? [6, 4 / group, ...kernel]
            : [4, 3, ...kernel];
        const inferred = inferredDims(op, dims, weight, attributes);
        if (inferred === null) {
          // No window fits. For some such pools ONNX Runtime rounds -1/2 to 0 and pools padding.
          const given = await runtimeDims(op, dims, weight, attributes).catch(() => [0]);
          expect(Math.min(...given)).toBeLessThanOrEqual(isPool ? 1 : 0);
        } else {
          expect(inferred).toEqual(await runtimeDims(op, dims, weight, attributes));
          agreed++;
        }
      }),
      { numRuns: 120, seed: 5 },
    );
    expect(agreed).toBeGreaterThan(60);
  });
});
