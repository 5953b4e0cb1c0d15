/**
 * The instrument beside plain loops: does its p50 scatter less from process to process, on an idle
 * machine and beside a competing load, and is it no higher?
 *
 *   npm run build && node benchmarks/repeatability.mjs [--processes 20] [--threads 1]
 *     [--seconds 3] [--conditions idle,load] [--models '50 µs,1 ms,20 ms'] [--json]
 *
 * Each figure is the p50 of a fresh process; the kinds take turns, so that all see the same machine.
 * `ours` is the command line. A plain loop warms up for a quarter of the time, feeds one input and
 * times each run by the clock: over `onnxruntime-node`, and over Python's `onnxruntime` where
 * `python3` can import it. The load is one process that keeps a core busy in bursts of 50 to 500 ms
 * with pauses as long.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, quantile } from '../dist/measure/statistics.js';
import { Rng } from '../dist/util/random.js';
import { convNets, encodeConvNet } from './conv-net.mjs';

const self = fileURLToPath(import.meta.url);
const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const environment = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
const { values: flags } = parseArgs({
  options: {
    processes: { type: 'string', default: '20' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
    conditions: { type: 'string', default: 'idle,load' },
    models: { type: 'string', default: Object.keys(convNets).join(',') },
    json: { type: 'boolean', default: false },
    child: { type: 'string' },
    model: { type: 'string' },
  },
});

/** p50 and flags by `archwright bench`, milliseconds. */
function timeOurs(path) {
  const options = ['--threads', flags.threads, '--seconds', flags.seconds, '--json'];
  const output = execFileSync(process.execPath, [cli, 'bench', path, ...options], {
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [result] = JSON.parse(output).results;
  return { p50: result.latencyMs.p50, corrected: result.correctedMs.p50, flags: result.flags };
}

function timeNode(path) {
  const options = ['--threads', flags.threads, '--seconds', flags.seconds];
  const args = [self, '--child', 'node', '--model', path, ...options];
  return JSON.parse(execFileSync(process.execPath, args, { env: environment, encoding: 'utf8' }));
}

const pythonLoop = `
import sys, time, json, numpy as np, onnxruntime as ort
path, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
options = ort.SessionOptions()
options.intra_op_num_threads = threads
options.inter_op_num_threads = 1
session = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
feed = session.get_inputs()[0]
feeds = {feed.name: np.random.default_rng(0).standard_normal(feed.shape, dtype=np.float32)}
start = time.perf_counter(); samples = []
while True:
    before = time.perf_counter(); session.run(None, feeds); after = time.perf_counter()
    if before - start > seconds / 4: samples.append(1e3 * (after - before))
    if after - start > seconds: break
print(json.dumps({'p50': float(np.median(samples))}))
`;

function timePython(path) {
  const args = ['-c', pythonLoop, path, flags.threads, flags.seconds];
  return JSON.parse(execFileSync('python3', args, { env: environment, encoding: 'utf8' }));
}

/** The loop over `onnxruntime-node` itself, in the child process. */
async function loopNode() {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(new Uint8Array(readFileSync(flags.model)), {
    intraOpNumThreads: Number(flags.threads),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const [{ name, shape }] = session.inputMetadata;
  const rng = new Rng('plain');
  const count = shape.reduce((product, dim) => product * dim, 1);
  const data = Float32Array.from({ length: count }, () => rng.normal());
  const feeds = { [name]: new Tensor('float32', data, shape) };
  const start = performance.now();
  const warm = start + 250 * Number(flags.seconds);
  const end = start + 1e3 * Number(flags.seconds);
  const samples = [];
  for (;;) {
    const before = performance.now();
    await session.run(feeds);
    const after = performance.now();
    if (before > warm) samples.push(after - before);
    if (after > end) return { p50: median(samples) };
  }
}

/** Busy in bursts until it is killed. */
async function loadCore() {
  const rng = new Rng('load');
  for (;;) {
    const end = performance.now() + rng.range(50, 500);
    while (performance.now() < end);
    await sleep(rng.range(50, 500));
  }
}

/** Spread over processes: interquartile range and range, relative to the median. */
function describe(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const centre = median(sorted);
  return {
    medianMs: centre,
    iqrShare: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / centre,
    rangeShare: (sorted.at(-1) - sorted[0]) / centre,
    p50Ms: values,
  };
}

const hasPython =
  flags.child === undefined && spawnSync('python3', ['-c', 'import onnxruntime']).status === 0;
const kinds = { ours: timeOurs, node: timeNode, ...(hasPython && { python: timePython }) };

async function run(path, condition) {
  const runs = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  const load =
    condition === 'load'
      ? spawn(process.execPath, [self, '--child', 'load'], { stdio: 'ignore' })
      : undefined;
  try {
    for (let i = 0; i < Number(flags.processes); i++) {
      for (const [kind, time] of Object.entries(kinds)) runs[kind].push(time(path));
    }
  } finally {
    load?.kill('SIGKILL');
  }
  return runs;
}

function report(name, condition, runs, idleMs) {
  const spread = Object.fromEntries(
    Object.entries(runs).map(([kind, results]) => [kind, describe(results.map((r) => r.p50))]),
  );
  spread['ours, corrected'] = describe(runs.ours.map((result) => result.corrected));
  const noisy = runs.ours.filter((result) => result.flags.includes('noisy')).length;
  const off = (result) => Math.abs(result.p50 / idleMs - 1) > 0.03;
  const unflagged = runs.ours.filter((result) => off(result) && !result.flags.includes('noisy'));
  const row = { model: name, condition, spread, noisy, beyond3PercentUnflagged: unflagged.length };
  if (!flags.json) {
    console.log(`${name} model, ${condition}, ${flags.processes} processes each`);
    for (const [kind, s] of Object.entries(spread)) {
      console.log(
        `  ${kind.padEnd(15)} median ${(1e3 * s.medianMs).toFixed(1)} µs, ` +
          `IQR ${(100 * s.iqrShare).toFixed(2)} %, max − min ${(100 * s.rangeShare).toFixed(2)} %`,
      );
      console.log(`    ${s.p50Ms.map((value) => (1e3 * value).toFixed(1)).join(' ')}`);
    }
    console.log(`  ours: ${noisy} flagged noisy, ${unflagged.length} unflagged beyond 3 % of idle`);
  }
  return row;
}

if (flags.child === 'node') console.log(JSON.stringify(await loopNode()));
else if (flags.child === 'load') await loadCore();
else {
  const folder = mkdtempSync(join(tmpdir(), 'repeatability-'));
  const rows = [];
  try {
    if (!hasPython) console.error('python3 has no onnxruntime: that peer is left out');
    for (const name of flags.models.split(',')) {
      const path = join(folder, `${name.replaceAll(/\W/g, '')}.onnx`);
      writeFileSync(path, encodeConvNet(convNets[name]));
      let idleMs = Number.NaN;
      for (const condition of flags.conditions.split(',')) {
        const runs = await run(path, condition);
        if (condition === 'idle') idleMs = median(runs.ours.map(({ p50 }) => p50));
        rows.push(report(name, condition, runs, idleMs));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (flags.json) console.log(JSON.stringify({ schema: 'archwright.repeatability/1', rows }));
}
