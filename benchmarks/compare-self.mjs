/**
 * Does `archwright compare` tell equal models from unequal ones, and how long does it take?
 *
 *   npm run build && node benchmarks/compare-self.mjs [--comparisons 50] [--threads 1]
 *                         [--seconds 20] [--seed 0] [--json]
 *
 * Two kinds of comparisons, alternating, each a fresh process of the command line:
 * - a net of 100 equal 3×3 convolutions against itself: right is SAME; UNCLEAR is no error;
 * - the same with 103, so 3 % more of the same work: right is SLOWER, or FASTER the other way round.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { quantile } from '../dist/measure/statistics.js';
import { encodeConvNet } from './conv-net.mjs';

const LAYERS = { base: 100, slower: 103 };
const run = promisify(execFile);
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

const { values: flags } = parseArgs({
  options: {
    comparisons: { type: 'string', default: '50' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});

/** One comparison: the document, and the seconds that the process took. */
async function compare(a, b, seed) {
  const start = performance.now();
  const { threads, seconds } = flags;
  const args = ['--threads', threads, '--seconds', seconds, '--seed', String(seed), '--json'];
  const { stdout } = await run(process.execPath, [main, 'compare', a, b, ...args], {
    maxBuffer: 2 ** 26,
  });
  return { ...JSON.parse(stdout), processSeconds: (performance.now() - start) / 1e3 };
}

/** Verdicts, how often they were right, and what they took. */
function summarize(trials) {
  const verdicts = { FASTER: 0, SLOWER: 0, SAME: 0, UNCLEAR: 0 };
  for (const { verdict } of trials) verdicts[verdict]++;
  const sorted = (values) => values.toSorted((x, y) => x - y);
  const seconds = sorted(trials.map(({ processSeconds }) => processSeconds));
  const ratios = sorted(trials.map(({ slowerRatio }) => slowerRatio));
  return {
    comparisons: trials.length,
    verdicts,
    right: trials.filter(({ right }) => right).length,
    wrong: trials.filter(({ wrong }) => wrong).length,
    noisy: trials.filter(({ noisy }) => noisy).length,
    ratio: { min: ratios[0], p50: quantile(ratios, 0.5), max: ratios.at(-1) },
    seconds: { p50: quantile(seconds, 0.5), p90: quantile(seconds, 0.9), max: seconds.at(-1) },
  };
}

function print(name, { comparisons, verdicts, right, wrong, noisy, ratio, seconds }) {
  const counts = Object.entries(verdicts).map(([verdict, count]) => `${verdict} ${count}`);
  console.log(`${name}: ${comparisons} comparisons: ${counts.join(', ')}`);
  console.log(`  right ${right}, wrong ${wrong}, on a noisy machine ${noisy}`);
  console.log(
    `  ratio ${ratio.min.toFixed(4)} … ${ratio.p50.toFixed(4)} … ${ratio.max.toFixed(4)}`,
  );
  console.log(
    `  seconds per comparison p50 ${seconds.p50.toFixed(1)}, p90 ${seconds.p90.toFixed(1)}, max ${seconds.max.toFixed(1)}`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'compare-self-'));
try {
  const path = {};
  for (const [name, depth] of Object.entries(LAYERS)) {
    path[name] = join(folder, `${name}.onnx`);
    writeFileSync(
      path[name],
      encodeConvNet({ channels: 16, size: 12, stages: [16], depth: depth }),
    );
  }
  const self = [];
  const slower = [];
  for (let i = 0; i < Number(flags.comparisons); i++) {
    const seed = Number(flags.seed) + i;
    const same = await compare(path.base, path.base, seed);
    const noisy = ({ flags: raised }) => raised.includes('noisy');
    self.push({
      ...same,
      slowerRatio: same.ratio,
      right: same.verdict === 'SAME',
      wrong: same.verdict === 'FASTER' || same.verdict === 'SLOWER',
      noisy: noisy(same),
    });
    const first = i % 2 === 0;
    const pair = first ? [path.slower, path.base] : [path.base, path.slower];
    const other = await compare(...pair, seed);
    const right = other.verdict === (first ? 'SLOWER' : 'FASTER');
    slower.push({
      ...other,
      slowerRatio: first ? other.ratio : 1 / other.ratio,
      right,
      wrong: !right && other.verdict !== 'UNCLEAR',
      noisy: noisy(other),
    });
    if (!flags.json) {
      console.error(
        `${i + 1}: self ${same.verdict}, ${first ? 'slower' : 'faster'} ${other.verdict}`,
      );
    }
  }
  const result = { self: summarize(self), slower: summarize(slower) };
  if (flags.json) {
    console.log(
      JSON.stringify({ ...result, layers: LAYERS, threads: Number(flags.threads) }, null, 2),
    );
  } else {
    print('against itself', result.self);
    print('against 3 % more work', result.slower);
  }
} finally {
  rmSync(folder, { recursive: true });
}
