/** Reading of configuration files (YAML or JSON), with one-line complaints that name file and line. */
import { readFile } from 'node:fs/promises';
import { isMap, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { errorMessage, UsageError } from '../errors.js';
import { type Config, configJsonSchema, configSchema } from './config-schema.js';
import { closest } from './suggest.js';

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
