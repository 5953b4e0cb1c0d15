/**
 * Colours that order the operands of commutative operators: Weisfeiler–Lehman refinement over the
 * terms, upward (what a term computes) and downward (who uses it), until no more terms can be told
 * apart. Operands that still share a colour are taken to be symmetric; one of them is singled out
 * and the refinement goes on, as in canonical labelling without backtracking.
 *
 * B. Weisfeiler, A. Lehman, "The reduction of a graph to canonical form", 1968.
 */
import type { Ref, Term, Terms } from './term.js';

/** One colour per term; the operands of a commutative term differ unless they are the same. */
export function colourTerms({ terms, roots }: Terms): readonly number[] {
  let colours = refine(
    terms,
    roots,
    terms.map(({ label }) => digestText(label)),
  );
  for (;;) {
    const tied = terms.flatMap((term) => tiesOf(term, colours));
    if (tied.length === 0) return colours;
    const chosen = tied.reduce((a, b) => (colourAt(colours, b) < colourAt(colours, a) ? b : a));
    colours = refine(terms, roots, colours.with(chosen, digest([colourAt(colours, chosen), 1])));
  }
}

/** Operands in canonical order: as given, or by colour where they may change places. */
export function orderOperands(term: Term, colours: readonly number[]): readonly Ref[] {
  if (!term.commutes) return term.operands;
  return term.operands.toSorted(
    (a, b) => colourAt(colours, a.term) - colourAt(colours, b.term) || a.output - b.output,
  );
}

const colourAt = (colours: readonly number[], term: number) => colours[term] as number;

/** Terms among the operands that share colour and output with another. */
function tiesOf(term: Term, colours: readonly number[]): number[] {
  if (!term.commutes) return [];
  const ordered = orderOperands(term, colours);
  return ordered.flatMap((a, i) => {
    const b = ordered[i + 1];
    const isTie =
      b !== undefined &&
      a.term !== b.term &&
      a.output === b.output &&
      colourAt(colours, a.term) === colourAt(colours, b.term);
    return isTie ? [a.term] : [];
  });
}

function refine(terms: readonly Term[], roots: readonly Ref[], start: readonly number[]): number[] {
  let colours = [...start];
  for (let count = 0; ; ) {
    colours = downward(terms, roots, upward(terms, colours));
    const distinct = new Set(colours).size;
    if (distinct === count) return colours;
    count = distinct;
  }
}

/** Each term with its operands. */
function upward(terms: readonly Term[], colours: readonly number[]): number[] {
  const result: number[] = [];
  terms.forEach((term, i) => {
    const operands = term.operands.map((ref) => digest([colourAt(result, ref.term), ref.output]));
    if (term.commutes) operands.sort((a, b) => a - b);
    result.push(digest([colourAt(colours, i), ...operands]));
  });
  return result;
}

/** Each term with its readers and the slots in which they read it. */
function downward(terms: readonly Term[], roots: readonly Ref[], colours: readonly number[]) {
  const readers: number[][] = terms.map(() => []);
  roots.forEach((ref, i) => {
    readers[ref.term]?.push(digest([i, ref.output]));
  });
  const result = [...colours];
  for (let i = terms.length - 1; i >= 0; i--) {
    const term = terms[i] as Term;
    const seen = (readers[i] as number[]).sort((a, b) => a - b);
    const colour = digest([colourAt(colours, i), ...seen]);
    result[i] = colour;
    term.operands.forEach((ref, slot) => {
      readers[ref.term]?.push(digest([colour, term.commutes ? -1 : slot, ref.output]));
    });
  }
  return result;
}

const HALF = 2 ** 32;

/** 53 bits that depend on every number and their order. A collision only costs a missed tie. */
function digest(values: readonly number[]): number {
  let low = 0x9e3779b9 ^ values.length;
  let high = 0x85ebca6b;
  for (const value of values) {
    low = Math.imul(low ^ (value % HALF), 0xcc9e2d51);
    high = Math.imul(high ^ Math.floor(value / HALF) ^ (low >>> 15), 0x1b873593);
    low = Math.imul(low ^ (high >>> 13) ^ (low >>> 16), 0x85ebca6b);
  }
  low ^= low >>> 16;
  high = Math.imul(high ^ (high >>> 16) ^ low, 0xc2b2ae35);
  return ((high ^ (high >>> 15)) & 0x1fffff) * HALF + (low >>> 0);
}

function digestText(text: string): number {
  return digest(Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)));
}
