import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { writeDurably } from '../../evaluate/artifacts.js';
import { inferCost } from '../../ir/cost.js';
import { decodeModel } from '../../ir/onnx/decode.js';
import { encodeModel } from '../../ir/onnx/encode.js';
import { deployGraph } from '../../train/deploy.js';
import { show } from '../compose.js';
import { type OutputOptions, print } from '../output.js';
import { parseWhole } from '../parse.js';
import { formatBytes, formatCount } from '../table.js';

interface ExportFlags extends OutputOptions {
  readonly trial?: number;
  readonly out: string;
}

/** `archwright export`. */
export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description('write the trained model of a trial as a deployable ONNX file')
    .argument('<run>', 'folder of the run')
    .requiredOption('--out <file>', 'where to write it')
    .option('--trial <id>', 'default: the best of the front', parseWhole('--trial', 1))
    .option('--json', 'print one JSON document')
    .action(async (runDir: string, flags: ExportFlags) => {
      const exported = await exportTrial(runDir, flags.trial, flags.out);
      print(exported, flags, ({ trial, onnx, bytes, params }) => {
        return `trial ${trial}: ${onnx}, ${formatBytes(bytes)}, ${formatCount(params)} parameters`;
      });
    });
}

/** Exports what the longest finished training of a trial left. */
export async function exportTrial(runDir: string, trial: number | undefined, out: string) {
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
  const classes = JSON.parse(names) as string[];
  const deployed = deployGraph(graph, { classes });
  const bytes = encodeModel(deployed);
  await writeDurably(out, bytes);
  const { params } = inferCost(deployed, { N: 1 });
  return { schema: 'archwright.export/1', trial: id, onnx: out, bytes: bytes.byteLength, params };
}
