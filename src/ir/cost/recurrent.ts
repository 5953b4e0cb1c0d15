/** Costs: recurrent layers. */
import type { recurrentSchemas } from '../schema/recurrent.js';
import { type CostRule, sizeOf } from './rule.js';

/**
 * Each of the T·N steps multiplies the input by W [D,gates·H,I] and the state by R [D,gates·H,H]. x is
 * [T,N,I] or [N,T,I].
 */
const recurrent: CostRule = {
  macs: ({ inputs: [x, w, r] }) => sizeOf(x?.slice(0, 2)) * (sizeOf(w) + sizeOf(r)),
  reads: 'all',
  output: 'new',
};

export const recurrentCosts: Readonly<Record<keyof typeof recurrentSchemas, CostRule>> = {
  GRU: recurrent,
  LSTM: recurrent,
  RNN: recurrent,
};
