/** Operators: attention and what belongs to it. */
import type { OpSchema } from './schema.js';

export const attentionSchemas = {} as const satisfies Record<string, OpSchema>;
