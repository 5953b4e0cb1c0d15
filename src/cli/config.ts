/**
 * The configuration of a search: one page of YAML (or JSON) that says what space, data, device and
 * limits. The zod schema below is the only definition: it validates, fills the defaults, and is
 * published as JSON Schema for editors (`archwright schema`).
 */
import { readFile } from 'node:fs/promises';
import { isMap, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { errorMessage, UsageError } from '../errors.js';
import { closest } from './suggest.js';

const metricNames = [
  'accuracy',
  'latencyMs',
  'params',
  'macs',
  'weightsBytes',
  'activationPeakBytes',
  'arenaPeakBytes',
  'processPeakBytes',
] as const;

const count = z.int().positive();
const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(s|m|h)$/, 'expected a duration such as 90s, 15m or 3h');

const bound = z.union([
  z.number(),
  z.strictObject({
    baseline: z.string().describe('Name of a human baseline, such as lenet5'),
    factor: z.number().positive().describe("The limit is this many times the baseline's value"),
  }),
]);

const dataSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('glyphs').describe('Generated 28×28 images in 10 classes; needs no download'),
    train: count.optional(),
    search: count.optional(),
    hidden: count.optional(),
    seed: z.int().nonnegative().optional(),
  }),
  z.strictObject({
    kind: z.enum(['idx', 'cifar10']).describe('MNIST-like IDX files, or CIFAR-10 binary files'),
    dir: z.string().optional().describe('Folder of the files; the --data flag overrides it'),
    train: count.optional(),
    search: count.optional(),
    hidden: count.optional(),
    seed: z.int().nonnegative().optional(),
  }),
]);

const trainSchema = z.strictObject({
  optimizer: z.enum(['sgd', 'adamw']).default('sgd'),
  learningRate: z.number().positive().default(0.05),
  momentum: z.number().min(0).max(0.999).default(0.9),
  weightDecay: z.number().min(0).default(5e-4),
  labelSmoothing: z.number().min(0).max(0.9).default(0.05),
  clipNorm: z.number().positive().default(5),
  warmupFraction: z.number().min(0).max(0.9).default(0.1),
  batch: count.default(64),
  epochs: z
    .strictObject({
      short: z.number().positive().describe('Epochs of the short training'),
      long: z.number().positive().describe('Further epochs for promising candidates'),
    })
    .prefault({ short: 1, long: 3 }),
  threads: count.optional().describe('Default: all cores'),
});

const deviceSchema = z.strictObject({
  kind: z.literal('cpu').default('cpu'),
  threads: count.optional().describe('Threads of the measured model; default: all cores'),
  measureSeconds: z.number().positive().default(2).describe('Time budget of one measurement'),
});

const agentSchema = z.union([
  z.enum(['random', 'evolution']),
  z.strictObject({
    kind: z.literal('evolution'),
    population: count.optional(),
    tournament: count.optional(),
    crossover: z.number().min(0).max(1).optional(),
  }),
]);

export const configSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]+$/, 'expected letters, digits, dot, dash or underscore')
    .optional()
    .describe('Name of the run and of its folder'),
  seed: z.int().nonnegative().default(0),
  space: z.strictObject({ kind: z.literal('conv') }).prefault({ kind: 'conv' }),
  data: dataSchema,
  train: trainSchema.prefault({}),
  device: deviceSchema.prefault({}),
  objectives: z
    .array(
      z.strictObject({
        metric: z.enum(metricNames),
        direction: z.enum(['maximize', 'minimize']),
      }),
    )
    .min(1)
    .default([
      { metric: 'accuracy', direction: 'maximize' },
      { metric: 'latencyMs', direction: 'minimize' },
    ]),
  constraints: z
    .array(
      z
        .strictObject({ metric: z.enum(metricNames), max: bound.optional(), min: bound.optional() })
        .refine((c) => c.max !== undefined || c.min !== undefined, 'expected max or min'),
    )
    .default([]),
  agents: z.array(agentSchema).min(1).default(['evolution', 'random']),
  budget: z
    .strictObject({ time: duration.optional(), trials: count.optional() })
    .refine((b) => b.time !== undefined || b.trials !== undefined, 'expected time or trials')
    .prefault({ time: '3m' }),
  accept: z
    .strictObject({
      sigmas: z.number().min(0).default(2).describe('A champion wins by more than this many σ'),
      seeds: z.int().min(2).default(2).describe('Paired retrainings per champion'),
      champions: count.default(4).describe('Most champions per agent that are retrained'),
    })
    .prefault({}),
  guard: z
    .strictObject({
      maxParams: count.default(20_000_000),
      maxMacs: count.default(2_000_000_000),
      maxActivationBytes: count.default(256 * 1024 * 1024),
      maxNodes: count.default(2000),
      trialSeconds: z.number().positive().default(600).describe('A stage that takes longer fails'),
    })
    .prefault({}),
});

