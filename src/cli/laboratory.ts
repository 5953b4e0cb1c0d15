/** Where candidates of a search are judged: trained and measured here, or looked up in a table. */
import type { TrainSupernet } from '../agent/supernet/supernet.js';
import { type DataSpec, loadDataset } from '../data/data.js';
import type { Device } from '../device/device.js';
import { createDevice } from '../device/ort.js';
import { checkUsable } from '../device/probe.js';
import { UsageError } from '../errors.js';
import type { Evaluator } from '../evaluate/evaluate.js';
import { foreignOfModel } from '../evaluate/foreign-graph.js';
import { createLocalEvaluator } from '../evaluate/local.js';
import { createTableEvaluator, GUIDE, LATENCY } from '../evaluate/table/evaluator.js';
import type { Space } from '../space/space.js';
import type { TrainProgress } from '../train/trainer.js';
import { requirePrecision } from '../train/training-plan.js';
import type { Json } from '../trial/trial.js';
import { VERSION } from '../util/version.js';
import type { Config } from './config-schema.js';
import { requireReachable } from './feasibility.js';
import { profileGraph } from './profile-graph.js';
import { createSpace } from './spaces.js';
import { createSupernetTrainer } from './supernet.js';
import { openTable } from './table-source.js';

/** The run that a laboratory works for. */
export interface LaboratoryRun {
  readonly name: string;
  readonly runDir: string;
  readonly onProgress?: (progress: TrainProgress) => void;
}

export interface Laboratory {
  readonly space: Space<Json>;
  createEvaluator(run: LaboratoryRun): Evaluator;
  /** The architecture that stands for an ONNX file; throws `UsageError` for what is none. */
  readModel(bytes: Uint8Array): Json;
  /** Time by node of a decoded architecture. */
  profile(evaluator: Evaluator, architecture: Json): Promise<Json>;
  /** What trains the supernet of the space; absent where nothing is trained. */
  createSupernetTrainer?(
    onTraining: ((progress: TrainProgress) => void) | undefined,
  ): TrainSupernet;
  /** Seconds of the run; absent where they are those of the machine. */
  readonly clock?: () => number;
  close(): Promise<void>;
}

type Warn = (message: string) => void;

/** Throws `UsageError` for whatever can be wrong with the configuration's input, before there is a run. */
export async function openLaboratory(config: Config, onWarning: Warn): Promise<Laboratory> {
  const { data, space } = config;
  if (data.kind === 'table') return openTableLaboratory(config, data);
  if (space.kind === 'columns') {
    throw new UsageError(
      `space.kind: columns: expected data of the kind table, received ${data.kind}`,
    );
  }
  return openLiveLaboratory(config, data, space.kind, onWarning);
}

type TableData = Extract<Config['data'], { readonly kind: 'table' }>;
type LiveData = Exclude<Config['data'], TableData>;
type LiveSpace = Exclude<Config['space']['kind'], 'columns'>;

function openTableLaboratory(config: Config, { file, ...data }: TableData): Laboratory {
  if (file === undefined) {
    throw new UsageError(
      'data.file: expected a table, received nothing; set it in the configuration or with --data',
    );
  }
  requireKnownMetrics(config, data.latency !== undefined);
  const { space, scores } = openTable({ ...data, file }, config.space);
  const evaluator = createTableEvaluator(space, scores);
  return {
    space,
    createEvaluator: () => evaluator,
    clock: evaluator.clock,
    readModel: () => {
      throw new UsageError('expected an architecture of the table, received an ONNX file');
    },
    profile: async () => {
      throw new UsageError('expected a run that measures, this one reads a table');
    },
    close: async () => {},
  };
}

/** Throws `UsageError` where the run is about what the table doesn't tell. */
function requireKnownMetrics({ objectives, constraints }: Config, hasLatency: boolean): void {
  const known: readonly string[] = hasLatency ? [GUIDE, LATENCY] : [GUIDE];
  for (const [section, list] of Object.entries({ objectives, constraints })) {
    const at = list.findIndex(({ metric }) => !known.includes(metric));
    if (at < 0) continue;
    throw new UsageError(
      `${section}[${at}].metric: expected ${known.join(' or ')}, which is what the table tells, ` +
        `received ${list[at]?.metric}${hasLatency ? '' : '; data.latency names a column of latencies'}`,
    );
  }
}

async function openLiveLaboratory(
  config: Config,
  data: LiveData,
  kind: LiveSpace,
  onWarning: Warn,
): Promise<Laboratory> {
  const dataset = await loadDataset(dataSpecOf(data));
  requirePrecision(config.train);
  const { channels, height, width, classes } = dataset;
  const space = createSpace(kind, { channels, height, width, classes: classes.length });
  requireReachable(space, config.constraints, config.seed);
  const devices = await openDevices(config, onWarning);
  return {
    space,
    createEvaluator: ({ name, runDir, onProgress }) =>
      createLocalEvaluator({
        space,
        dataset,
        ...devices,
        recipe: recipeOf(config),
        epochs: config.train.epochs,
        inherit: config.train.inherit,
        limits: config.guard,
        measureSeconds: config.device.measureSeconds,
        trialSeconds: config.guard.trialSeconds,
        runDir,
        provenance: {
          'archwright.version': VERSION,
          'archwright.run': name,
          'archwright.seed': String(config.seed),
          'archwright.data': dataset.name,
          'archwright.dataFingerprint': dataset.fingerprint,
        },
        ...(onProgress && { onProgress }),
      }),
    createSupernetTrainer: (onTraining) =>
      createSupernetTrainer({
        ...{ config, space, dataset, onTraining, recipe: recipeOf(config) },
        ...devices,
      }),
    readModel: (bytes) => foreignOfModel(bytes, space.task),
    profile: (evaluator, architecture) =>
      profileGraph(devices.device, evaluator.decode(architecture).graph, classes),
    close: async () => {
      await devices.device.close();
      await devices.trainer.close();
    },
  };
}

/** Where candidates are measured, and where they are trained and scored. */
interface Devices {
  readonly device: Device;
  readonly trainer: Device;
}

/** Throws `UsageError` where the configured device is not usable. */
async function openDevices(
  { device: given, train, guard }: Config,
  onWarning: Warn,
): Promise<Devices> {
  const { kind: id, threads, options } = given;
  const limit = { memoryLimitBytes: guard.memoryBytes };
  const device = createDevice({
    ...limit,
    id,
    ...(threads !== undefined && { threads }),
    ...(options !== undefined && { options }),
  });
  const trainer = createDevice({
    ...limit,
    ...(train.threads !== undefined && { threads: train.threads }),
  });
  for (const fault of await checkUsable(device)) onWarning(`device ${device.id}: ${fault}`);
  return { device, trainer };
}

function recipeOf({ train }: Config) {
  const { epochs: _epochs, inherit: _inherit, threads: _threads, ...recipe } = train;
  return recipe;
}

function dataSpecOf(data: LiveData): DataSpec {
  const given = Object.fromEntries(
    Object.entries(data).filter(([, value]) => value !== undefined),
  ) as unknown as DataSpec;
  if (data.kind !== 'glyphs' && data.dir === undefined) {
    throw new UsageError(
      `data.dir: expected the folder of the ${data.kind} files, received nothing; ` +
        'set it in the configuration or with --data',
    );
  }
  return given;
}
