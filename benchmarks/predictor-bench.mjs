// How well latencies are predicted from a few measured networks.
//
//   npm run predictor-bench -- --table <latency table> [--columns a,b] [--samples 10,50,150] [--json]
//   npm run predictor-bench -- --measure 200 [--out file.json] [--image 1x28x28] [--json]
//
// The first takes published tables of NAS-Bench-201 cells or FBNet architectures; the second measures
// random architectures of the conv space on this machine's CPU (one thread), into a file that it
// continues where it ended.
import { parseArgs } from 'node:util';
import { measureConvSpace } from './predictor/measured.mjs';
import { ceilingOf, evaluateColumn } from './predictor/protocol.mjs';
import { latencyColumns, readTable } from './predictor/table.mjs';

const { values: flags } = parseArgs({
  options: {
    table: { type: 'string', multiple: true },
    columns: { type: 'string' },
    samples: { type: 'string' },
    draws: { type: 'string', default: '20' },
    seed: { type: 'string', default: '0' },
    measure: { type: 'string' },
    out: { type: 'string', default: 'predictor-measured.json' },
    image: { type: 'string', default: '1x28x28' },
    json: { type: 'boolean', default: false },
  },
});

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const isMeasuring = flags.measure !== undefined;

try {
  if (isMeasuring === (flags.table !== undefined)) {
    throw new Error('expected either --table <file> or --measure <count>');
  }
  const draws = wholeNumber('--draws', flags.draws);
  const sizes = (flags.samples ?? (isMeasuring ? '10,50,150' : '10'))
    .split(',')
    .map((size) => wholeNumber('--samples', size));
  const sources = isMeasuring
    ? [await measureConvSpace(wholeNumber('--measure', flags.measure), flags, log)]
    : flags.table.map(openTable);
  const devices = sources.flatMap((source) => evaluateSource(source, sizes, draws));
  const summary = Object.fromEntries(
    sizes.map((size) => [size, summarize(devices.map(({ results }) => results[size]))]),
  );
  const report = {
    schema: 'archwright.predictor-bench/1',
    draws,
    seed: flags.seed,
    devices,
    summary,
  };
  if (flags.json) console.log(JSON.stringify(report));
  else for (const size of sizes) print(size, devices, summary[size]);
} catch (error) {
  log(error.message);
  process.exitCode = 2;
}

function openTable(path) {
  const table = readTable(path);
  const columns = flags.columns?.split(',') ?? latencyColumns(table);
  for (const name of columns) {
    if (table.columns.has(name)) continue;
    const known = [...table.columns.keys()].join(', ');
    if (sourceHas(name, path)) continue;
    throw new Error(`--columns: expected some of ${known}; received ${name}`);
  }
  const encode = () => ({ schema: table.schema, features: table.features });
  return {
    name: path,
    space: table.space,
    encode,
    flops: table.flops,
    columns: columns
      .filter((name) => table.columns.has(name))
      .map((name) => [name, table.columns.get(name)]),
  };
}

/** With several tables, a column may be in another one. */
function sourceHas(name, path) {
  return flags.table.some((other) => other !== path && readTable(other).columns.has(name));
}

function evaluateSource(source, sizes, draws) {
  return source.columns.map(([device, values]) => {
    const seed = `${flags.seed}/${device}`;
    const ceiling = ceilingOf(source, values, seed);
    const results = Object.fromEntries(
      sizes
        .filter((samples) => samples < values.length - 1)
        .map((samples) => [samples, evaluateColumn(source, values, { samples, draws, seed })]),
    );
    log(`${device}: done`);
    return {
      table: source.name,
      space: source.space,
      device,
      rows: values.length,
      ceiling,
      results,
    };
  });
}

function summarize(results) {
  const known = results.filter((one) => one !== undefined);
  if (known.length === 0) return undefined;
  const average = (who, what) => Math.round(1e4 * mean(known.map((one) => one[who][what]))) / 1e4;
  return {
    devices: known.length,
    spearman: {
      predictor: average('predictor', 'spearman'),
      ridge: average('ridge', 'spearman'),
      flops: average('flops', 'spearman'),
    },
    within10: { predictor: average('predictor', 'within10'), ridge: average('ridge', 'within10') },
    belowRidge: known.filter((one) => one.predictor.spearman < one.ridge.spearman).length,
  };
}

function print(size, devices, summary) {
  if (summary === undefined) return log(`${size} samples: too few rows`);
  const cells = (row) =>
    row.map((cell, i) => (i ? String(cell).padStart(9) : cell.padEnd(24))).join('');
  const percent = (share) => `${(100 * share).toFixed(0)}%`;
  console.log(`\n${size} samples, Spearman (share within ±10 %)`);
  console.log(cells(['device', 'predictor', '', 'ridge', '', 'FLOPs', 'ceiling', 'coverage']));
  for (const { device, ceiling, results } of devices) {
    const one = results[size];
    if (one === undefined) continue;
    const { predictor, ridge, flops } = one;
    const [a, b] = [percent(predictor.within10), percent(ridge.within10)];
    const numbers = [predictor.spearman, a, ridge.spearman, b, flops.spearman, ceiling];
    console.log(cells([device, ...numbers, percent(predictor.coverage90)]));
  }
  const { spearman, within10, belowRidge } = summary;
  const [a, b] = [percent(within10.predictor), percent(within10.ridge)];
  console.log(cells(['mean', spearman.predictor, a, spearman.ridge, b, spearman.flops, '', '']));
  console.log(`below the ridge: ${belowRidge} of ${summary.devices}`);
}

function wholeNumber(flag, text) {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`${flag}: expected a whole number above 0, received ${text}`);
}

function log(line) {
  process.stderr.write(`${line}\n`);
}
