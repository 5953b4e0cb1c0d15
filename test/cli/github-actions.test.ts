/** The workflow in `examples/`: does it parse, and do its commands exist? */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Assertion } from '../../src/cli/assertion.js';
import { addBenchCommand } from '../../src/cli/command/bench.js';
import { addCompareCommand } from '../../src/cli/command/compare.js';

interface Workflow {
  readonly on: { readonly pull_request: { readonly paths: readonly string[] } };
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly 'runs-on': string;
        readonly steps: readonly {
          readonly uses?: string;
          readonly run?: string;
          readonly with?: Readonly<Record<string, unknown>>;
        }[];
      }
    >
  >;
}

const path = fileURLToPath(new URL('../../examples/github-actions.yml', import.meta.url));
const workflow = parse(readFileSync(path, 'utf8')) as Workflow;
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

/** Words of a line of shell: quotes taken off, what is behind a redirection or `||` left out. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
  const end = words.findIndex((word) => ['>', '>>', '|', '||', '&&'].includes(word as string));
  return (end < 0 ? words : words.slice(0, end)) as string[];
}

const commands = steps
  .flatMap(({ run = '' }) => run.replaceAll(/\\\n\s*/g, ' ').split('\n'))
  .map((line) => line.trim())
  .filter((line) => line.startsWith('archwright '))
  .map(wordsOf);

interface Given {
  readonly args: readonly unknown[];
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Parses the words as the command line does, and gives what the command would get. */
function parseCommand([, ...words]: readonly string[]): Given {
  const program = new Command('archwright').exitOverride();
  addBenchCommand(program);
  addCompareCommand(program);
  let given: Given = { args: [], flags: {} };
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: () => {} });
    command.action((...all: unknown[]) => {
      given = { args: all.slice(0, -2), flags: command.opts() };
    });
  }
  program.parse(words, { from: 'user' });
  return given;
}

describe('the example for GitHub Actions', () => {
  it('is a workflow', () => {
    expect(workflow.on.pull_request.paths).toEqual(['models/**']);
    expect(workflow.env.MODEL).toMatch(/^models\//);
    for (const { uses, run } of steps) expect(uses === undefined).not.toBe(run === undefined);
    for (const { uses } of steps)
      if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
    expect(steps[0]).toMatchObject({ uses: 'actions/checkout@v4', with: { 'fetch-depth': 0 } });
  });

  it('has commands that the command line takes', () => {
    expect(commands.map(([, name]) => name)).toEqual(['bench', 'compare']);
    const [bench, compare] = commands.map(parseCommand) as [Given, Given];
    expect(bench).toMatchObject({ args: [['$MODEL']], flags: { json: true, threads: 1 } });
    expect((bench.flags.assert as Assertion[]).map((one) => one.path)).toEqual([
      'latencyMs.p50',
      'latencyMs.p99',
      'memory.processPeakBytes',
    ]);
    expect(compare).toMatchObject({ args: ['$MODEL', 'base.onnx'], flags: { markdown: true } });
    expect(compare.flags.assert).toMatchObject([
      { path: 'verdict', operator: '!=', expected: 'SLOWER' },
    ]);
  });

  it('would be told of flags that do not exist', () => {
    const program = ['archwright', 'bench', 'x.onnx', '--asert', 'a < 1'];
    expect(() => parseCommand(program)).toThrow(/unknown option '--asert'/);
  });
});
