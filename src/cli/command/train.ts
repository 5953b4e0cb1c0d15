import type { Command } from 'commander';
import { type OutputOptions, print } from '../output.js';
import { parseBytes, parsePositive, parseWhole } from '../parse.js';
import { addRecipeOptions } from '../recipe-options.js';
import { formatCount, formatDuration, formatPercent } from '../table.js';
import { type TrainDocument, type TrainOptions, trainModel } from '../train-model.js';

const collect = (text: string, known: readonly string[] = []): readonly string[] => [
  ...known,
  text,
];

/** `archwright train`. */
export function addTrainCommand(program: Command): void {
  const command = program
    .command('train')
    .description('train an ONNX model')
    .argument('<model>', 'ONNX file')
    .requiredOption(
      '--data <path>',
      'folder of IDX or CIFAR-10 files, `glyphs`, folder of .npy files named as the inputs and ' +
        'target, .csv file, .txt file',
    )
    .option('--out <file>', 'where to write the trained model')
    .option('--epochs <count>', 'length of the training', parsePositive('--epochs'))
    .option('--seed <number>', 'seed of weights and order', parseWhole('--seed', 0))
    .option('--threads <count>', 'threads (default: all cores)', parseWhole('--threads', 1))
    .option(
      '--memory-limit <size>',
      'compute activations twice where a step would hold more, such as 512MiB',
      parseBytes('--memory-limit'),
    )
    .option('--scratch', "draw new weights instead of going on from the file's")
    .option('--output <name>', 'the output to train, of several')
    .option(
      '--classes <count>',
      'replace the last layer by one of so many',
      parseWhole('--classes', 2),
    )
    .option(
      '--freeze <pattern>',
      "leave weights as they are, such as 'encoder.*'; repeatable",
      collect,
    )
    .option('--sequence <length>', 'characters per row of a text', parseWhole('--sequence', 1))
    .option(
      '--evaluate-every <epochs>',
      'score on the search split',
      parsePositive('--evaluate-every'),
    )
    .option(
      '--patience <count>',
      'stop after so many scores without a lower loss, and keep the best weights',
      parseWhole('--patience', 1),
    )
    .option('--checkpoint <file>', 'save where the training stands')
    .option(
      '--checkpoint-every <epochs>',
      'how often (default: 1)',
      parsePositive('--checkpoint-every'),
    )
    .option('--resume', 'go on from the checkpoint')
    .option('--plot <file>', 'write the learning curve as an SVG file');
  addRecipeOptions(command)
    .option('--json', 'print one JSON document')
    .action(async (path: string, flags: TrainOptions & OutputOptions) => {
      const report = (line: string) => process.stderr.write(`${line}\n`);
      print(await trainModel(path, flags, report), flags, formatTraining);
    });
}

function formatTraining(result: TrainDocument): string {
  const { model, notes, parameters, steps, planned, curve, onnx, checkpoint, plot } = result;
  const scores = (['search', 'hidden'] as const).map((split) => {
    const { loss, accuracy } = result.scores[split];
    const right = accuracy === undefined ? '' : `, accuracy ${formatPercent(accuracy)}`;
    return `${split.padEnd(10)} loss ${loss.toFixed(4)}${right}`;
  });
  const first = curve.losses[0] as number;
  const last = curve.losses.at(-1) as number;
  const early = steps < planned ? ` of ${planned}, stopped early` : '';
  const files = { written: onnx, checkpoint, plot };
  return [
    `${model}: ${steps} updates${early} in ${formatDuration(result.seconds)}, loss ${first.toFixed(4)} → ${last.toFixed(4)}`,
    `weights    ${formatCount(parameters.trained)} trained, ${formatCount(parameters.frozen)} left as they were`,
    ...notes.map((note) => `note       ${note}`),
    ...scores,
    ...Object.entries(files).flatMap(([name, file]) =>
      file === null ? [] : [`${name.padEnd(10)} ${file}`],
    ),
  ].join('\n');
}
