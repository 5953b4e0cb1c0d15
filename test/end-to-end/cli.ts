/** The command line in a child process, as a person runs it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when standard error has printed something that matches. */
  sees(pattern: RegExp): Promise<void>;
}

/** Starts `archwright …args`. */
export function start(args: readonly string[], cwd: string): Running {
  const child = spawn(process.execPath, [main, ...args], { cwd });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    for (const watcher of watchers) watcher();
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    child,
    finished,
    sees: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(stderr)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        void finished.then(() => reject(new Error(`ended before ${pattern}:\n${stderr}`)));
        look();
      }),
  };
}

/** Runs `archwright …args` to its end. */
export function archwright(args: readonly string[], cwd: string): Promise<Finished> {
  return start(args, cwd).finished;
}

/** An empty folder. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'archwright-test-'));
}

/** A search that takes seconds: little data, little training, a few trials. */
export const smallSearch = {
  seed: 3,
  data: { kind: 'glyphs', train: 320, search: 200, hidden: 200 },
  train: { epochs: { short: 1, long: 1 }, batch: 32, threads: 1 },
  device: { threads: 1, measureSeconds: 0.15 },
  objectives: [
    { metric: 'accuracy', direction: 'maximize' },
    { metric: 'params', direction: 'minimize' },
  ],
  constraints: [{ metric: 'macs', max: 3_000_000 }],
  budget: { trials: 6 },
  guard: { seeds: 2, champions: 2 },
};

/** Writes a configuration and returns its path. */
export function writeConfig(folder: string, config: unknown): string {
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Pids of the children of a process (Linux). */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** The first child of a process, once it has computed for a while from now on (Linux). */
export async function busyChildOf(pid: number): Promise<number> {
  const [child] = childrenOf(pid);
  if (child === undefined) throw new Error(`process ${pid} has no child`);
  const start = cpuTicksOf(child);
  // A tick is 10 ms.
  while (cpuTicksOf(child) < start + 20) await sleep(10);
  return child;
}

/** Processor time of a process so far, user and kernel. */
function cpuTicksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
