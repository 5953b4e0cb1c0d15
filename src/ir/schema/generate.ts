/** Operators: what makes tensors: ranges, random draws, windows. */
import type { OpSchema } from './schema.js';

export const generateSchemas = {} as const satisfies Record<string, OpSchema>;
