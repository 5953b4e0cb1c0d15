/**
 * The execution providers of ONNX Runtime 1.30 that this project drives, and the options of each:
 * our name, what values it takes, and the entry of ONNX Runtime that it becomes. Names and values
 * are those of ONNX Runtime's documentation of each provider.
 */
import { UsageError } from '../errors.js';
import type { SessionOptions } from '../runtime/runtime.js';

export type ProviderId = 'cpu' | 'webgpu' | 'cuda' | 'tensorrt' | 'coreml' | 'dml';

interface Option {
  readonly about: string;
  /** An option of the provider, or an entry of the session's configuration. */
  readonly to: 'provider' | 'config';
  /** Entries that get the value. */
  readonly keys: readonly string[];
}
interface FlagOption extends Option {
  readonly type: 'flag';
}
interface WholeOption extends Option {
  readonly type: 'whole';
  readonly max: number;
}
interface ChoiceOption<C extends string = string> extends Option {
  readonly type: 'choice';
  readonly choices: readonly C[];
}
export type ProviderOption = FlagOption | WholeOption | ChoiceOption;

export interface ProviderRow {
  /** Name for `SessionOptions.provider`. */
  readonly session: string;
  /** Name in ONNX Runtime's list of providers that the library was built with. */
  readonly runtime: string;
  /** Where more than one device can be told apart: the option that takes the device's number. */
  readonly numberKey?: string;
  readonly options: Readonly<Record<string, ProviderOption>>;
}

function flag(about: string, ...keys: readonly string[]): FlagOption {
  return { type: 'flag', about, to: 'provider', keys };
}
function whole(about: string, key: string, max = Number.MAX_SAFE_INTEGER): WholeOption {
  return { type: 'whole', about, to: 'provider', keys: [key], max };
}
function choice<const C extends string>(
  about: string,
  key: string,
  choices: readonly C[],
): ChoiceOption<C> {
  return { type: 'choice', about, to: 'provider', keys: [key], choices };
}
function config<O extends Option>(option: O): O {
  return { ...option, to: 'config' };
}

const table = {
  cpu: {
    session: 'cpu',
    runtime: 'CPUExecutionProvider',
    options: {
      spin: config(flag('let idle threads spin', 'session.intra_op.allow_spinning')),
      flushDenormals: config(flag('take tiny values as zero', 'session.set_denormal_as_zero')),
    },
  },
  webgpu: {
    session: 'WebGPU',
    runtime: 'WebGpuExecutionProvider',
    options: {
      graph: flag('capture the launches once and replay them', 'enableGraphCapture'),
      layout: choice('layout of convolutions', 'preferredLayout', ['NCHW', 'NHWC']),
      power: choice('which adapter', 'powerPreference', ['high-performance', 'low-power']),
      validation: choice('checks of each call', 'validationMode', [
        'disabled',
        'wgpuOnly',
        'basic',
        'full',
      ]),
    },
  },
  cuda: {
    session: 'CUDA',
    runtime: 'CUDAExecutionProvider',
    numberKey: 'device_id',
    options: {
      arenaLimitBytes: whole("most memory of the provider's arena", 'gpu_mem_limit'),
      arenaGrowth: choice('how the arena grows', 'arena_extend_strategy', [
        'kNextPowerOfTwo',
        'kSameAsRequested',
      ]),
      graph: flag('capture the launches once and replay them', 'enable_cuda_graph'),
      tuning: choice('search of convolution kernels', 'cudnn_conv_algo_search', [
        'DEFAULT',
        'HEURISTIC',
        'EXHAUSTIVE',
      ]),
      tunableOps: flag(
        'tune kernels while running',
        'tunable_op_enable',
        'tunable_op_tuning_enable',
      ),
      tf32: flag('TF32 in matrix products and convolutions', 'use_tf32'),
      nhwc: flag('NHWC layout', 'prefer_nhwc'),
    },
  },
  tensorrt: {
    session: 'TensorRT',
    runtime: 'TensorrtExecutionProvider',
    numberKey: 'device_id',
    options: {
      workspaceLimitBytes: whole('most memory of the workspace', 'trt_max_workspace_size'),
      fp16: flag('compute in float16', 'trt_fp16_enable'),
      int8: flag('compute in int8', 'trt_int8_enable'),
      graph: flag('capture the launches once and replay them', 'trt_cuda_graph_enable'),
      tuning: whole('level of the builder, 0 to 5', 'trt_builder_optimization_level', 5),
    },
  },
  coreml: {
    session: 'CoreML',
    runtime: 'CoreMLExecutionProvider',
    options: {
      format: choice('form of the model', 'ModelFormat', ['MLProgram', 'NeuralNetwork']),
      units: choice('which processors', 'MLComputeUnits', [
        'ALL',
        'CPUAndNeuralEngine',
        'CPUAndGPU',
        'CPUOnly',
      ]),
      fp16: flag('add up in float16 on the GPU', 'AllowLowPrecisionAccumulationOnGPU'),
      staticShapes: flag('only nodes of fixed shapes', 'RequireStaticInputShapes'),
      tuning: choice('how it specialises', 'SpecializationStrategy', ['Default', 'FastPrediction']),
    },
  },
  dml: {
    session: 'DML',
    runtime: 'DmlExecutionProvider',
    numberKey: 'device_id',
    options: {
      graph: config(flag('capture the launches once', 'ep.dml.enable_graph_capture')),
    },
  },
} satisfies Readonly<Record<ProviderId, ProviderRow>>;

