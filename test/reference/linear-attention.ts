/** Linear attention, one position and one head at a time. */
import { floatOf, intOf, stringOf } from '../../src/ir/attributes.js';
import { type Kernel, need } from './kernel.js';
import { at, get, type Tensor, zeros } from './tensor.js';

export const linearAttention: Kernel = (node, inputs) => {
  const [q, k, v] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
  const [past, decay, beta] = [inputs[3], inputs[4], inputs[5]];
  const heads = intOf(node, 'kv_num_heads', 1);
  const queryHeads = intOf(node, 'q_num_heads', 1);
  const rule = stringOf(node, 'update_rule', 'gated_delta');
  const [batch = 0, length = 0, keys = 0] = k.dims;
  const rows = keys / heads;
  const columns = at(v.dims, 2) / heads;
  const scale = floatOf(node, 'scale', 0) || 1 / Math.sqrt(rows);
  const state = zeros([batch, heads, rows, columns]);
  if (past !== undefined) state.data.set(past.data);
  const y = zeros([batch, length, queryHeads * columns]);
  /** Element of a row of the state, of head `h` of batch entry `b`. */
  const place = (b: number, h: number, i: number, j: number) =>
    ((b * heads + h) * rows + i) * columns + j;
  const entry = (t: Tensor, b: number, l: number, h: number, i: number) => {
    const width = at(t.dims, 2);
    const perHead = width / heads;
    return get(t, [b, l, width === 1 ? 0 : h * perHead + (perHead === 1 ? 0 : i)]);
  };
  for (let b = 0; b < batch; b++) {
    for (let l = 0; l < length; l++) {
      for (let h = 0; h < heads; h++) {
        const key = Array.from({ length: rows }, (_, i) => get(k, [b, l, h * rows + i]));
        if (rule.startsWith('gated') && decay !== undefined) {
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++) {
              const n = place(b, h, i, j);
              state.data[n] = at(state.data, n) * Math.exp(entry(decay, b, l, h, i));
            }
          }
        }
        for (let j = 0; j < columns; j++) {
          let value = get(v, [b, l, h * columns + j]);
          if (rule.endsWith('delta') && beta !== undefined) {
            const held = key.reduce((sum, x, i) => sum + x * at(state.data, place(b, h, i, j)), 0);
            value = entry(beta, b, l, h, 0) * (value - held);
          }
          key.forEach((x, i) => {
            const n = place(b, h, i, j);
            state.data[n] = at(state.data, n) + x * value;
          });
        }
      }
      for (let h = 0; h < queryHeads; h++) {
        const group = Math.floor((h * heads) / queryHeads);
        for (let j = 0; j < columns; j++) {
          let sum = 0;
          for (let i = 0; i < rows; i++) {
            sum += get(q, [b, l, h * rows + i]) * at(state.data, place(b, group, i, j));
          }
          y.data[(b * length + l) * queryHeads * columns + h * columns + j] = scale * sum;
        }
      }
    }
  }
  return [y, state];
};
