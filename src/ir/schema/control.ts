/** Operators: graphs within a node: If, Loop, Scan. */
import type { OpSchema } from './schema.js';

export const controlSchemas = {} as const satisfies Record<string, OpSchema>;
