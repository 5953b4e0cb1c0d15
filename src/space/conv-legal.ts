/**
 * What of the genes fits a task. Strides stop where the feature map would get too small, and kernels
 * shrink to taps that can see more than padding; both follow from the genes before them, so that
 * `withLegalGenes` is idempotent.
 */
import { UsageError } from '../errors.js';
import { type ConvArchitecture, genePath, KERNELS, parseGenes } from './conv-architecture.js';
import type { TaskShape } from './space.js';

/** Least side of a feature map that a stride may leave. */
const MIN_SIDE = 2;

/** The architecture with strides and kernels that the task's feature maps are too small for reduced. */
export function withLegalGenes(architecture: ConvArchitecture, task: TaskShape): ConvArchitecture {
  let side = Math.min(task.height, task.width);
  const withLimits = <T extends { readonly stride: number; readonly kernel: number }>(
    genes: T,
  ): T => {
    const stride = Math.ceil(side / genes.stride) < MIN_SIDE ? 1 : genes.stride;
    side = Math.ceil(side / stride);
    const kernel = Math.min(genes.kernel, Math.max(KERNELS[0], 2 * side - 1));
    return { ...genes, stride, kernel };
  };
  const stem = withLimits(architecture.stem);
  return freeze({ ...architecture, stem, stages: architecture.stages.map(withLimits) });
}

/** Checks foreign JSON against the space and the task; throws `UsageError` with the gene's path. */
export function parseConvArchitecture(json: unknown, task: TaskShape): ConvArchitecture {
  const given = parseGenes(json);
  const legal = withLegalGenes(given, task);
  const parts = [
    { path: ['stem'], received: given.stem, expected: legal.stem },
    ...given.stages.map((received, i) => {
      return { path: ['stages', i], received, expected: legal.stages[i] ?? received };
    }),
  ];
  for (const { path, received, expected } of parts) {
    for (const gene of ['stride', 'kernel'] as const) {
      if (received[gene] === expected[gene]) continue;
      throw new UsageError(
        `${genePath([...path, gene])}: expected at most ${expected[gene]}, since the feature map of a ` +
          `${task.height}×${task.width} image is too small there; received ${received[gene]}`,
      );
    }
  }
  return legal;
}

/** Whether two architectures are the same point of the space. */
export function isSameArchitecture(a: ConvArchitecture, b: ConvArchitecture): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function freeze(architecture: ConvArchitecture): ConvArchitecture {
  Object.freeze(architecture.stem);
  Object.freeze(architecture.head);
  for (const stage of architecture.stages) Object.freeze(stage);
  Object.freeze(architecture.stages);
  return Object.freeze(architecture);
}
