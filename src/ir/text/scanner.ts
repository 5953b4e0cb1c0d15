/** Reads the ONNX textual syntax character by character; every complaint says where. */
import { UsageError } from '../../errors.js';
import { isFloatWord } from './syntax.js';

/** A literal, its number or unescaped string still as text. */
export interface Literal {
  readonly kind: 'int' | 'float' | 'string';
  readonly text: string;
}

const space = /(?:\s+|#[^\n]*)*/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /-?\d+(\.\d*)?([eE][+-]?\d+)?/y;
const specialFloat = /-?[A-Za-z]+/y;

export class Scanner {
  #at = 0;

  constructor(readonly text: string) {}

  /** Whether only space and comments are left. */
  get atEnd(): boolean {
    return this.#skip() === this.text.length;
  }

  /** The next character that is not space; empty at the end. */
  get next(): string {
    return this.text.charAt(this.#skip());
  }

  /** The identifier that comes next, not taken; empty when none does. */
  get nextWord(): string {
    this.#skip();
    return this.#match(word)?.[0] ?? '';
  }

  /** Position for `fail`, before the next token. */
  get position(): number {
    return this.#skip();
  }

  /** Takes `token` if it comes next. */
  take(token: string): boolean {
    if (!this.text.startsWith(token, this.#skip())) return false;
    this.#at += token.length;
    return true;
  }

  /** Takes `token`, which must come next. */
  expect(token: string, what = `'${token}'`): void {
    if (!this.take(token)) this.fail(what);
  }

  /** Takes an identifier. */
  word(what: string): string {
    return this.#taken(word)?.[0] ?? this.fail(what);
  }

  /** Takes an identifier or a quoted name; undefined when neither comes. */
  optionalName(): string | undefined {
    return this.next === '"' ? this.#quoted() : this.#taken(word)?.[0];
  }

  /** Takes an identifier or a quoted name. */
  name(what: string): string {
    return this.optionalName() ?? this.fail(what);
  }

  /** Takes a quoted string. */
  string(what: string): string {
    return this.next === '"' ? this.#quoted() : this.fail(what);
  }

  /** Takes a number or a quoted string. */
  literal(what: string): Literal {
    if (this.next === '"') return { kind: 'string', text: this.#quoted() };
    const match = this.#taken(number);
    if (match !== undefined) {
      const isInt = match[1] === undefined && match[2] === undefined;
      return { kind: isInt ? 'int' : 'float', text: match[0] };
    }
    const special = this.#match(specialFloat)?.[0];
    if (special === undefined || !isFloatWord(special.replace('-', ''))) return this.fail(what);
    this.#at += special.length;
    return { kind: 'float', text: special };
  }

  /** Takes an integer. */
  int(what: string): bigint {
    const from = this.position;
    const { kind, text } = this.literal(what);
    return kind === 'int' ? BigInt(text) : this.fail(what, from);
  }

  /** Throws: at `position`, `what` was expected; `received` is by default the token there. */
  fail(what: string, position = this.#skip(), received = this.#describe(position)): never {
    const before = this.text.slice(0, position).split('\n');
    const line = `line ${before.length}:${(before.at(-1) as string).length + 1}`;
    throw new UsageError(`${line}: expected ${what}, received ${received}`);
  }

  #describe(position: number): string {
    const token = /^(?:[A-Za-z0-9_.]+|"[^"\n]{0,40}"?|[\s\S])/.exec(this.text.slice(position))?.[0];
    return token === undefined ? 'the end of the text' : `'${token.slice(0, 40)}'`;
  }

  #skip(): number {
    space.lastIndex = this.#at;
    space.exec(this.text);
    this.#at = space.lastIndex;
    return this.#at;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.text) ?? undefined;
  }

  #taken(pattern: RegExp): RegExpExecArray | undefined {
    this.#skip();
    const match = this.#match(pattern);
    this.#at += match?.[0].length ?? 0;
    return match;
  }

  /** The string at a quote. A loop, since a pattern would backtrack where the quote never closes. */
  #quoted(): string {
    const start = this.#at + 1;
    let end = start;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    if (end >= this.text.length) return this.fail('a closing quote', this.text.length);
    this.#at = end + 1;
    return this.text.slice(start, end).replace(/\\([\s\S])/g, '$1');
  }
}
