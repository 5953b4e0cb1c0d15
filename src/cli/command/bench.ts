/** `archwright bench`: latency, memory, and on demand throughput of ONNX models. */
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { decodeModel } from '../../ir/onnx/decode.js';
import { type BenchFlag, benchFlags } from '../../measure/flags.js';
import type { InputDims } from '../../measure/inputs.js';
import { type Measurement, type MeasureOptions, measureModel } from '../../measure/measure.js';
import { type Assertion, addAssertOption, applyAssertions } from '../assertion.js';
import { addDeviceOptions, type DeviceFlags, openDevice } from '../device-options.js';
import { readModel } from '../model-file.js';
import { parseDim, parsePositive, parseShape, parseWhole } from '../parse.js';
import { addFormatOptions, type FormatFlags, printReport } from '../report-format.js';
import { type Column, formatBytes, formatCount, formatMs } from '../table.js';

export { readModel };

/** What `bench` measures and how; the rest has defaults. */
export interface BenchFlags extends DeviceFlags {
  readonly seconds: number;
  readonly seed: number;
  readonly dim?: Readonly<Record<string, number>>;
  readonly shape?: InputDims;
  readonly coldCache?: boolean;
  /** Milliseconds from one request to the next. */
  readonly every?: number;
  readonly streams?: readonly number[];
}

interface BenchCommandFlags extends BenchFlags, FormatFlags {
  readonly assert?: readonly Assertion[];
}

type Result = { readonly model: string } & Measurement;

/** The contract `archwright.bench/1`. */
export interface BenchDocument {
  readonly schema: 'archwright.bench/1';
  readonly host: Readonly<Record<string, unknown>>;
  readonly results: readonly Result[];
}

/** `archwright bench`. */
export function addBenchCommand(program: Command): void {
  const command = program
    .command('bench')
    .description('measure latency and memory of ONNX models')
    .argument('<model...>', 'ONNX files')
    .option('--seconds <time>', 'time budget per model', parsePositive('--seconds'), 5)
    .option('--dim <name=size>', 'size of a symbolic dimension; repeatable', parseDim)
    .option('--shape <name=d0,d1,…>', 'shape of an input left open; repeatable', parseShape)
    .option('--cold-cache', 'overwrite the caches before each run')
    .option('--every <ms>', 'a request every so many milliseconds', parsePositive('--every'))
    .option('--streams <list>', 'throughput at 1,2,4 … concurrent streams too', parseStreams)
    .option('--seed <number>', 'seed of the random inputs', parseWhole('--seed', 0), 0);
  addAssertOption(addFormatOptions(addDeviceOptions(command))).action(
    async (models: string[], flags: BenchCommandFlags) => {
      const document = await bench(models, flags);
      const { results } = document;
      const text = () => formatBench(document);
      printReport(document, flags, { text, rows: results, columns });
      applyAssertions(
        flags.assert,
        results.map((result) => ({ name: result.model, result })),
      );
    },
  );
}

/** Measures each model in turn. */
export async function bench(models: readonly string[], flags: BenchFlags): Promise<BenchDocument> {
  const files = await Promise.all(
    models.map(async (model) => {
      const bytes = await readModel(model);
      // Read here too, so that a complaint names the file.
      decodeModel(bytes, model);
      return { model, bytes };
    }),
  );
  const device = await openDevice(flags);
  const { seconds, seed, dim, shape, coldCache, every, streams } = flags;
  const options: MeasureOptions = {
    seconds,
    seed,
    onWait: (message) => process.stderr.write(`${message}\n`),
    ...(dim !== undefined && { dims: dim }),
    ...(shape !== undefined && { shapes: shape }),
    ...(coldCache !== undefined && { coldCache }),
    ...(every !== undefined && { everyMs: every }),
    ...(streams !== undefined && { streams }),
  };
  try {
    const results: Result[] = [];
    for (const { model, bytes } of files) {
      results.push({ model, ...(await measureModel(device, bytes, options)) });
    }
    const { host, ...facts } = await device.describe();
    return {
      schema: 'archwright.bench/1',
      host: { ...host, ...facts, node: process.version },
      results,
    };
  } finally {
    await device.close();
  }
}

function parseStreams(text: string): number[] {
  const counts = text.split(',').map(Number);
  if (counts.every((count) => Number.isSafeInteger(count) && count >= 1)) return counts;
  throw new UsageError(`--streams: expected numbers of streams such as 1,2,4, received ${text}`);
}

