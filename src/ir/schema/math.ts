/** Operators: element by element: trigonometry, rounding, bits, further activations. */
import type { OpSchema } from './schema.js';

export const mathSchemas = {} as const satisfies Record<string, OpSchema>;
