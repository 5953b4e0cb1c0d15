/**
 * Dropout as the graph that it stands for. Where it drops, its mask comes from RandomUniformLike, which
 * in training is a kernel of ours or, without it, one stream per node from which every run takes the
 * next numbers. ONNX Runtime's own Dropout starts a new stream each run, its seed one higher, so that
 * some elements keep their fate for hundreds of runs (of 4096 elements, eight or more had not changed
 * once in 300 runs).
 */
import type { NodeContext } from './rule.js';

/** Share that is dropped where a node does not say. */
const DEFAULT_RATIO = 0.5;

/**
 * With `training_mode`: y = x·m with m = 1/(1 − ratio) where a uniform draw is not under the ratio,
 * else 0. The gradient is dx = dy·m. Without, y = x. The second output is where m is not 0.
 */
export function dropout(c: NodeContext): readonly string[] {
  if (!isTraining(c)) {
    const kept = c.builder.scalar(1, 'bool');
    const mask = c.output(1) === undefined ? [] : [c.expand(kept, c.dims(c.x()))];
    return [c.x(), ...mask];
  }
  const known = c.hasInput(1) ? c.builder.constantOf(c.x(1))?.[0] : DEFAULT_RATIO;
  if (known !== undefined && !(Number(known) >= 0 && Number(known) < 1)) {
    throw c.refuse(`its ratio expected a number from 0 to below 1, received ${known}`);
  }
  const ratio = known === undefined ? c.op('CastLike', [c.x(1), c.x()]) : c.scalar(Number(known));
  const kept = c.op('GreaterOrEqual', [c.op('RandomUniformLike', [c.x()]), ratio]);
  const rate = c.div(c.scalar(1), c.sub(c.scalar(1), ratio));
  return [c.mul(c.x(), c.where(kept, rate, c.scalar(0))), kept];
}

/** Whether input 2 is there and true. */
function isTraining(c: NodeContext): boolean {
  if (!c.hasInput(2)) return false;
  const [mode] = c.builder.contentsOf(c.x(2)) ?? [];
  if (typeof mode !== 'number') throw c.refuse('its training_mode is not constant');
  return mode !== 0;
}
