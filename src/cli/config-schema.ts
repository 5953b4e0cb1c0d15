/**
 * The schema of a configuration: one page that says what space, data, device and limits. It is the
 * only definition: it validates, fills the defaults, and is published as JSON Schema for editors
 * (`archwright schema`).
 */
import { z } from 'zod';
import { EXTERNAL_AGENT } from '../agent/external.js';
import { providers } from '../agent/llm/options.js';
import { strategyNames } from '../agent/strategy.js';
import { SUPERNET_AGENT, supernetDefaults } from '../agent/supernet/supernet.js';
import { providerIds } from '../device/provider.js';
import { accuracyUnits } from '../evaluate/table/scores.js';
import { classLosses } from '../train/loss/loss.js';
import { optimizerNames, precisionNames, recipeDefaults } from '../train/recipe.js';
import { scheduleNames } from '../train/schedule.js';
import { spaceKinds } from './spaces.js';
import { DEFAULT_COLUMNS } from './table-source.js';

const metricNames = [
  'accuracy',
  'latencyMs',
  'params',
  'macs',
  'weightsBytes',
  'activationPeakBytes',
  'arenaPeakBytes',
  'processPeakBytes',
] as const;

const count = z.int().positive();
const deviceName = new RegExp(`^(${providerIds.join('|')})(:\\d{1,4})?$`);
const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(s|m|h)$/, 'expected a duration such as 90s, 15m or 3h');

const bound = z.union([
  z.number(),
  z.strictObject({
    baseline: z.string().describe('Name of a human baseline, such as lenet-5'),
    factor: z.number().positive().describe("The limit is this many times the baseline's value"),
  }),
]);

const dataSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('glyphs').describe('Generated 28×28 images in 10 classes; needs no download'),
    train: count.optional(),
    search: count.optional(),
    hidden: count.optional(),
    seed: z.int().nonnegative().optional(),
  }),
  z.strictObject({
    kind: z.enum(['idx', 'cifar10']).describe('MNIST-like IDX files, or CIFAR-10 binary files'),
    dir: z.string().optional().describe('Folder of the files; the --data flag overrides it'),
    train: count.optional(),
    search: count.optional(),
    hidden: count.optional(),
    seed: z.int().nonnegative().optional(),
  }),
  z.strictObject({
    kind: z.literal('table').describe('Scores that are known: nothing is trained or measured'),
    file: z.string().optional().describe('CSV or JSON; the --data flag overrides it'),
    columns: z
      .strictObject({
        arch: z.string().default(DEFAULT_COLUMNS.arch).describe('Column of architectures'),
        index: z.string().default(DEFAULT_COLUMNS.index).describe('Column that joins tables'),
      })
      .prefault({}),
    guide: z.string().describe('Column that is the accuracy of the search'),
    report: z.string().describe('Column that is the hidden accuracy of winners'),
    unit: z.enum(accuracyUnits).default('share').describe('Of guide and report'),
    latency: z.string().optional().describe('Column of milliseconds, or file:column'),
    seconds: z.string().optional().describe('Column of training times; default: 1 s each'),
  }),
]);

const spaceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z
      .enum(spaceKinds)
      .describe('conv: stem, stages and head of convolutions; cell: NAS-Bench-201 cells'),
  }),
  z.strictObject({
    kind: z.literal('columns').describe('What columns of a table span; data.kind is table'),
    decisions: z.array(z.string()).min(1).describe('Columns that make an architecture'),
  }),
]);

