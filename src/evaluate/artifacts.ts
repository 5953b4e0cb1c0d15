/** Files of a run that must outlive the process: written whole or not at all. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InternalError } from '../errors.js';
import { type Graph, withData } from '../ir/graph.js';
import { decodeModel } from '../ir/onnx/decode.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { artifactOf, type FinishedStage, type StageName } from './evaluate.js';

/** Writes to a temporary name, syncs, renames. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Keeps the graph with its weights under the run's folder; returns the path relative to it. */
export async function saveWeights(
  runDir: string,
  id: number,
  stage: StageName,
  graph: Graph,
): Promise<string> {
  const path = `weights/${String(id).padStart(4, '0')}-${stage}.onnx`;
  await writeDurably(join(runDir, path), encodeModel(graph));
  return path;
}

/** The graph with the weights that `stage` left. */
export async function loadWeights(
  runDir: string,
  graph: Graph,
  history: readonly FinishedStage[],
  stage: StageName,
): Promise<Graph> {
  const path = artifactOf(history, stage, 'weights');
  if (path === undefined) throw new InternalError(`stage ${stage} left no weights`);
  const stored = decodeModel(await readFile(join(runDir, path)), path);
  const data = stored.initializers.flatMap((one) =>
    one.data === undefined ? [] : [[one.name, one.data] as const],
  );
  return withData(graph, new Map(data));
}
