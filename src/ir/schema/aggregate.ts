/** Operators: further reductions and running sums. */
import type { OpSchema } from './schema.js';

export const aggregateSchemas = {} as const satisfies Record<string, OpSchema>;
