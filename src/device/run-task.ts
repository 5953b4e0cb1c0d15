/** One run of a model in the runner process. */
import { type Feeds, type HostTensor, Session, type SessionOptions } from '../runtime/runtime.js';

export interface RunArgs {
  /** Bytes of an ONNX file. */
  readonly model: Uint8Array;
  readonly feeds: Feeds;
  readonly options: SessionOptions;
}

/** All outputs by name. */
export async function runTask(args: RunArgs): Promise<Record<string, HostTensor>> {
  const session = await Session.create(args.model, args.options);
  try {
    return await session.run(args.feeds);
  } finally {
    session.release();
  }
}