const plain = recipeDefaults.adamw;
const trainSchema = z.strictObject({
  optimizer: z.enum(optimizerNames).default('adamw'),
  loss: z.enum(classLosses).default('cross-entropy').describe('Of class numbers'),
  huberDelta: z.number().positive().default(plain.huberDelta),
  learningRate: z.number().positive().default(0.003),
  schedule: z.enum(scheduleNames).default(plain.schedule).describe('Of the learning rate'),
  warmupFraction: z.number().min(0).max(0.9).default(0.1),
  decayFactor: z
    .number()
    .positive()
    .default(plain.decayFactor)
    .describe('Schedules step and exponential: factor per decayEpochs'),
  decayEpochs: z.number().positive().default(plain.decayEpochs),
  momentum: z.number().min(0).max(0.999).default(0.9),
  nesterov: z.boolean().default(plain.nesterov),
  beta1: z.number().min(0).max(0.999).default(plain.beta1),
  beta2: z.number().min(0).max(0.99999).default(plain.beta2),
  epsilon: z.number().min(0).max(0.1).default(plain.epsilon),
  weightDecay: z.number().min(0).default(0.02),
  labelSmoothing: z.number().min(0).max(0.9).default(0.05),
  clipNorm: z.number().positive().default(1),
  ema: z
    .number()
    .min(0)
    .max(0.99999)
    .default(plain.ema)
    .describe('Decay of the running mean of the weights that is scored and exported; 0: none'),
  batch: count.default(32),
  accumulate: count.default(plain.accumulate).describe('Batches per update'),
  crop: z.int().min(0).default(plain.crop).describe('Pixels that images are shifted by, at most'),
  flip: z.boolean().default(plain.flip).describe('Mirror half of the images left to right'),
  cutout: z.int().min(0).default(plain.cutout).describe('Side of a square that is blanked'),
  mixup: z.number().min(0).default(plain.mixup).describe('α of the Beta(α, α); 0: none'),
  precision: z.enum(precisionNames).default(plain.precision),
  epochs: z
    .strictObject({
      short: z.number().positive().describe('Epochs of the short training'),
      long: z.number().positive().describe('Further epochs for promising candidates'),
    })
    .prefault({ short: 1, long: 3 }),
  inherit: z
    .boolean()
    .default(false)
    .describe("Short training starts from the parents' weights; the long one stays from scratch"),
  threads: count.optional().describe('Default: all cores'),
});

const deviceSchema = z.strictObject({
  kind: z
    .string()
    .regex(deviceName, `expected ${providerIds.join(', ')}, or one with a number such as cuda:1`)
    .default('cpu')
    .describe('Device to measure on, see archwright devices; training runs on the CPU'),
  options: z
    .record(z.string(), z.union([z.boolean(), z.number(), z.string()]))
    .optional()
    .describe('Options of that device, see archwright devices'),
  threads: count.optional().describe('CPU threads of the measured model; default: all cores'),
  measureSeconds: z.number().positive().default(2).describe('Time budget of one measurement'),
});

const agentSchema = z.union([
  z.enum([...strategyNames, EXTERNAL_AGENT, SUPERNET_AGENT]),
  z.strictObject({
    kind: z.literal('evolution'),
    populationSize: count.optional(),
    initialSamples: count.optional(),
    tournamentSize: count.optional(),
    crossoverProbability: z.number().min(0).max(1).optional(),
    extraEditProbability: z.number().min(0).max(1).optional(),
    focusProbability: z.number().min(0).max(1).optional(),
  }),
  z.strictObject({
    kind: z.literal('supernet').describe('One-shot search; in a space that has a supernet'),
    share: z
      .number()
      .positive()
      .max(0.9)
      .default(supernetDefaults.share)
      .describe('Of the time budget, for the training of the supernet'),
    epochs: z
      .number()
      .positive()
      .default(supernetDefaults.epochs)
      .describe('Most epochs of that training'),
  }),
  z.strictObject({
    kind: z.literal('llm').describe('A language model; needs a server'),
    provider: z.enum(providers),
    baseUrl: z
      .string()
      .optional()
      .describe('Address of the server, such as http://127.0.0.1:8080/v1'),
    model: z.string().min(1).max(200),
    apiKeyEnv: z.string().optional().describe('Environment variable that holds the key'),
    maxTokens: count.describe('Input and output tokens of the whole run'),
    maxUsd: z.number().positive().optional().describe('US dollars of the whole run; needs prices'),
    pricePerMillionInput: z.number().min(0).optional().describe('US dollars'),
    pricePerMillionOutput: z.number().min(0).optional().describe('US dollars'),
    proposalsPerCall: z.int().min(1).max(16).default(4),
    timeoutSeconds: z.number().positive().max(3600).default(120).describe('Of one answer'),
  }),
]);

