/** Operators: picking and placing by index. */
import type { OpSchema } from './schema.js';

export const gatherSchemas = {} as const satisfies Record<string, OpSchema>;
