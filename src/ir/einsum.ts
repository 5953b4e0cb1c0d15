/**
 * Equations of Einsum, as numpy.einsum has them: one letter per axis, `...` for any further axes
 * (aligned at the last), and without `->` an output of the letters that occur once, in their order.
 */

/** Labels of each axis. Those of an ellipsis are `.0` for the last axis it stands for, `.1` before. */
export interface EinsumLabels {
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** The labels of an equation for operands of these ranks, or what is wrong with it. */
export function parseEinsum(equation: string, ranks: readonly number[]): EinsumLabels | string {
  const compact = equation.replaceAll(' ', '');
  const form = /^([A-Za-z.,]*)(?:->([A-Za-z.]*))?$/.exec(compact);
  if (form === null) return `expected an equation of letters, received ${equation}`;
  const terms = (form[1] as string).split(',');
  if (terms.length !== ranks.length) {
    return `expected ${ranks.length} terms in ${equation}, received ${terms.length}`;
  }
  let further = 0;
  const operands: string[][] = [];
  for (const [i, term] of terms.entries()) {
    const rank = ranks[i] as number;
    const letters = term.replace('...', '');
    const rest = rank - letters.length;
    const fits = term.includes('...') ? rest >= 0 : rest === 0;
    if (letters.includes('.') || !fits) {
      return `expected a term for ${rank} axes in ${equation}, received ${term}`;
    }
    further = Math.max(further, rest);
    operands.push(labelsOf(term, rest));
  }
  const output = labelsOf(form[2] ?? implicitOutput(operands), further);
  const unknown = output.find(
    (label, i) => !operands.some((o) => o.includes(label)) || output.indexOf(label) !== i,
  );
  if (unknown !== undefined) {
    return `expected each output label of ${equation} once and in a term, received ${unknown}`;
  }
  return { operands, output };
}

function labelsOf(term: string, further: number): string[] {
  const [before = '', after] = term.split('...');
  if (after === undefined) return [...before];
  return [...before, ...Array.from({ length: further }, (_, i) => `.${further - 1 - i}`), ...after];
}

function implicitOutput(operands: readonly (readonly string[])[]): string {
  const all = operands.flat().filter((label) => !label.startsWith('.'));
  return `...${all
    .filter((label) => all.indexOf(label) === all.lastIndexOf(label))
    .sort()
    .join('')}`;
}
