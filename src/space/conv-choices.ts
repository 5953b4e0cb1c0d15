/** Architectures of the conv space as lists of choices, and as numbers for statistical models. */
import {
  ACTIVATIONS,
  BLOCKS,
  type ConvArchitecture,
  DEPTHS,
  EXPANSIONS,
  HIDDEN_WIDTHS,
  KERNELS,
  MAX_STAGES,
  MIN_STAGES,
  NORMS,
  POOLS,
  STEM_WIDTHS,
  STRIDES,
  type Stage,
  WIDTHS,
} from './conv-architecture.js';
import { withLegalGenes } from './conv-legal.js';
import type { Decision, TaskShape } from './space.js';

const SQUEEZE = [false, true] as const;

/** A decision and the values of its options. */
interface Gene {
  readonly name: string;
  readonly values: readonly (number | string | boolean)[];
}

const stageGenes: readonly Gene[] = [
  { name: 'block', values: BLOCKS },
  { name: 'depth', values: DEPTHS },
  { name: 'width', values: WIDTHS },
  { name: 'stride', values: STRIDES },
  { name: 'kernel', values: KERNELS },
  { name: 'activation', values: ACTIVATIONS },
  { name: 'squeezeExcite', values: SQUEEZE },
  { name: 'expansion', values: EXPANSIONS },
];
const STAGE_COUNTS = Array.from({ length: MAX_STAGES - MIN_STAGES + 1 }, (_, i) => MIN_STAGES + i);
const headGenes: readonly Gene[] = [
  { name: 'norm', values: NORMS },
  { name: 'stem.width', values: STEM_WIDTHS },
  { name: 'stem.kernel', values: KERNELS },
  { name: 'stem.stride', values: STRIDES },
  { name: 'stem.activation', values: ACTIVATIONS },
  { name: 'head.pool', values: POOLS },
  { name: 'head.hidden', values: HIDDEN_WIDTHS },
  { name: 'stages', values: STAGE_COUNTS },
];
const stageNumbers = Array.from({ length: MAX_STAGES }, (_, s) => s);
const genes: readonly Gene[] = [
  ...headGenes,
  ...stageNumbers.flatMap((s) =>
    stageGenes.map(({ name, values }) => ({ name: `stage${s + 1}.${name}`, values })),
  ),
];

export const convDecisions: readonly Decision[] = genes.map(({ name, values }) => ({
  name,
  options: values.length,
  values,
  ordered: typeof values[0] === 'number',
}));

/** The option of each decision; −1 for genes that a block or a missing stage does not have. */
export function convChoices({ norm, stem, stages, head }: ConvArchitecture): number[] {
  const first = [
    norm,
    stem.width,
    stem.kernel,
    stem.stride,
    stem.activation,
    head.pool,
    head.hidden,
    stages.length,
  ];
  const values = [
    ...first,
    ...stageNumbers.flatMap((s) =>
      stageGenes.map(({ name }) => stages[s]?.[name as keyof Stage] as number | undefined),
    ),
  ];
  return genes.map((gene, i) => gene.values.indexOf(values[i] as number));
}

/** The architecture of one option per decision; those of genes that do not apply are not looked at. */
export function convFromChoices(choices: readonly number[], task: TaskShape): ConvArchitecture {
  const value = new Map(
    genes.map(({ name, values }, i) => [name, values[Math.max(0, choices[i] ?? 0)]]),
  );
  const of = (name: string) => value.get(name);
  const stages = stageNumbers.slice(0, of('stages') as number).map((s) => {
    const gene = (name: string) => of(`stage${s + 1}.${name}`);
    const block = gene('block') as Stage['block'];
    return {
      block,
      depth: gene('depth'),
      width: gene('width'),
      stride: gene('stride'),
      kernel: gene('kernel'),
      activation: gene('activation'),
      ...(block !== 'plain' && { squeezeExcite: gene('squeezeExcite') }),
      ...(block === 'inverted' && { expansion: gene('expansion') }),
    } as Stage;
  });
  const architecture = {
    norm: of('norm'),
    stem: {
      width: of('stem.width'),
      kernel: of('stem.kernel'),
      stride: of('stem.stride'),
      activation: of('stem.activation'),
    },
    stages,
    head: { pool: of('head.pool'), hidden: of('head.hidden') },
  } as ConvArchitecture;
  return withLegalGenes(architecture, task);
}

/**
 * One number per ordered gene (the logarithm of its value, 0 where it is absent) and one per option
 * of the others.
 */
export function convFeatures(architecture: ConvArchitecture): Float64Array {
  const choices = convChoices(architecture);
  return Float64Array.from(
    genes.flatMap(({ values }, i) => {
      const choice = choices[i] as number;
      const value = values[choice];
      if (typeof values[0] === 'number') {
        return [typeof value === 'number' ? Math.log2(1 + value) : 0];
      }
      return values.map((_, option) => Number(option === choice));
    }),
  );
}
