/** The search spaces that a configuration can name. */
import type { Choosing } from '../memory/memory.js';
import { createCellSpace } from '../space/cell.js';
import { columnChoices, parseRow } from '../space/columns.js';
import { createConvSpace } from '../space/conv.js';
import { parseGenes } from '../space/conv-architecture.js';
import { convChoices, convDecisions } from '../space/conv-choices.js';
import type { Space, TaskShape } from '../space/space.js';
import type { Json } from '../trial/trial.js';

const makers = {
  conv: (task: TaskShape) => createConvSpace(task) as unknown as Space<Json>,
  cell: (task: TaskShape) => createCellSpace(task) as unknown as Space<Json>,
};

export type SpaceKind = keyof typeof makers;
export const spaceKinds = Object.keys(makers) as [SpaceKind, ...SpaceKind[]];

/** A space for a task. Architectures are JSON; whatever comes from outside goes through `parse`. */
export function createSpace(kind: SpaceKind, task: TaskShape): Space<Json> {
  return makers[kind](task);
}

/** A task to make a space for where nobody looks at the decoded networks: that of CIFAR-10. */
export const ANY_TASK: TaskShape = { channels: 3, height: 32, width: 32, classes: 10 };

/** A space as a configuration names it: a known one, or one that columns of a table span. */
export type SpaceChoice =
  | { readonly kind: SpaceKind }
  | { readonly kind: 'columns'; readonly decisions: readonly string[] };

/**
 * How architectures are made of decisions, whatever the task they are legal for.
 * @param architectures all that are asked about: columns have the values that occur in them.
 */
export function choosingOf(space: SpaceChoice, architectures: readonly Json[]): Choosing {
  if (space.kind === 'columns') {
    const names = space.decisions;
    const rows = architectures.map((one) => parseRow(one, names));
    const { decisions, choices } = columnChoices(names, rows);
    return { decisions, choices: (json) => choices(parseRow(json, names)) };
  }
  if (space.kind === 'conv') {
    return { decisions: convDecisions, choices: (json) => convChoices(parseGenes(json)) };
  }
  const { decisions, parse, choices } = createSpace(space.kind, ANY_TASK);
  return { decisions, choices: (json) => choices(parse(json)) };
}
