/** Checks of the augmentation that a training loop's request asks for. */
import { UsageError } from '../errors.js';
import type {
  Augmentation,
  ElementType,
  LoopRequest,
  Mixup,
  StreamInput,
} from './binding-types.js';

/** An input that augmentation feeds. */
export interface AugmentedInput {
  readonly name: string;
  readonly dtype: ElementType;
  readonly dims: readonly number[];
}

/**
 * The inputs that `augment` feeds besides the request's streams. Throws `UsageError` unless the streams
 * that it names exist and fit, and every number is in its range.
 */
export function checkAugmentation(
  augment: Augmentation,
  { stream: streams, batch }: LoopRequest,
): readonly AugmentedInput[] {
  const images = findStream(streams, augment.stream, 'augment.stream');
  const [, height, width] = images.rowDims;
  if (images.rowDims.length !== 3 || height === undefined || width === undefined) {
    throw new UsageError(
      `augment.stream: expected rows of [channels, height, width], received rows of [${images.rowDims.join(', ')}] in "${images.name}"`,
    );
  }
  const { source, dtype } = images;
  if (dtype !== 'float32') {
    throw new UsageError(
      `augment.stream: expected a float32 input, received ${dtype} in "${images.name}"`,
    );
  }
  if (!(source instanceof Uint8Array || source instanceof Float32Array)) {
    throw new UsageError(
      `augment.stream: expected images in Uint8Array or Float32Array, received ${source.constructor.name} in "${images.name}"`,
    );
  }
  const side = Math.min(height, width);
  checkWhole(augment.seed, 2 ** 32 - 1, 'augment.seed');
  checkWhole(augment.firstStep, Number.MAX_SAFE_INTEGER, 'augment.firstStep');
  checkWhole(augment.cropPixels ?? 0, side, 'augment.cropPixels');
  checkWhole(augment.cutoutPixels ?? 0, side, 'augment.cutoutPixels');
  return augment.mixup === undefined
    ? []
    : mixupInputs(augment.mixup, augment.stream, streams, batch);
}

function mixupInputs(
  mixup: Mixup,
  augmented: string,
  streams: readonly StreamInput[],
  batch: number,
): AugmentedInput[] {
  if (!(mixup.alpha > 0 && Number.isFinite(mixup.alpha))) {
    throw new UsageError(
      `augment.mixup.alpha: expected a finite number above 0, received ${mixup.alpha}`,
    );
  }
  const partners = mixup.partners.map(({ stream, input }, i) => {
    const where = `augment.mixup.partners[${i}].stream`;
    const { dtype, rowDims } = findStream(streams, stream, where);
    if (stream === augmented) {
      throw new UsageError(
        `${where}: expected another stream than the augmented one, received "${stream}"`,
      );
    }
    return { name: input, dtype, dims: [batch, ...rowDims] };
  });
  return [{ name: mixup.share, dtype: 'float32', dims: [] }, ...partners];
}

function findStream(streams: readonly StreamInput[], name: string, where: string): StreamInput {
  const stream = streams.find((candidate) => candidate.name === name);
  if (stream !== undefined) return stream;
  const names = streams.map((candidate) => `"${candidate.name}"`).join(', ') || 'none';
  throw new UsageError(`${where}: expected one of the streams ${names}, received "${name}"`);
}

function checkWhole(value: number, most: number, where: string): void {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return;
  throw new UsageError(`${where}: expected a whole number from 0 to ${most}, received ${value}`);
}
