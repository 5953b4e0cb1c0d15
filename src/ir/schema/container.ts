/** Operators: sequences, optionals, text and tables of classical models. */
import type { OpSchema } from './schema.js';

export const containerSchemas = {} as const satisfies Record<string, OpSchema>;