/** What is known of each provider. */
export const providers: Readonly<Record<ProviderId, ProviderRow>> = table;

export const providerIds = Object.keys(providers) as readonly ProviderId[];

type ValueOf<O extends ProviderOption> =
  O extends ChoiceOption<infer C> ? C : O extends FlagOption ? boolean : number;

/** Options of a provider, typed by its row. */
export type ProviderOptions<P extends ProviderId> = {
  readonly [K in keyof (typeof table)[P]['options']]?: (typeof table)[P]['options'][K] extends infer O extends
    ProviderOption
    ? ValueOf<O>
    : never;
};

/** Which device of which provider. */
export interface DeviceName {
  /** As a person writes it: `webgpu`, `cuda`, `cuda:1`. */
  readonly id: string;
  readonly provider: ProviderId;
  readonly number: number;
}

/** Reads `cuda:1`. Throws `UsageError` for what no provider goes by; `where` begins its message. */
export function parseDeviceName(text: string, where: string): DeviceName {
  const [, name, digits] = /^([a-z]+)(?::(\d{1,4}))?$/.exec(text) ?? [];
  const provider = providerIds.find((id) => id === name);
  if (provider === undefined) {
    throw new UsageError(
      `${where}: expected ${providerIds.join(', ')}, received ${text}; see archwright devices`,
    );
  }
  const number = Number(digits ?? 0);
  if (digits !== undefined && providers[provider].numberKey === undefined) {
    throw new UsageError(`${where}: expected ${provider}, which has no numbers, received ${text}`);
  }
  return { id: number === 0 ? provider : `${provider}:${number}`, provider, number };
}

/** A value as it comes from code, from a configuration file or from a flag. */
export type OptionValue = boolean | number | string;

/**
 * What a session gets for the options. Texts such as `on` or `12` are taken for flags and numbers.
 * Throws `UsageError` for an option that the provider has not, or a value that the option takes not.
 */
export function encodeOptions(
  { id, provider, number }: DeviceName,
  given: Readonly<Record<string, OptionValue | undefined>>,
): Pick<SessionOptions, 'provider' | 'providerOptions' | 'config'> {
  const { session, numberKey, options } = providers[provider];
  const target = {
    provider: numberKey === undefined ? {} : { [numberKey]: String(number) },
    config: {},
  };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) {
      const known = Object.keys(options).join(', ');
      throw new UsageError(`device ${id}: expected an option of it: ${known}; received ${name}`);
    }
    const encoded = encodeValue(option, value, `device ${id}: option ${name}`);
    Object.assign(target[option.to], Object.fromEntries(option.keys.map((key) => [key, encoded])));
  }
  return {
    provider: session,
    ...(Object.keys(target.provider).length > 0 && { providerOptions: target.provider }),
    ...(Object.keys(target.config).length > 0 && { config: target.config }),
  };
}

function encodeValue(option: ProviderOption, value: OptionValue, where: string): string {
  const text = String(value);
  switch (option.type) {
    case 'flag':
      if (['true', 'on', '1'].includes(text)) return '1';
      if (['false', 'off', '0'].includes(text)) return '0';
      throw new UsageError(`${where}: expected on or off, received ${text}`);
    case 'whole':
      if (/^\d+$/.test(text) && Number(text) <= option.max) return text;
      throw new UsageError(
        `${where}: expected a whole number from 0 to ${option.max}, received ${text}`,
      );
    case 'choice':
      if (option.choices.includes(text)) return text;
      throw new UsageError(`${where}: expected ${option.choices.join(', ')}, received ${text}`);
  }
}
