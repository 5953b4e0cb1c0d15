/**
 * Text that others wrote (models, servers, errors of trials) on its way to a model, a record or a
 * person: bounded, on one line, without characters that steer terminals or reorder text, and without
 * the key.
 */
import type { Json } from '../../trial/trial.js';

/** Control and formatting characters, bidirectional overrides among them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

/** At most `limit` characters of a text, and how many more there are. */
export function quoteText(text: string, limit = 300): string {
  const plain = text.slice(0, 4 * limit).replaceAll(UNPRINTABLE, ' ');
  if (plain.length <= limit && text.length <= 4 * limit) return plain;
  return `${plain.slice(0, limit)}… (${text.length - limit} more characters)`;
}

/** The value with every string in it quoted, keys included, and lists and depth bounded. */
export function quoteJson(value: Json, limit = 300, depth = 8): Json {
  if (typeof value === 'string') return quoteText(value, limit);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value))
    return value.slice(0, 64).map((one) => quoteJson(one, limit, depth - 1));
  const entries = Object.entries(value).slice(0, 64);
  return Object.fromEntries(
    entries.map(([key, one]) => [quoteText(key, 64), quoteJson(one, limit, depth - 1)]),
  );
}

/** Takes the key out of a text. */
export type Redact = (text: string) => string;

/** Knows the key as it is, and in the base64 that some servers log. */
export function createRedactor(key: string | undefined): Redact {
  if (key === undefined) return (text) => text;
  const base64 = Buffer.from(key).toString('base64').replace(/=+$/, '');
  return (text) => text.replaceAll(key, '[key]').replaceAll(base64, '[key]');
}

/** JSON without the key in any string or name. */
export function redactJson(value: Json, redact: Redact): Json {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => redactJson(one, redact));
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [redact(name), redactJson(one, redact)]),
  );
}
