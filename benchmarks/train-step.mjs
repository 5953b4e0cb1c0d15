/**
 * One training step here and in PyTorch: the same nets, weights, batches and recipe, two threads each.
 * Compares the losses of the first round, the median step times of rounds run in turns, and the peak
 * memory of training in fresh processes. A net of many ReLU6 over batch norms is chaotic in float32,
 * so PyTorch's own distance from its float64 run stands beside the distance between the two.
 *
 *   npm run build && node benchmarks/train-step.mjs [--python /usr/bin/python3] [--nets lenet,mlp]
 *     [--rounds 5] [--optimizer sgd] [--profile]
 *
 * `--profile` prints where the time of either goes instead. Needs a Python with CPU PyTorch; says so
 * where there is none. Mind what PyTorch is built with: one without oneDNN and a fast BLAS is no
 * measure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nets } from './train-step/nets.mjs';
import { startOurs } from './train-step/ours.mjs';
import { BATCH, createProblem, THREADS, writeProblem } from './train-step/problem.mjs';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    nets: { type: 'string', default: Object.keys(nets).join(',') },
    rounds: { type: 'string', default: '5' },
    optimizer: { type: 'string', default: 'sgd' },
    profile: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const torchScript = script('train_torch.py');
const torch = spawnSync(options.python, ['-c', 'import torch; print(torch.__version__)']);
if (torch.status !== 0) {
  console.error(
    `${options.python} has no PyTorch: nothing to compare with (--python names another)`,
  );
  process.exit(1);
}

function startTorch(folder, dtype) {
  const child = spawn(options.python, [torchScript, folder, dtype], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async round(steps) {
      child.stdin.write(`${steps}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('PyTorch ended early');
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

/** Standard output of a process that must end well. */
function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${args.join(' ')} failed`);
  return String(stdout);
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const distance = (a, b) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

async function compare(problem, folder) {
  const { name, steps } = problem;
  const megabytes = (json) => JSON.parse(json).peakBytes / 2 ** 20;
  const ourMemory = output(process.execPath, [
    '--expose-gc',
    script('train-step/memory.mjs'),
    name,
    options.optimizer,
  ]);
  const torchMemory = output(options.python, [torchScript, folder, 'float32', 'memory']);
  const ours = await startOurs(problem);
  const theirs = startTorch(folder, 'float32');
  const exact = startTorch(folder, 'float64');
  const times = { ours: [], theirs: [] };
  let lossDifference = 0;
  let torchDifference = 0;
  for (let round = 0; round <= Number(options.rounds); round++) {
    const a = await ours.round();
    const b = await theirs.round(steps);
    if (round === 0) {
      lossDifference = distance(a.losses, b.losses);
      torchDifference = distance(b.losses, (await exact.round(steps)).losses);
      exact.end();
      continue; // the first round also warms both up
    }
    times.ours.push(...a.stepMs);
    times.theirs.push(...b.stepMs);
  }
  ours.end();
  theirs.end();
  return {
    net: name,
    oursMs: median(times.ours),
    oursMinMs: Math.min(...times.ours),
    torchMs: median(times.theirs),
    torchMinMs: Math.min(...times.theirs),
    ratio: median(times.theirs) / median(times.ours),
    oursMB: megabytes(ourMemory),
    torchMB: megabytes(torchMemory),
    lossDifference,
    torchDifference,
  };
}

async function printProfiles(problem, folder) {
  const ours = await startOurs(problem, true);
  await ours.round();
  const rows = ours.profile();
  const total = rows.reduce((sum, { op, ms }) => sum + (op.startsWith(' ') ? 0 : ms), 0);
  console.log(`\n${problem.name}, ours: ${total.toFixed(2)} ms per step in kernels`);
  for (const { op, ms, calls } of rows.slice(0, 40)) {
    console.log(`${ms.toFixed(3).padStart(10)} ms ${calls.toFixed(0).padStart(4)} × ${op}`);
  }
  ours.end();
  console.log(`\n${problem.name}, PyTorch, 3 steps`);
  console.log(output(options.python, [torchScript, folder, 'float32', 'profile']));
}

const rows = [];
for (const name of options.nets.split(',')) {
  const problem = createProblem(name, options.optimizer);
  const folder = mkdtempSync(join(tmpdir(), 'archwright-train-'));
  try {
    writeProblem(folder, problem);
    if (options.profile) await printProfiles(problem, folder);
    else rows.push(await compare(problem, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
if (options.json) console.log(JSON.stringify(rows));
else if (!options.profile) {
  console.log(
    `PyTorch ${String(torch.stdout).trim()}, ${THREADS} threads each, batch ${BATCH}, ` +
      `${options.optimizer}; ratio: PyTorch ÷ ours; MB: peak of a training process`,
  );
  console.table(
    rows.map(({ lossDifference, torchDifference, ...rest }) => ({
      ...Object.fromEntries(
        Object.entries(rest).map(([key, value]) => [
          key,
          typeof value === 'number' ? Number(value.toFixed(2)) : value,
        ]),
      ),
      lossDifference: lossDifference.toExponential(1),
      'float32 to float64 in PyTorch': torchDifference.toExponential(1),
    })),
  );
}
