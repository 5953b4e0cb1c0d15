/** The flags of a recipe: every key of it, in the form of the command line. */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { classLosses, type LossName, lossNames } from '../train/loss/loss.js';
import { optimizerNames, precisionNames, type Recipe } from '../train/recipe.js';
import { scheduleNames } from '../train/schedule.js';
import { parsePositive, parseWhole } from './parse.js';

/** `loss` may be the path of an ONNX file too. */
export type RecipeFlags = { readonly loss?: string } & {
  readonly [key in Exclude<keyof Recipe, 'loss'>]?: Recipe[key] | undefined;
};

/** Adds a flag for every key of the recipe that makes sense at the command line. */
export function addRecipeOptions(command: Command): Command {
  return command
    .option(
      '--optimizer <name>',
      optimizerNames.join(' or '),
      parseChoice('--optimizer', optimizerNames),
    )
    .option('--loss <name>', `${[...classLosses, 'output'].join(', ')}, or the ONNX file of a loss`)
    .option('--huber-delta <d>', 'where huber becomes linear', parsePositive('--huber-delta'))
    .option('--learning-rate <rate>', 'highest learning rate', parsePositive('--learning-rate'))
    .option('--schedule <name>', scheduleNames.join(', '), parseChoice('--schedule', scheduleNames))
    .option(
      '--warmup-fraction <share>',
      'steps in which the rate rises',
      parseShare('--warmup-fraction'),
    )
    .option(
      '--decay-factor <factor>',
      'schedules step, exponential',
      parsePositive('--decay-factor'),
    )
    .option('--decay-epochs <epochs>', 'the factor is for so many', parsePositive('--decay-epochs'))
    .option('--momentum <share>', 'of SGD', parseShare('--momentum'))
    .option('--nesterov', "SGD with Nesterov's momentum")
    .option('--weight-decay <share>', 'of matrices and kernels', parseNumber('--weight-decay'))
    .option('--label-smoothing <share>', 'of the target', parseShare('--label-smoothing'))
    .option(
      '--clip-norm <norm>',
      'highest norm of the gradient; 0: none',
      parseNumber('--clip-norm'),
    )
    .option('--ema <decay>', 'score and keep a running mean of the weights', parseShare('--ema'))
    .option('--batch <count>', 'rows whose gradient is computed at once', parseWhole('--batch', 2))
    .option('--accumulate <count>', 'batches per update', parseWhole('--accumulate', 1))
    .option('--crop <pixels>', 'shift images by up to so many pixels', parseWhole('--crop', 0))
    .option('--flip', 'mirror half of the images')
    .option('--cutout <pixels>', 'blank a square of this side', parseWhole('--cutout', 0))
    .option('--mixup <alpha>', 'mix images and their labels', parseNumber('--mixup'))
    .option(
      '--precision <type>',
      precisionNames.join(', '),
      parseChoice('--precision', precisionNames),
    );
}

const recipeKeys = [
  'optimizer',
  'huberDelta',
  'learningRate',
  'schedule',
  'warmupFraction',
  'decayFactor',
  'decayEpochs',
  'momentum',
  'nesterov',
  'weightDecay',
  'labelSmoothing',
  'clipNorm',
  'ema',
  'batch',
  'accumulate',
  'crop',
  'flip',
  'cutout',
  'mixup',
  'precision',
] as const satisfies readonly (keyof Recipe)[];

/** The recipe that flags ask for, and the file of the loss where they name one. */
export function recipeOf(flags: RecipeFlags): { recipe: Recipe; lossFile?: string } {
  const given = Object.fromEntries(
    recipeKeys.flatMap((key) => (flags[key] === undefined ? [] : [[key, flags[key]]])),
  ) as Recipe;
  const { loss } = flags;
  if (loss === undefined) return { recipe: given };
  if (loss.endsWith('.onnx')) return { recipe: { ...given, loss: 'custom' }, lossFile: loss };
  const names = lossNames.filter((name) => name !== 'custom');
  return { recipe: { ...given, loss: choose<LossName>('--loss', names, loss) } };
}

function choose<T extends string>(flag: string, names: readonly T[], text: string): T {
  const name = names.find((one) => one === text);
  if (name !== undefined) return name;
  const more = flag === '--loss' ? ' or an .onnx file' : '';
  throw new UsageError(`${flag}: expected ${names.join(', ')}${more}, received ${text}`);
}

function parseChoice<T extends string>(flag: string, names: readonly T[]): (text: string) => T {
  return (text) => choose(flag, names, text);
}

function parseNumber(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new UsageError(`${flag}: expected a number of at least 0, received ${text}`);
  };
}

function parseShare(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= 0 && value < 1) return value;
    throw new UsageError(`${flag}: expected a share from 0 to below 1, received ${text}`);
  };
}
