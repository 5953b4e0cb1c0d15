/** The search spaces that a configuration can name. */
import type { Choosing } from '../memory/memory.js';
import { createCellSpace } from '../space/cell.js';
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

/** How the architectures of a space are made of decisions, whatever the task they are legal for. */
export function choosingOf(kind: SpaceKind): Choosing {
  if (kind === 'conv') {
    return { decisions: convDecisions, choices: (json) => convChoices(parseGenes(json)) };
  }
  const { decisions, parse, choices } = createSpace(kind, ANY_TASK);
  return { decisions, choices: (json) => choices(parse(json)) };
}