/** What a person writes. */
export type ConfigInput = z.input<typeof configSchema>;
/** The same with every default filled in. */
export type Config = z.output<typeof configSchema>;

/** Reads and validates a configuration file. Throws `UsageError`: one line with file, line, path. */
export async function loadConfig(path: string): Promise<Config> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${errorMessage(error)}`, { cause: error });
  }
  return parseConfigText(text, path);
}

/** Validates the text of a configuration; `path` is for messages. */
export function parseConfigText(text: string, path: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = document.errors[0];
  if (broken !== undefined) {
    throw new UsageError(`${path}: ${broken.message.split('\n')[0]}`, { cause: broken });
  }
  if (!isMap(document.contents)) {
    throw new UsageError(`${path}: expected a map of sections (space, data, …), received none`);
  }
  const place = (keys: readonly PropertyKey[]): string => {
    const node: unknown = document.getIn(keys, true);
    const range = (node as { range?: [number, number, number] } | undefined)?.range;
    return range ? `${path}:${lines.linePos(range[0]).line}` : path;
  };
  return parseConfig(document.toJS(), place);
}

/** Validates a configuration value; `place` names where a key path stands, for messages. */
export function parseConfig(
  value: unknown,
  place: (keys: readonly PropertyKey[]) => string = () => 'config',
): Config {
  const result = configSchema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = deepest(result.error.issues[0] as z.core.$ZodIssue);
  const keys = issue.path;
  const at = (path: readonly PropertyKey[]) => formatPath(path) || 'the file';
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] as string;
    const known = knownKeys(keys, value);
    const hint = closest(key, known);
    const advice = hint ? `did you mean ${hint}?` : `expected one of ${known.join(', ')}`;
    throw new UsageError(`${place([...keys, key])}: ${at([...keys, key])}: unknown key; ${advice}`);
  }
  const received = describeValue(issue.input);
  const message = issue.message
    .replace(/^Invalid (input|option): /, '')
    .replace(/^Invalid discriminator value. Expected/, 'expected')
    .replace(/, received .*$/, '');
  const told = message.startsWith('expected') ? message : `expected ${message}`;
  throw new UsageError(`${place(keys)}: ${at(keys)}: ${told}, received ${received}`);
}

/** The JSON Schema of a configuration file, for editors. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: 'input' });
}

/** Inside a union, the complaint of the branch that came furthest says most. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.map((branch) => branch[0]).filter((i) => i !== undefined);
  const best = inner.sort((a, b) => b.path.length - a.path.length)[0];
  if (best === undefined) return issue;
  const nested = deepest({ ...best, path: [...issue.path, ...best.path] } as z.core.$ZodIssue);
  if (nested.path.length > issue.path.length || nested.code === 'unrecognized_keys') return nested;
  const expectations = inner
    .map((i) => i.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, ''))
    .map((text) => text.replace(/^expected /, ''));
  return { ...nested, message: `expected ${[...new Set(expectations)].join(', or ')}` };
}

function knownKeys(path: readonly PropertyKey[], value: unknown): string[] {
  let schemas: JsonSchema[] = [configJsonSchema() as JsonSchema];
  let at: unknown = value;
  for (const key of path) {
    schemas = schemas.flatMap(branches).flatMap((s) => {
      const child = typeof key === 'number' ? s.items : s.properties?.[String(key)];
      return child === undefined ? [] : [child];
    });
    at = (at as Record<PropertyKey, unknown> | undefined)?.[key];
  }
  const kind = (at as { kind?: unknown } | undefined)?.kind;
  const fitting = schemas.flatMap(branches).filter((s) => {
    const allowed = s.properties?.kind;
    if (kind === undefined || allowed === undefined) return true;
    return allowed.const === kind || allowed.enum?.includes(kind) === true;
  });
  return [...new Set(fitting.flatMap((s) => Object.keys(s.properties ?? {})))];
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
}

function branches(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((k, i) => (typeof k === 'number' ? `[${k}]` : `${i ? '.' : ''}${String(k)}`))
    .join('');
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
