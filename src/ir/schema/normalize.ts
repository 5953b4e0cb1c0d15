/** Operators: further normalisations. */
import type { OpSchema } from './schema.js';

export const normalizeSchemas = {} as const satisfies Record<string, OpSchema>;
