import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { createDevice } from '../../device/ort.js';
import { errorMessage, UsageError } from '../../errors.js';
import { decodeModel } from '../../ir/onnx/decode.js';
import { type Measurement, measureModel } from '../../measure/measure.js';
import { loadHost } from '../../runtime/runtime.js';
import { type OutputOptions, print } from '../output.js';
import { parseDim, parsePositive, parseWhole } from '../parse.js';
import { formatBytes, formatCount, formatMs } from '../table.js';

interface BenchFlags extends OutputOptions {
  readonly device: string;
  readonly threads?: number;
  readonly seconds: number;
  readonly dim?: Record<string, number>;
  readonly seed: number;
}

/** The contract `archwright.bench/1`. */
export interface BenchDocument {
  readonly schema: 'archwright.bench/1';
  readonly host: Readonly<Record<string, unknown>>;
  readonly results: readonly ({ readonly model: string } & Measurement)[];
}

/** `archwright bench`. */
export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('measure latency and memory of ONNX models')
    .argument('<model...>', 'ONNX files')
    .option('--device <id>', 'device to measure on', 'cpu')
    .option('--threads <count>', 'threads (default: all cores)', parseWhole('--threads', 1))
    .option('--seconds <time>', 'time budget per model', parsePositive('--seconds'), 5)
    .option('--dim <name=size>', 'size of a symbolic dimension (default 1); repeatable', parseDim)
    .option('--seed <number>', 'seed of the random inputs', parseWhole('--seed', 0), 0)
    .option('--json', 'print one JSON document')
    .action(async (models: string[], flags: BenchFlags) => {
      print(await bench(models, flags), flags, formatBench);
    });
}

/** Measures each model in turn. */
export async function bench(
  models: readonly string[],
  flags: Omit<BenchFlags, 'json'>,
): Promise<BenchDocument> {
  if (flags.device !== 'cpu') {
    throw new UsageError(
      `--device: expected cpu, received ${flags.device}; see archwright devices`,
    );
  }
  const files = await Promise.all(
    models.map(async (model) => {
      const bytes = await readModel(model);
      // Read here too, so that a complaint names the file.
      decodeModel(bytes, model);
      return { model, bytes };
    }),
  );
  const { threads } = flags;
  const device = createDevice(threads === undefined ? {} : { threads });
  try {
    const results: BenchDocument['results'][number][] = [];
    for (const { model, bytes } of files) {
      const measured = await measureModel(device, bytes, {
        seconds: flags.seconds,
        seed: flags.seed,
        onWait: (message) => process.stderr.write(`${message}\n`),
        ...(flags.dim !== undefined && { dims: flags.dim }),
      });
      results.push({ model, ...measured });
    }
    const { runtimeVersion, host } = await device.describe();
    return {
      schema: 'archwright.bench/1',
      host: { ...host, node: process.version, runtimeVersion },
      results,
    };
  } finally {
    await device.close();
  }
}

/** Bytes of a model file; throws `UsageError` where it cannot be read. */
export async function readModel(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw new UsageError(`${path}: expected an ONNX file: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function formatBench({ results }: BenchDocument): string {
  const { cpuModel } = loadHost().hostFacts();
  return results.map((result) => formatResult(result, cpuModel)).join('\n\n');
}

function formatResult(r: BenchDocument['results'][number], cpuModel: string): string {
  const { latencyMs: l, memory: m } = r;
  const halfWidth = (100 * (l.ci95[1] - l.ci95[0])) / (2 * l.p50);
  const inputs = Object.entries(r.inputs)
    .map(([name, { type, shape }]) => `${name} ${type}[${shape.join(', ')}]`)
    .join(', ');
  return [
    `${r.model}`,
    `  ${cpuModel}, ${r.provider}, ${r.threads} threads; ${inputs}`,
    `  latency    p50 ${formatMs(l.p50)} ms ± ${halfWidth.toFixed(1)} %   p90 ${formatMs(l.p90)}   p95 ${formatMs(l.p95)}   p99 ${formatMs(l.p99)}   min ${formatMs(l.min)}   σ ${formatMs(l.stddev)}`,
    `  corrected  p50 ${formatMs(r.correctedMs.p50)} ms for drift against the reference graph`,
    `  samples    ${r.samples}, ${r.discarded} disturbed windows discarded${r.steady ? '' : ', not steady'}${r.flags.length > 0 ? `, flags: ${r.flags.join(', ')}` : ''}`,
    `  cold start load ${formatMs(r.coldStart.loadMs)} ms, first run ${formatMs(r.coldStart.firstRunMs)} ms`,
    `  memory     weights ${formatBytes(m.weightsBytes)}, activations ${formatBytes(m.activationPeakBytes)}, arena ${formatBytes(m.arenaPeakBytes)}, process ${formatBytes(m.processPeakBytes)}`,
    `  cost       ${formatCount(r.cost.params)} parameters, ${formatCount(r.cost.macs)} MACs`,
  ].join('\n');
}
