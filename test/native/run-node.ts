import type { Attribute, Graph, ValueInfo } from '../../src/ir/graph.js';
import { freezeGraph } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { Session } from '../../src/runtime/session.js';
import type { HostTensor } from '../../src/util/tensor.js';

export type Attributes = Record<string, Attribute>;
export const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });

/** Outputs of one node, run by ONNX Runtime in a session of its own. */
export async function runNode(
  domain: string,
  op: string,
  inputs: readonly HostTensor[],
  outputDims: readonly (readonly number[])[],
  attributes: Attributes,
  threads = 2,
): Promise<Float64Array[]> {
  const info = (name: string, tensor: Pick<HostTensor, 'dtype' | 'dims'>): ValueInfo => ({
    name,
    dtype: tensor.dtype,
    shape: tensor.dims,
  });
  const graph: Graph = freezeGraph({
    name: op,
    opsets: { '': 17, archwright: 1 },
    inputs: inputs.map((tensor, i) => info(`in${i}`, tensor)),
    outputs: outputDims.map((dims, i) => info(`out${i}`, { dtype: 'float32', dims })),
    initializers: [],
    nodes: [
      {
        name: 'node',
        op,
        domain,
        inputs: inputs.map((_, i) => `in${i}`),
        outputs: outputDims.map((_, i) => `out${i}`),
        attributes,
      },
    ],
    metadata: {},
  });
  const session = await Session.create(encodeModel(graph), {
    threads,
    optimization: 'all',
    provider: 'cpu',
  });
  const result = await session.run(Object.fromEntries(inputs.map((t, i) => [`in${i}`, t])));
  session.release();
  return outputDims.map((_, i) => Float64Array.from(result[`out${i}`]?.data as Float32Array));
}
