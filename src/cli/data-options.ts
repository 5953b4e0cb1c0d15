/** The flags that name images, and how a model wants them. */
import { existsSync, readdirSync } from 'node:fs';
import type { Command } from 'commander';
import { type DataSpec, loadDataset } from '../data/data.js';
import type { ImageData } from '../deploy/trial-inputs.js';
import { UsageError } from '../errors.js';

export interface NormalizationFlags {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

/** Adds `--mean` and `--std`. */
export function addNormalizationOptions(command: Command): Command {
  return command
    .option(
      '--mean <list>',
      'the model takes (pixel/255 − mean)/std; one number or one per channel (default: of the data)',
      parseNumbers('--mean', false),
    )
    .option('--std <list>', 'see --mean', parseNumbers('--std', true));
}

/** `glyphs`, or a folder: CIFAR-10 where it has .bin files, IDX otherwise. */
export function dataSpecOf(data: string): DataSpec {
  if (data === 'glyphs') return { kind: 'glyphs' };
  const binary = existsSync(data) && readdirSync(data).some((file) => file.endsWith('.bin'));
  return { kind: binary ? 'cifar10' : 'idx', dir: data };
}

/** The images that a flag names, with the normalisation asked for. Throws `UsageError`. */
export async function loadImages(data: string, flags: NormalizationFlags): Promise<ImageData> {
  const { mean, std } = flags;
  return {
    dataset: await loadDataset(dataSpecOf(data)),
    ...(mean !== undefined && { mean }),
    ...(std !== undefined && { std }),
  };
}

function parseNumbers(flag: string, positive: boolean): (text: string) => readonly number[] {
  return (text) => {
    const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (values.every((value) => Number.isFinite(value) && (!positive || value > 0))) return values;
    throw new UsageError(
      `${flag}: expected ${positive ? 'positive numbers' : 'numbers'} such as 0.5 or 0.49,0.48,0.45, received ${text}`,
    );
  };
}
