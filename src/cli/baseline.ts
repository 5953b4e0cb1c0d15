/** Reading an earlier `archwright bench --json`, to compare with. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { errorMessage, UsageError } from '../errors.js';
import { explainMismatch, type MeasuredAt } from '../measure/compare-baseline.js';

/** A measurement of an earlier run, and which model it was of. */
export interface Baseline extends MeasuredAt {
  readonly model: string;
}

const resultSchema = z.looseObject({
  model: z.string(),
  device: z.string(),
  provider: z.string(),
  threads: z.number(),
  inputs: z.record(z.string(), z.object({ shape: z.array(z.number()), type: z.string() })),
  mode: z.object({ cache: z.string(), everyMs: z.number().nullable() }),
  latencyMs: z.looseObject({ p50: z.number(), ci95: z.tuple([z.number(), z.number()]) }),
  correctedMs: z.object({ p50: z.number() }),
});

const documentSchema = z.looseObject({
  schema: z.literal('archwright.bench/1'),
  host: z.record(z.string(), z.unknown()),
  results: z.array(resultSchema).min(1),
});

/**
 * The measurement in the file at `path` to compare `model` with: the only one, or the one of a file
 * of the same name. Throws `UsageError` where there is none.
 */
export async function readBaseline(path: string, model: string): Promise<Baseline> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${path}: expected what bench --json printed: ${errorMessage(error)}`);
  }
  const parsed = documentSchema.safeParse(content);
  if (!parsed.success) {
    const { path: where, message } = parsed.error.issues[0] as z.core.$ZodIssue;
    throw new UsageError(
      `${path}: expected what bench --json printed: ${where.join('.') || 'document'}: ${message}`,
    );
  }
  const { host, results } = parsed.data;
  const found =
    results.length === 1
      ? results[0]
      : results.find((result) => basename(result.model) === basename(model));
  if (found === undefined) {
    const names = results.map((result) => result.model).join(', ');
    throw new UsageError(`${path}: expected a result of ${basename(model)}, received ${names}`);
  }
  // What the schema has checked are the fields that a comparison reads.
  return { model: found.model, host, result: found as unknown as MeasuredAt['result'] };
}

/** Throws `UsageError` unless the two were measured under the same circumstances. */
export function requireComparable(path: string, now: MeasuredAt, baseline: MeasuredAt): void {
  const differing = explainMismatch(now, baseline);
  if (differing.length === 0) return;
  throw new UsageError(
    `--baseline ${path}: measured under other circumstances, now and then: ${differing.join(', ')}; ` +
      'measure the baseline anew, or compare the two models',
  );
}
