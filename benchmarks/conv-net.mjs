/** Plain convolutional nets of a wanted length, for timing. */
import { GraphBuilder } from '../dist/ir/builder.js';
import { encodeModel } from '../dist/ir/onnx/encode.js';
import { Rng } from '../dist/util/random.js';

/** Nets that take about 50 µs, 1 ms and 20 ms on one core of a present-day machine. */
export const convNets = {
  '50 µs': { channels: 3, size: 40, stages: [16, 32], depth: 1 },
  '1 ms': { channels: 3, size: 48, stages: [24, 48, 64], depth: 2 },
  '20 ms': { channels: 3, size: 96, stages: [32, 64, 128], depth: 5 },
};

/** ONNX bytes: stages of `depth` 3×3 convolutions with ReLU, halving the size in between. */
export function encodeConvNet({ channels, size, stages, depth }) {
  const rng = new Rng('conv-net');
  const builder = new GraphBuilder('conv-net');
  const weight = (name, dims) => {
    const fanIn = dims.slice(1).reduce((product, dim) => product * dim, 1);
    const draw = () => rng.normal() * Math.sqrt(2 / fanIn);
    const data = Float32Array.from({ length: fanIn * dims[0] }, draw);
    return builder.initializer({ name, role: 'weight', dtype: 'float32', dims, data });
  };
  let value = builder.input('image', 'float32', [1, channels, size, size]);
  let width = channels;
  stages.forEach((out, stage) => {
    for (let layer = 0; layer < depth; layer++) {
      const stride = stage > 0 && layer === 0 ? 2 : 1;
      const kernel = weight(`kernel.${stage}.${layer}`, [out, width, 3, 3]);
      const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [stride, stride] };
      value = builder.op('Relu', [builder.op('Conv', [value, kernel], attributes)]);
      width = out;
    }
  });
  const pooled = builder.op('Flatten', [builder.op('GlobalAveragePool', [value])]);
  const logits = builder.op('Gemm', [pooled, weight('head', [10, width])], { transB: 1 });
  builder.output(logits, 'logits');
  return encodeModel(builder.build());
}
