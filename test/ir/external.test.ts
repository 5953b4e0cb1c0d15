import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { inlineExternalData } from '../../src/ir/onnx/external.js';
import { proto } from '../../src/ir/onnx/proto.js';

const weights = Float32Array.from({ length: 12 }, (_, i) => i / 4);

function createModel(): Uint8Array {
  const builder = new GraphBuilder('external');
  const weight = builder.initializer({
    name: 'weight',
    role: 'weight',
    dtype: 'float32',
    dims: [4, 3],
    data: weights,
  });
  builder.output(builder.op('MatMul', [builder.input('x', 'float32', [1, 4]), weight]), 'y');
  return encodeModel(builder.build());
}

/** The model with its weight moved out, and the file it was moved to, 8 other bytes first. */
function externalize(change: Readonly<Record<string, string>> = {}) {
  const model = proto.ModelProto.decode(createModel());
  const [tensor] = model.graph?.initializer ?? [];
  if (tensor === undefined) throw new Error('no initializer');
  const raw = new Uint8Array(weights.buffer);
  const data = new Uint8Array([...new Uint8Array(8), ...raw, 9, 9]);
  const entries = { location: 'w.bin', offset: '8', length: `${raw.length}`, ...change };
  tensor.rawData = new Uint8Array();
  tensor.floatData = [];
  tensor.dataLocation = proto.TensorProto.DataLocation.EXTERNAL;
  tensor.externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  return { model: proto.ModelProto.encode(model).finish(), data };
}

describe('inlineExternalData', () => {
  it('brings tensors in', () => {
    const { model, data } = externalize();
    expect(() => decodeModel(model)).toThrow(/external data/);
    const asked: string[] = [];
    const whole = inlineExternalData(
      model,
      (location) => {
        asked.push(location);
        return data;
      },
      'm.onnx',
    );
    expect(asked).toEqual(['w.bin']);
    expect(decodeModel(whole).initializers[0]?.data).toEqual(weights);
  });

  it('returns the same bytes where there is none, even of what is no model', () => {
    const never = () => {
      throw new Error('read');
    };
    const plain = createModel();
    expect(inlineExternalData(plain, never, 'm')).toBe(plain);
    const text = new TextEncoder().encode('a location, but no model');
    expect(inlineExternalData(text, never, 'm')).toBe(text);
  });

  it.each(['/etc/passwd', '../w.bin', 'a/../../w.bin', 'C:\\w.bin', '..\\w.bin', ''])(
    'does not leave the folder of the model for %j',
    (location) => {
      const { model, data } = externalize({ location });
      expect(() => inlineExternalData(model, () => data, 'm.onnx')).toThrow(UsageError);
      expect(() => inlineExternalData(model, () => data, 'm.onnx')).toThrow(/model’s folder/);
    },
  );

  it('refuses a file that is too short', () => {
    const { model, data } = externalize({ offset: '20' });
    expect(() => inlineExternalData(model, () => data, 'm.onnx')).toThrow(
      'm.onnx: tensor weight: expected 48 bytes from 20 of w.bin, received 58 in all',
    );
  });
});
