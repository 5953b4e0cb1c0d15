/**
 * Costs: graphs within a node: If, Loop, Scan. A node costs what its bodies do, as often as they run;
 * an If whose condition is not known costs as much as the dearer branch. The bodies' nodes read and
 * write, the node itself only passes values on.
 */
import type { controlSchemas } from '../schema/control.js';
import { type CostRule, moving } from './rule.js';

export const controlCosts: Readonly<Record<keyof typeof controlSchemas, CostRule>> = {
  If: moving,
  Loop: moving,
  Scan: moving,
};

/** Multiply–accumulates and bytes. */
export interface Work {
  readonly macs: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export const noWork: Work = { macs: 0, bytesRead: 0, bytesWritten: 0 };

/** The work of one run of a body, and how often it runs. */
export interface BodyWork {
  readonly work: Work;
  readonly runs: number | undefined;
}

/** Work of all nodes together, each `times`. */
export function sumWork(all: readonly Work[], times = 1): Work {
  const sum = (pick: (work: Work) => number) =>
    times * all.reduce((total, work) => total + pick(work), 0);
  return {
    macs: sum(({ macs }) => macs),
    bytesRead: sum(({ bytesRead }) => bytesRead),
    bytesWritten: sum(({ bytesWritten }) => bytesWritten),
  };
}

/** Work of a node by its bodies; undefined where it is not known how often one runs. */
export function workOfBodies(op: string, bodies: readonly BodyWork[]): Work | undefined {
  if (op === 'If' && bodies.every(({ runs }) => runs === undefined)) {
    const most = (pick: (work: Work) => number) => Math.max(0, ...bodies.map((b) => pick(b.work)));
    return {
      macs: most(({ macs }) => macs),
      bytesRead: most(({ bytesRead }) => bytesRead),
      bytesWritten: most(({ bytesWritten }) => bytesWritten),
    };
  }
  let total = noWork;
  for (const { work, runs } of bodies) {
    if (runs === undefined) return undefined;
    total = sumWork([total, sumWork([work], runs)]);
  }
  return total;
}
