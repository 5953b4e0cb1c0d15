/** What the binary and the textual form of a model have in common around and inside the graph. */

/** IR version of what we write: that of ONNX 1.10 to 1.12, and of opset 17. */
export const IR_VERSION = 8;

/** Metadata key that stands for the model's `doc_string`, a field of its own in ONNX. */
export const DOC_KEY = 'doc_string';

/** A node as it was read: without a name (`''` or absent), or with one that others have too. */
export interface NamedLoosely {
  readonly name: string;
  readonly op: string;
  readonly outputs: readonly string[];
}

/**
 * One unique name per node. A node keeps its name if it is the first to have it, else a number is
 * added; a nameless node takes the name of its first output.
 */
export function uniqueNodeNames(nodes: readonly NamedLoosely[]): string[] {
  const given = new Set(nodes.map(({ name }) => name));
  const taken = new Set<string>();
  return nodes.map(({ name, op, outputs }) => {
    const hint = name || outputs[0] || op;
    let unique = hint;
    for (let n = 2; taken.has(unique) || (name === '' && given.has(unique)); n++) {
      unique = `${hint}_${n}`;
    }
    taken.add(unique);
    return unique;
  });
}

/**
 * The shortest decimal number whose nearest float32 is `value`'s: 1e-5, not 9.999999747378752e-6.
 * Float attributes are float32 in ONNX and doubles here; in this form a number that a person wrote
 * comes back from a file as it was written. Infinities and NaN stay themselves.
 */
export function shortestFloat32(value: number): number {
  const target = Math.fround(value);
  if (!Number.isFinite(target) || target === 0) return target;
  // Six digits hold in any normal float32, so none less is shorter once printed; subnormals hold fewer.
  for (let digits = Math.abs(target) < 2 ** -126 ? 1 : 6; digits < 9; digits++) {
    const candidate = Number(target.toPrecision(digits));
    if (Math.fround(candidate) === target) return candidate;
  }
  return Number(target.toPrecision(9));
}

/** The int64 nearest to an integral double. */
export function clampInt64(value: number): bigint {
  const exact = BigInt(value);
  if (exact > INT64_MAX) return INT64_MAX;
  return exact < INT64_MIN ? INT64_MIN : exact;
}

const INT64_MAX = 0x7fff_ffff_ffff_ffffn;
const INT64_MIN = -0x8000_0000_0000_0000n;
