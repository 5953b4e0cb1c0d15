import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  type ConvertOptions,
  convertToFloat16,
  foldModel,
  quantizeModel,
} from '../../deploy/convert.js';
import { createDevice } from '../../device/ort.js';
import { UsageError } from '../../errors.js';
import { writeDurably } from '../../evaluate/artifacts.js';
import { inferCost } from '../../ir/cost.js';
import type { Graph } from '../../ir/graph.js';
import { decodeModel } from '../../ir/onnx/decode.js';
import { encodeModel } from '../../ir/onnx/encode.js';
import type { KeptNode } from '../../ir/pass/float16.js';
import { resolveInputs } from '../../measure/dims.js';
import { deployGraph } from '../../train/deploy.js';
import { show } from '../compose.js';
import { addNormalizationOptions, loadImages, type NormalizationFlags } from '../data-options.js';
import { readModel } from '../model-file.js';
import { type OutputOptions, print } from '../output.js';
import { parseWhole } from '../parse.js';
import { formatBytes, formatCount } from '../table.js';

/** What to write, and how it is made. */
export interface ExportFlags extends NormalizationFlags {
  readonly out: string;
  readonly trial?: number;
  readonly fp16?: boolean;
  readonly int8?: boolean;
  /** Images: a folder, or `glyphs`. */
  readonly calibrate?: string;
}

/** The contract `archwright.export/1`. */
export interface ExportDocument {
  readonly schema: 'archwright.export/1';
  /** Null where the source is a file. */
  readonly trial: number | null;
  readonly onnx: string;
  readonly format: 'float32' | 'float16' | 'int8';
  readonly bytes: number;
  /** Of the float32 model. */
  readonly params: number;
  /** Nodes in the new format, of all nodes after folding. */
  readonly converted: number;
  readonly nodes: number;
  /** Nodes that stayed in float32 for a reason. */
  readonly kept: readonly KeptNode[];
}

/** `archwright export`. */
export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .description(
      'write a deployable ONNX file of a trial or a model: folded, in float16 or in int8',
    )
    .argument('<source>', 'folder of a run, or an ONNX file')
    .requiredOption('--out <file>', 'where to write it')
    .option('--trial <id>', 'of a run; default: the best of the front', parseWhole('--trial', 1))
    .option('--fp16', 'float16 inside, inputs and outputs as they are')
    .option('--int8', 'int8 by static calibration (QDQ); needs --calibrate')
    .option('--calibrate <data>', 'images: a folder of IDX or CIFAR-10 files, or `glyphs`')
    .option('--json', 'print one JSON document');
  addNormalizationOptions(command).action(
    async (source: string, flags: ExportFlags & OutputOptions) => {
      print(await exportModel(source, flags), flags, formatExport);
    },
  );
}

/**
 * Writes the trained model of a run's trial, or the model of a file, in the format asked for. Throws
 * `UsageError` for flags that contradict each other and for a model that cannot be converted.
 */
export async function exportModel(source: string, flags: ExportFlags): Promise<ExportDocument> {
  checkFlags(source, flags);
  if (!existsSync(source)) {
    throw new UsageError(`${source}: expected the folder of a run or an ONNX file, found nothing`);
  }
  const isFile = statSync(source).isFile();
  if (isFile && flags.trial !== undefined) {
    throw new UsageError(
      `--trial: expected the folder of a run with it, received the file ${source}`,
    );
  }
  const { graph, trial } = isFile
    ? { graph: decodeModel(await readModel(source), source), trial: null }
    : readTrial(source, flags.trial);
  const { graph: result, ...rest } = await convert(graph, flags);
  const bytes = encodeModel(result);
  await writeDurably(flags.out, bytes);
  return {
    schema: 'archwright.export/1',
    trial,
    onnx: flags.out,
    bytes: bytes.byteLength,
    params: inferCost(resolveInputs(graph).graph).params,
    ...rest,
  };
}

