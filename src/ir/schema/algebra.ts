/** Operators: further products, transforms and determinants. */
import type { OpSchema } from './schema.js';

export const algebraSchemas = {} as const satisfies Record<string, OpSchema>;
