/**
 * Text as sequences of characters for a language model: each row has T characters, and as targets the
 * ones that follow them. Splits are stretches of the text, so that none of them has seen another's end.
 */
import { UsageError } from '../errors.js';
import type { ArrayDataset, ArraySplit } from './arrays.js';
import { TARGET_COLUMN } from './arrays.js';
import { readBytes } from './files.js';

/** Share of the text that the search split and the hidden split get each, from its end. */
const HELD_OUT = 0.1;

/**
 * Rows of `length` characters for the model's input `input`; class k is the k-th of the characters
 * that occur, in the order of their codes. Throws `UsageError` for a text that is too short.
 */
export async function loadText(
  path: string,
  input: string,
  length: number,
): Promise<ArrayDataset & { readonly classes: readonly string[] }> {
  const text = [...new TextDecoder().decode(await readBytes(path))];
  const classes = [...new Set(text)].sort();
  const codes = new Map(classes.map((character, k) => [character, k]));
  const tokens = Int32Array.from(text, (character) => codes.get(character) as number);
  const held = Math.floor(HELD_OUT * tokens.length);
  const ends = [tokens.length - 2 * held, tokens.length - held, tokens.length] as const;
  const part = (from: number, to: number): ArraySplit => {
    // The last character of a stretch is only a target.
    const count = Math.floor((to - from - 1) / length);
    if (count < 1) {
      throw new UsageError(
        `${path}: expected a text of at least ${Math.ceil((length + 1) / HELD_OUT)} characters for ` +
          `sequences of ${length}, received ${tokens.length}`,
      );
    }
    const column = (name: string, offset: number) => ({
      name,
      dtype: 'int32' as const,
      rowDims: [length],
      data: tokens.slice(from + offset, from + offset + count * length),
    });
    return { count, columns: [column(input, 0), column(TARGET_COLUMN, 1)] };
  };
  return {
    name: path,
    classes,
    train: part(0, ends[0]),
    search: part(ends[0], ends[1]),
    hidden: part(ends[1], ends[2]),
  };
}
