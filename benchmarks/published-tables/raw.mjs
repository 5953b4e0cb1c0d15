/**
 * Raw searches, kept outside the repository: a file per task and strategy with the rows asked for, so
 * that a strategy can be run again, or with more seeds, without the others.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const fileOf = (folder, task, strategy) => join(folder, task.name, `${strategy}.json`);

/** Runs of a task as it is now defined, by seed; none where there are none. */
export function readRuns(folder, task, strategy) {
  const file = fileOf(folder, task, strategy);
  if (!existsSync(file)) return [];
  const record = JSON.parse(readFileSync(file, 'utf8'));
  return JSON.stringify(record.task) === JSON.stringify(task) ? record.runs : [];
}

export function writeRuns(folder, task, strategy, runs) {
  const file = fileOf(folder, task, strategy);
  mkdirSync(dirname(file), { recursive: true });
  const sorted = runs.toSorted((a, b) => a.seed - b.seed);
  writeFileSync(`${file}.part`, JSON.stringify({ task, strategy, runs: sorted }));
  renameSync(`${file}.part`, file);
}

export function dropRuns(folder, task, strategy) {
  rmSync(fileOf(folder, task, strategy), { force: true });
}
