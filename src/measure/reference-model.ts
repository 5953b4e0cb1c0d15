/**
 * The reference graph that is interleaved with every candidate: always the same bytes, so its
 * latency says how fast the machine is right now. One 3×3 convolution and a small matrix product,
 * tens of microseconds on one core, with a working set (some 150 KB) that leaves a candidate's caches
 * mostly alone. It runs on one thread: a second pool of spinning threads would disturb the
 * candidate's.
 */
import { GraphBuilder } from '../ir/builder.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { Rng } from '../util/random.js';

const CHANNELS = 16;
const SIZE = 28;
const CLASSES = 64;

let encoded: Uint8Array | undefined;

/** The reference graph as an ONNX file; input `image` float32 [1, 16, 28, 28]. */
export function encodeReferenceModel(): Uint8Array {
  encoded ??= buildReferenceModel();
  return encoded;
}

function buildReferenceModel(): Uint8Array {
  const rng = new Rng('reference-model');
  const builder = new GraphBuilder('reference');
  const weight = (name: string, dims: readonly number[]): string => {
    const draw = rng.fork(name);
    const fanIn = dims.slice(1).reduce((product, dim) => product * dim, 1);
    const count = fanIn * (dims[0] as number);
    const data = Float32Array.from({ length: count }, () => draw.normal() / Math.sqrt(fanIn));
    return builder.initializer({ name, role: 'weight', dtype: 'float32', dims, data });
  };
  const image = builder.input('image', 'float32', [1, CHANNELS, SIZE, SIZE]);
  const features = builder.op('Relu', [
    builder.op('Conv', [image, weight('kernel', [CHANNELS, CHANNELS, 3, 3])], {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
    }),
  ]);
  const pooled = builder.op('Flatten', [
    builder.op('MaxPool', [features], { kernel_shape: [4, 4], strides: [4, 4] }),
  ]);
  const inner = CHANNELS * Math.floor(SIZE / 4) ** 2;
  const logits = builder.op('Gemm', [pooled, weight('classifier', [CLASSES, inner])], {
    transB: 1,
  });
  builder.output(logits, 'logits');
  return encodeModel(builder.build());
}
