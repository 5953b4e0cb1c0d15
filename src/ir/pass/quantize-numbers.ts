/**
 * The numbers of affine quantisation, x ≈ scale·(q − zero point), as ONNX defines QuantizeLinear:
 * q = saturate(round half to even(x ÷ scale) + zero point). Scales are float32, so everything is
 * computed with the float32 that the file will hold.
 */
import { roundHalfEven } from '../../util/half.js';
import { elementCount } from '../../util/tensor.js';

/** What a value was seen to take. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/** How an activation is stored: uint8, one scale. */
export interface ActivationScale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Levels between the ends of uint8. */
const LEVELS = 255;
/** A bias is kept this far from the ends of int32. */
const BIAS_LIMIT = 2 ** 30;
/** The product of two such scales is still a normal float32. */
const SMALLEST_SCALE = 2 ** -60;

/**
 * Scale and zero point of uint8 for a range, stretched to hold 0, which must be exact: padding and
 * ReLU make it. The scale is rounded towards 0, so that nothing beyond the range is representable
 * and ONNX Runtime sees that a Clip or Relu before it has no effect any more.
 */
export function activationScale({ min, max }: ValueRange): ActivationScale {
  const low = Math.min(0, min);
  const high = Math.max(0, max);
  if (high === low) return { scale: 1, zeroPoint: 0 };
  const scale = Math.max(floorFloat32((high - low) / LEVELS), SMALLEST_SCALE);
  const zeroPoint = Math.min(LEVELS, Math.max(0, Math.round(-low / scale)));
  return { scale, zeroPoint };
}

/** The largest float32 that is not above `value` (positive). */
function floorFloat32(value: number): number {
  const near = Math.fround(value);
  return near > value ? Math.fround(near - near * 2 ** -24) : near;
}

/** A weight in int8 with a scale per output channel, and its bias in int32. */
export interface QuantizedWeight {
  readonly data: Int8Array;
  readonly scales: Float32Array;
  /** With scale `inputScale` · `scales[c]`. */
  readonly bias: Int32Array | undefined;
  readonly biasScales: Float32Array;
}

export interface WeightTensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
  /** Axis of the output channels. */
  readonly axis: number;
}

/**
 * Symmetric int8 per channel: scale = largest magnitude ÷ `limit`, or larger where the bias would
 * not fit in int32. A channel of zeros takes the scale that its bias needs.
 *
 * @param limit 127; or 63 for processors whose byte products saturate in 16 bits (x86 without VNNI).
 */
export function quantizeWeight(
  weight: WeightTensor,
  bias: ArrayLike<number> | undefined,
  inputScale: number,
  limit: number,
): QuantizedWeight {
  const channels = weight.dims[weight.axis] as number;
  const inner = elementCount(weight.dims.slice(weight.axis + 1));
  const channelOf = (i: number) => Math.floor(i / inner) % channels;
  const scales = new Float32Array(channels);
  for (let i = 0; i < weight.data.length; i++) {
    const c = channelOf(i);
    scales[c] = Math.max(scales[c] as number, Math.abs(weight.data[i] as number) / limit);
  }
  for (let c = 0; c < channels; c++) {
    const forBias = Math.abs(Number(bias?.[c] ?? 0)) / (inputScale * BIAS_LIMIT);
    scales[c] = Math.max(scales[c] as number, forBias, SMALLEST_SCALE);
  }
  const data = new Int8Array(weight.data.length);
  for (let i = 0; i < data.length; i++) {
    const steps = roundHalfEven((weight.data[i] as number) / (scales[channelOf(i)] as number));
    data[i] = Math.min(limit, Math.max(-limit, steps));
  }
  const biasScales = scales.map((scale) => scale * inputScale);
  const quantizedBias =
    bias && Int32Array.from(biasScales, (scale, c) => roundHalfEven((bias[c] as number) / scale));
  return { data, scales, bias: quantizedBias, biasScales };
}
