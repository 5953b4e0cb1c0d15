/** One run of a classifier in the runner process. */
import { type HostTensor, Session, type SessionOptions } from '../runtime/runtime.js';

export interface LogitsArgs {
  /** Bytes of an ONNX file with one input and one output. */
  readonly model: Uint8Array;
  readonly feed: HostTensor;
  readonly options: SessionOptions;
}

/** The output, flat. */
export async function logitsTask({ model, feed, options }: LogitsArgs): Promise<Float32Array> {
  const session = await Session.create(model, options);
  try {
    const input = session.inputs[0]?.name ?? '';
    const output = session.outputs[0]?.name ?? '';
    return (await session.run({ [input]: feed }))[output]?.data as Float32Array;
  } finally {
    session.release();
  }
}
