/** Operators: losses and updates that are operators. */
import type { OpSchema } from './schema.js';

export const criterionSchemas = {} as const satisfies Record<string, OpSchema>;