const columns: readonly Column<Result>[] = [
  { title: 'model', value: ({ model }) => model },
  { title: 'p50 ms', value: ({ latencyMs }) => formatMs(latencyMs.p50), align: 'right' },
  {
    title: '95 % interval',
    value: ({ latencyMs: { ci95 } }) => `${formatMs(ci95[0])}–${formatMs(ci95[1])}`,
  },
  { title: 'p99 ms', value: ({ latencyMs }) => formatMs(latencyMs.p99), align: 'right' },
  { title: 'samples', value: ({ samples }) => String(samples), align: 'right' },
  {
    title: 'process peak',
    value: ({ memory }) => formatBytes(memory.processPeakBytes),
    align: 'right',
  },
  { title: 'flags', value: ({ flags }) => flags.join(', ') },
];

function formatBench({ results, host }: BenchDocument): string {
  const raised = new Set<BenchFlag>(results.flatMap(({ flags }) => flags));
  const explained = [...raised].map((flag) => `${flag}: ${benchFlags[flag]}`);
  return [
    ...results.map((result) => formatResult(result, String(host.adapter ?? host.cpuModel))),
    ...(explained.length > 0 ? [explained.join('\n')] : []),
  ].join('\n\n');
}

function formatResult(r: Result, machine: string): string {
  const { latencyMs: l, memory: m, transfers: t, energy: e } = r;
  const halfWidth = (100 * (l.ci95[1] - l.ci95[0])) / (2 * l.p50);
  const inputs = Object.entries(r.inputs)
    .map(([name, { type, shape }]) => `${name} ${type}[${shape.join(', ')}]`)
    .join(', ');
  const reasons = Object.entries(r.discardedBy).filter(([, count]) => count > 0);
  const cache = r.mode.cache === 'cold' ? ', cold caches' : '';
  const pace = r.mode.everyMs === null ? '' : `, a request every ${r.mode.everyMs} ms`;
  const device = m.devicePeakBytes === null ? '' : `, device ${formatBytes(m.devicePeakBytes)}`;
  const parts: readonly (readonly [string, string])[] = [
    [
      'latency',
      `p50 ${formatMs(l.p50)} ms ± ${halfWidth.toFixed(1)} %   p90 ${formatMs(l.p90)}   p95 ${formatMs(l.p95)}   p99 ${formatMs(l.p99)}   min ${formatMs(l.min)}   σ ${formatMs(l.stddev)}`,
    ],
    ['corrected', `p50 ${formatMs(r.correctedMs.p50)} ms for drift against the reference graph`],
    [
      'samples',
      `${r.samples} in ${r.sessionsP50Ms.length} sessions, ${r.discarded} disturbed windows discarded${reasons.length > 0 ? ` (${reasons.map(([reason, count]) => `${reason} ${count}`).join(', ')})` : ''}`,
    ],
    ...(t === null
      ? []
      : ([
          [
            'request',
            `h2d ${formatMs(t.h2dMs.p50)} ms, compute ${formatMs(t.computeMs.p50)} ms, d2h ${formatMs(t.d2hMs.p50)} ms; enqueue ${formatMs(t.enqueueMs.p50)} ms`,
          ],
        ] as const)),
    ...r.throughput.map(
      ({ streams, runsPerSecond, latencyMs: { p50, p99 } }) =>
        [
          streams === 1 ? '1 stream' : `${streams} streams`,
          `${formatCount(Math.round(runsPerSecond))} runs a second, p50 ${formatMs(p50)} ms, p99 ${formatMs(p99)}`,
        ] as const,
    ),
    [
      'cold start',
      `load ${formatMs(r.coldStart.loadMs)} ms, first run ${formatMs(r.coldStart.firstRunMs)} ms`,
    ],
    [
      'memory',
      `weights ${formatBytes(m.weightsBytes)}, activations ${formatBytes(m.activationPeakBytes)}, arena ${formatBytes(m.arenaPeakBytes)}, process ${formatBytes(m.processPeakBytes)}${device}`,
    ],
    ...(e === null
      ? []
      : ([
          [
            'energy',
            `${(1e3 * e.joulesPerRun).toPrecision(3)} mJ a run, ${e.meanWatts.toFixed(1)} W (idle ${e.idleWatts.toFixed(1)} W), by ${e.meter}`,
          ],
        ] as const)),
    ['cost', `${formatCount(r.cost.params)} parameters, ${formatCount(r.cost.macs)} MACs`],
    ...(r.flags.length > 0 ? ([['flags', r.flags.join(', ')]] as const) : []),
    ...r.notes.map((note) => ['note', note] as const),
  ];
  return [
    r.model,
    `  ${machine}, ${r.provider}, ${r.threads} threads${cache}${pace}; ${inputs}`,
    ...parts.map(([title, text]) => `  ${title.padEnd(10)} ${text}`),
  ].join('\n');
}
