/** Operators: arithmetic on quantised tensors. */
import type { OpSchema } from './schema.js';

export const quantizedSchemas = {} as const satisfies Record<string, OpSchema>;