interface Limits {
  readonly metric: string;
  readonly max?: z.output<typeof bound> | undefined;
  readonly min?: z.output<typeof bound> | undefined;
}

function isPossible({ metric, max, min }: Limits): boolean {
  if (typeof max === 'number' && max <= 0) return false;
  if (typeof max === 'number' && typeof min === 'number' && min > max) return false;
  return !(metric === 'accuracy' && typeof min === 'number' && min > 1);
}

export const configSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]+$/, 'expected letters, digits, dot, dash or underscore')
    .optional()
    .describe('Name of the run and of its folder'),
  seed: z.int().nonnegative().default(0),
  space: spaceSchema.prefault({ kind: 'conv' }),
  data: dataSchema,
  train: trainSchema.prefault({}),
  device: deviceSchema.prefault({}),
  objectives: z
    .array(
      z.strictObject({
        metric: z.enum(metricNames),
        direction: z.enum(['maximize', 'minimize']),
      }),
    )
    .min(1)
    .default([
      { metric: 'accuracy', direction: 'maximize' },
      { metric: 'latencyMs', direction: 'minimize' },
    ]),
  constraints: z
    .array(
      z
        .strictObject({ metric: z.enum(metricNames), max: bound.optional(), min: bound.optional() })
        .refine((c) => c.max !== undefined || c.min !== undefined, 'expected max or min')
        .refine(
          isPossible,
          'expected a limit that can be held: max above 0 and not below min, and an accuracy of at most 1',
        ),
    )
    .default([]),
  agents: z
    .array(agentSchema)
    .min(1)
    .refine(
      (agents) => agents.filter((a) => typeof a === 'object' && a.kind === 'llm').length <= 1,
      'expected one llm at most',
    )
    .default(['ensemble', 'random']),
  memory: z
    .strictObject({
      from: z.string().min(1).describe('Folder of an earlier run whose effects agents start with'),
    })
    .optional()
    .describe('What an earlier run taught; the --memory flag overrides it'),
  budget: z
    .strictObject({
      time: duration.optional(),
      trials: count.optional().describe('Trials of all agents together'),
      reserve: z
        .number()
        .min(0)
        .max(0.9)
        .default(0.3)
        .describe('Share of the time kept for retests, the hidden split and export'),
      eta: z.number().min(1).default(3).describe('One in eta trials of an agent is trained longer'),
    })
    .refine((b) => b.time !== undefined || b.trials !== undefined, 'expected time or trials')
    .prefault({ time: '3m' }),
  guard: z
    .strictObject({
      maxParams: count.default(20_000_000),
      maxMacs: count.default(2_000_000_000),
      maxActivationBytes: count.default(256 * 1024 * 1024),
      maxNodes: count.default(2000),
      trialSeconds: z.number().positive().default(600).describe('A stage that takes longer fails'),
      memoryBytes: count
        .default(8 * 1024 ** 3)
        .describe('A runner process that grows beyond this is ended, and its trial fails'),
      sigmas: z.number().min(0).default(2).describe('A champion wins by more than this many σ'),
      seeds: z.int().min(2).default(3).describe('Paired retrainings of each champion'),
      champions: count.default(5).describe('Most members of the front that are retrained'),
    })
    .prefault({}),
});

/** What a person writes. */
export type ConfigInput = z.input<typeof configSchema>;
/** The same with every default filled in. */
export type Config = z.output<typeof configSchema>;

/** The JSON Schema of a configuration file, for editors. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: 'input' });
}
