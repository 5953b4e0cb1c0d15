/**
 * The macro convolutional space: image classifiers of a stem, two to four stages and a head, sized
 * for latencies below a millisecond on a CPU. See `conv-architecture.ts` for its genes.
 */
import { UsageError } from '../errors.js';
import type { Rng } from '../util/random.js';
import { createConvNext } from './baseline/convnext.js';
import { createLenet } from './baseline/lenet.js';
import { createMobileNet } from './baseline/mobilenet.js';
import { createResnet } from './baseline/resnet.js';
import { type ConvArchitecture, convSchema, type Stage } from './conv-architecture.js';
import { convChoices, convDecisions, convFeatures, convFromChoices } from './conv-choices.js';
import { decodeConv } from './conv-decode.js';
import { parseConvArchitecture } from './conv-legal.js';
import { crossConv, mutateConv } from './conv-mutate.js';
import { sampleConv } from './conv-sample.js';
import type { Space, TaskShape } from './space.js';

/** Least height and width of an image: what the human baselines can downsample. */
const MIN_IMAGE_SIDE = 8;
/** Mutants drawn for the neighbours of an architecture. */
const NEIGHBOUR_DRAWS = 64;

/** The convolutional space for a task. Throws `UsageError` where the task is not one of images. */
export function createConvSpace(task: TaskShape): Space<ConvArchitecture> {
  checkTask(task);
  return {
    name: 'conv',
    task,
    schema: convSchema,
    sample: (rng) => sampleConv(task, rng),
    mutate: (architecture, rng, changes = 1) => mutateConv(architecture, task, rng, changes),
    cross: (a, b, rng) => crossConv(a, b, task, rng),
    neighbours: (architecture, rng) => drawNeighbours(architecture, task, rng),
    decisions: convDecisions,
    choices: convChoices,
    fromChoices: (choices) => convFromChoices(choices, task),
    features: convFeatures,
    decode: (architecture) => decodeConv(architecture, task),
    describe: describeConv,
    parse: (json) => parseConvArchitecture(json, task),
    baselines: () => [
      { name: 'lenet-5', graph: createLenet(task) },
      { name: 'resnet-8', graph: createResnet(task) },
      { name: 'mobilenet-v2', graph: createMobileNet(task) },
      { name: 'convnext', graph: createConvNext(task) },
    ],
  };
}

/** Mutants by one edit, each once. */
function drawNeighbours(architecture: ConvArchitecture, task: TaskShape, rng: Rng) {
  const mutants = Array.from({ length: NEIGHBOUR_DRAWS }, () =>
    mutateConv(architecture, task, rng, 1),
  );
  return [...new Map(mutants.map((mutant) => [JSON.stringify(mutant), mutant])).values()];
}

/** For example `stem16k3s1 relu | inverted24e4k3x2s2 hardswish se | plain32k3x1s2 relu | linear`. */
function describeConv({ norm, stem, stages, head }: ConvArchitecture): string {
  const parts = [
    `stem${stem.width}k${stem.kernel}s${stem.stride} ${stem.activation}`,
    ...stages.map(describeStage),
    ...(head.pool === 'none' ? ['flatten'] : []),
    head.hidden > 0 ? `hidden${head.hidden} linear` : 'linear',
  ];
  if (norm === 'none') parts.push('no norm');
  return parts.join(' | ');
}

function describeStage(stage: Stage): string {
  const expansion = stage.block === 'inverted' ? `e${stage.expansion}` : '';
  const squeeze = stage.block !== 'plain' && stage.squeezeExcite ? ' se' : '';
  const { block, width, kernel, depth, stride, activation } = stage;
  return `${block}${width}${expansion}k${kernel}x${depth}s${stride} ${activation}${squeeze}`;
}

function checkTask({ channels, height, width, classes }: TaskShape): void {
  const sizes = { channels, height, width, classes };
  const least = { channels: 1, height: MIN_IMAGE_SIDE, width: MIN_IMAGE_SIDE, classes: 2 };
  for (const key of ['channels', 'height', 'width', 'classes'] as const) {
    if (Number.isInteger(sizes[key]) && sizes[key] >= least[key]) continue;
    throw new UsageError(
      `conv space: ${key}: expected a whole number of at least ${least[key]}, received ${sizes[key]}`,
    );
  }
}
