/**
 * Architectures of the macro convolutional space: a stem, two to four stages of equal blocks, pooling
 * and a classifier. A gene exists only in the block that has it, so that two
 * different architectures seldom mean the same graph. Frozen JSON.
 */
import { z } from 'zod';
import { UsageError } from '../errors.js';

/** Output channels; multiples of 8, the least block of ONNX Runtime's vectorised CPU layouts. */
export const WIDTHS = [8, 16, 24, 32, 40, 48, 64, 80, 96, 128, 160] as const;
export const STEM_WIDTHS = [8, 16, 24, 32, 48, 64] as const;
export const KERNELS = [3, 5, 7] as const;
export const STRIDES = [1, 2] as const;
export const EXPANSIONS = [1, 2, 3, 4, 5, 6] as const;
export const DEPTHS = [1, 2, 3, 4] as const;
/** What the classifier sees: the mean of each channel, or every element of the last feature map. */
export const POOLS = ['average', 'none'] as const;
/** Width of the classifier's hidden layer; 0 is none. */
export const HIDDEN_WIDTHS = [0, 32, 64, 128, 256] as const;
export const ACTIVATIONS = ['relu', 'relu6', 'hardswish', 'silu', 'gelu'] as const;
/** `none` gives each convolution a bias instead. */
export const NORMS = ['batch', 'none'] as const;
export const BLOCKS = ['plain', 'residual', 'separable', 'inverted'] as const;
export const MIN_STAGES = 2;
export const MAX_STAGES = 4;

export type Activation = (typeof ACTIVATIONS)[number];
export type Norm = (typeof NORMS)[number];
export type BlockKind = (typeof BLOCKS)[number];

/** First layer: one convolution, norm, activation. */
export type Stem = {
  readonly width: number;
  readonly kernel: number;
  readonly stride: number;
  readonly activation: Activation;
};

/** Genes that a stage of any block has. The first block takes the stride. */
export type StageBase = {
  readonly depth: number;
  readonly width: number;
  readonly stride: number;
  readonly kernel: number;
  readonly activation: Activation;
};

export type PlainStage = { readonly block: 'plain' } & StageBase;
export type ResidualStage = { readonly block: 'residual' } & StageBase & SqueezeGene;
export type SeparableStage = { readonly block: 'separable' } & StageBase & SqueezeGene;
export type InvertedStage = { readonly block: 'inverted' } & StageBase &
  SqueezeGene & { readonly expansion: number };

type SqueezeGene = { readonly squeezeExcite: boolean };

export type Stage = PlainStage | ResidualStage | SeparableStage | InvertedStage;

/** A point of the space. */
export type ConvArchitecture = {
  readonly norm: Norm;
  readonly stem: Stem;
  readonly stages: readonly Stage[];
  readonly head: { readonly pool: (typeof POOLS)[number]; readonly hidden: number };
};

const gene = (values: readonly number[]) => z.literal(values);
const stageBase = {
  depth: gene(DEPTHS),
  width: gene(WIDTHS),
  stride: gene(STRIDES),
  kernel: gene(KERNELS),
  activation: z.enum(ACTIVATIONS),
};
const squeeze = { squeezeExcite: z.boolean() };

export const convSchema = z.strictObject({
  norm: z.enum(NORMS),
  stem: z.strictObject({
    width: gene(STEM_WIDTHS),
    kernel: gene(KERNELS),
    stride: gene(STRIDES),
    activation: z.enum(ACTIVATIONS),
  }),
  stages: z
    .array(
      z.discriminatedUnion('block', [
        z.strictObject({ block: z.literal('plain'), ...stageBase }),
        z.strictObject({ block: z.literal('residual'), ...stageBase, ...squeeze }),
        z.strictObject({ block: z.literal('separable'), ...stageBase, ...squeeze }),
        z.strictObject({
          block: z.literal('inverted'),
          ...stageBase,
          ...squeeze,
          expansion: gene(EXPANSIONS),
        }),
      ]),
    )
    .min(MIN_STAGES)
    .max(MAX_STAGES),
  head: z.strictObject({ pool: z.enum(POOLS), hidden: gene(HIDDEN_WIDTHS) }),
}) satisfies z.ZodType<ConvArchitecture>;

/** Checks the genes of foreign JSON, not whether they fit a task; throws `UsageError`. */
export function parseGenes(json: unknown): ConvArchitecture {
  const result = convSchema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path ?? [];
  throw new UsageError(
    `${genePath(path)}: ${issue?.message ?? 'invalid'}; received ${describeValue(valueAt(json, path))}`,
  );
}

/** A path of keys in the form `architecture.stages[1].width`. */
export function genePath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`),
    'architecture',
  );
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  let value = json;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
