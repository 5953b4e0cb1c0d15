/** Times a model on WebGPU with its tensors where the caller wants them. */
import { Session } from '../../dist/runtime/session.js';

export async function timePlaced({ model, placement }) {
  const session = await Session.create(model, {
    threads: 1,
    optimization: 'all',
    provider: 'WebGPU',
  });
  const tensor = (values) => ({ dtype: 'float32', dims: [1, 2], data: Float32Array.from(values) });
  const sets = [{ x: tensor([1, 2]) }, { x: tensor([3, 4]) }];
  const timer = await session.createTimer(sets, placement);
  const outputs = [];
  let window;
  for (let i = 0; i < sets.length; i++) {
    window = await timer.run({ samples: 1, group: 1 });
    outputs.push(Array.from(timer.outputs().outputs.y.data));
  }
  timer.release();
  session.release();
  return { outputs, samplesNs: window.samplesNs, enqueueNs: window.enqueueNs };
}
