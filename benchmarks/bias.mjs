/**
 * Bias of the instrument: p50 of `archwright bench` over the p50 of a loop in C++ alone
 * (`bias/loop.cc`, compiled here), for models of about 50 µs, 1 ms and 20 ms. Target: within 1 %.
 *
 *   npm run build && node benchmarks/bias.mjs [--processes 10] [--threads 1] [--seconds 3] [--json]
 *
 * Each figure is the p50 of a fresh process; the two take turns, so that both see the same machine.
 * Both open the same ONNX Runtime, and both rotate four sets of standard normal inputs. Needs g++.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../dist/measure/statistics.js';
import { findRuntimeLibrary } from '../dist/runtime/binding.js';
import { Rng } from '../dist/util/random.js';
import { convNets, encodeConvNet } from './conv-net.mjs';

const local = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values: flags } = parseArgs({
  options: {
    processes: { type: 'string', default: '10' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const SETS = 4;
const library = findRuntimeLibrary();
const folder = mkdtempSync(join(tmpdir(), 'bias-'));
const loop = join(folder, 'loop');

/** p50 by the instrument, milliseconds. */
function timeOurs(model) {
  const options = ['--threads', flags.threads, '--seconds', flags.seconds, '--json'];
  const output = execFileSync(
    process.execPath,
    [local('../dist/cli/main.js'), 'bench', model, ...options],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return JSON.parse(output).results[0].latencyMs.p50;
}

/** p50 by the loop, milliseconds. */
function timeLoop(model, inputs) {
  const args = [library, model, inputs, SETS, flags.threads, flags.seconds].map(String);
  return JSON.parse(execFileSync(loop, args, { encoding: 'utf8' })).p50Ns / 1e6;
}

function measureBias(name, shape) {
  const model = join(folder, 'model.onnx');
  const inputs = join(folder, 'inputs.bin');
  writeFileSync(model, encodeConvNet(shape));
  const rng = new Rng('bias');
  const length = SETS * shape.channels * shape.size ** 2;
  writeFileSync(inputs, new Uint8Array(Float32Array.from({ length }, () => rng.normal()).buffer));
  const oursMs = [];
  const loopMs = [];
  for (let i = 0; i < Number(flags.processes); i++) {
    oursMs.push(timeOurs(model));
    loopMs.push(timeLoop(model, inputs));
  }
  return { model: name, ratio: median(oursMs) / median(loopMs), oursMs, loopMs };
}

try {
  execFileSync(
    'g++',
    ['-O2', '-std=c++17', '-I', local('../native'), local('bias/loop.cc'), '-o', loop, '-ldl'],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const rows = Object.entries(convNets).map(([name, shape]) => {
    const row = measureBias(name, shape);
    const micros = (values) => (1e3 * median(values)).toFixed(2);
    console.error(
      `${name}: archwright ${micros(row.oursMs)} µs, C++ loop ${micros(row.loopMs)} µs, ` +
        `ratio ${row.ratio.toFixed(4)} (${flags.processes} processes each)`,
    );
    return row;
  });
  if (flags.json) console.log(JSON.stringify({ schema: 'archwright.bias/1', rows }));
} finally {
  rmSync(folder, { recursive: true });
}