/** Exports a trial as it was trained, in float32. */
export function exportTrial(
  runDir: string,
  trial: number | undefined,
  out: string,
): Promise<ExportDocument> {
  return exportModel(runDir, { out, ...(trial !== undefined && { trial }) });
}

function checkFlags(source: string, { fp16, int8, calibrate, mean, std }: ExportFlags): void {
  if (fp16 === true && int8 === true) {
    throw new UsageError('--fp16, --int8: expected one of them, received both');
  }
  if (int8 === true && calibrate === undefined) {
    throw new UsageError(
      `--int8: expected --calibrate with images like those that ${source} will see ` +
        '(a folder of IDX or CIFAR-10 files, or glyphs), received none',
    );
  }
  if (calibrate !== undefined && fp16 !== true && int8 !== true) {
    throw new UsageError('--calibrate: expected --int8 or --fp16 with it, received neither');
  }
  if ((mean ?? std) !== undefined && calibrate === undefined) {
    throw new UsageError('--mean, --std: expected --calibrate with them, received none');
  }
}

type Converted = Pick<ExportDocument, 'format' | 'converted' | 'nodes' | 'kept'> & {
  readonly graph: Graph;
};

async function convert(graph: Graph, flags: ExportFlags): Promise<Converted> {
  if (flags.fp16 !== true && flags.int8 !== true) {
    const folded = foldModel(graph);
    return { graph: folded, format: 'float32', converted: 0, nodes: folded.nodes.length, kept: [] };
  }
  const options: ConvertOptions =
    flags.calibrate === undefined ? {} : { data: await loadImages(flags.calibrate, flags) };
  const device = createDevice();
  try {
    if (flags.int8 === true) {
      const result = await quantizeModel(device, graph, options);
      const { nodes, quantized } = result;
      return { graph: result.graph, format: 'int8', converted: quantized.length, nodes, kept: [] };
    }
    const { graph: half, kept, changed } = await convertToFloat16(device, graph, options);
    if (!changed)
      throw new UsageError(
        `graph ${graph.name}: expected nodes that can run in float16, found none`,
      );
    const nodes = half.nodes.filter(({ op }) => op !== 'Cast').length;
    return { graph: half, format: 'float16', converted: nodes - kept.length, nodes, kept };
  } finally {
    await device.close();
  }
}

/** What the longest finished training of a trial left. */
function readTrial(runDir: string, trial: number | undefined): { graph: Graph; trial: number } {
  const id = trial ?? show(runDir).front[0]?.id;
  if (id === undefined) {
    throw new UsageError(
      `${runDir}: expected a front with trials, found none; name one by --trial`,
    );
  }
  const stored = ['extend', 'train']
    .map((stage) => join(runDir, 'weights', `${String(id).padStart(4, '0')}-${stage}.onnx`))
    .find((path) => existsSync(path));
  if (stored === undefined) {
    throw new UsageError(`${runDir}: expected a trained trial, but trial ${id} has no weights`);
  }
  const graph = decodeModel(new Uint8Array(readFileSync(stored)), stored);
  const names = graph.metadata['output.classes'];
  if (names === undefined) {
    throw new UsageError(`${stored}: expected weights of a search, found no class names in it`);
  }
  return { graph: deployGraph(graph, { classes: JSON.parse(names) as string[] }), trial: id };
}

function formatExport(document: ExportDocument): string {
  const { trial, onnx, bytes, params, format, converted, nodes, kept } = document;
  const head = `${trial === null ? '' : `trial ${trial}: `}${onnx}, ${formatBytes(bytes)}, ${formatCount(params)} parameters`;
  if (format === 'float32') return head;
  return [
    `${head}, ${format} in ${converted} of ${nodes} nodes`,
    ...kept.map(({ node, op, reason, value }) => {
      const detail = value === undefined ? '' : `: ${value.name} ${value.magnitude.toPrecision(3)}`;
      return `  float32: ${op} ${node}, ${reason}${detail}`;
    }),
  ].join('\n');
}
