/** Operators: recurrent layers. */
import type { OpSchema } from './schema.js';

export const recurrentSchemas = {} as const satisfies Record<string, OpSchema>;
