/** Operators: what makes tensors: ranges, random draws, windows. */
import type { OpSchema } from './schema.js';

const normal = { dtype: 'int', mean: 'float', scale: 'float', seed: 'float' } as const;
const uniform = { dtype: 'int', high: 'float', low: 'float', seed: 'float' } as const;
const like = (attributes: OpSchema['attributes']): OpSchema => ({
  inputs: [1, 1],
  outputs: [1, 1],
  attributes,
});
const window = like({ output_datatype: 'int', periodic: 'int' });

export const generateSchemas = {
  Bernoulli: like({ dtype: 'int', seed: 'float' }),
  BlackmanWindow: window,
  EyeLike: like({ dtype: 'int', k: 'int' }),
  HammingWindow: window,
  HannWindow: window,
  MelWeightMatrix: { inputs: [5, 5], outputs: [1, 1], attributes: { output_datatype: 'int' } },
  Multinomial: like({ dtype: 'int', sample_size: 'int', seed: 'float' }),
  RandomNormal: { inputs: [0, 0], outputs: [1, 1], attributes: { ...normal, shape: 'ints' } },
  RandomNormalLike: like(normal),
  RandomUniform: { inputs: [0, 0], outputs: [1, 1], attributes: { ...uniform, shape: 'ints' } },
  RandomUniformLike: like(uniform),
  Range: { inputs: [3, 3], outputs: [1, 1], attributes: {} },
} as const satisfies Record<string, OpSchema>;
