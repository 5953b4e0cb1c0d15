/** `archwright compare`: which of two models is faster, or is one as fast as it was? */
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { decodeModel } from '../../ir/onnx/decode.js';
import {
  type ComparedModel,
  type Comparison,
  compareModels,
  EQUIVALENCE,
  type OutputDifference,
} from '../../measure/compare.js';
import { BASELINE_EQUIVALENCE, compareMeasurements } from '../../measure/compare-baseline.js';
import type { CompareVerdict } from '../../measure/compare-statistics.js';
import type { InputDims } from '../../measure/inputs.js';
import { type Measurement, measureModel } from '../../measure/measure.js';
import { type Assertion, addAssertOption, applyAssertions } from '../assertion.js';
import { type Baseline, readBaseline, requireComparable } from '../baseline.js';
import { addDeviceOptions, type DeviceFlags, openDevice } from '../device-options.js';
import { readModel } from '../model-file.js';
import { parseDim, parsePositive, parseShape, parseWhole } from '../parse.js';
import { addFormatOptions, type FormatFlags, printReport } from '../report-format.js';
import { type Column, formatCount, formatMs } from '../table.js';

/** What `compare` compares and how. */
export interface CompareFlags extends DeviceFlags {
  readonly seconds?: number;
  readonly seed: number;
  readonly dim?: Readonly<Record<string, number>>;
  readonly shape?: InputDims;
  /** Path of what `bench --json` printed, in place of a second model. */
  readonly baseline?: string;
}

interface CompareCommandFlags extends CompareFlags, FormatFlags {
  readonly assert?: readonly Assertion[];
}

/** The contract `archwright.compare/1`. */
export type CompareDocument = InterleavedDocument | BaselineDocument;

interface DocumentHead {
  readonly schema: 'archwright.compare/1';
  /** Of a against b. */
  readonly verdict: CompareVerdict;
  /** a's median latency ÷ b's. */
  readonly ratio: number;
  readonly ci95: readonly [number, number];
  readonly host: Readonly<Record<string, unknown>>;
}

type InterleavedDocument = DocumentHead & {
  readonly method: 'interleaved';
} & Omit<Comparison, 'a' | 'b'> & {
    readonly a: { readonly model: string } & ComparedModel;
    readonly b: { readonly model: string } & ComparedModel;
  };

type BaselineDocument = DocumentHead & {
  readonly method: 'baseline';
  readonly a: { readonly model: string } & Measurement;
  readonly b: { readonly model: string } & Baseline['result'];
};

/** `archwright compare`. */
export function addCompareCommand(program: Command): void {
  const command = program
    .command('compare')
    .description('say whether a model is faster or slower than another, or than it was')
    .argument('<a>', 'ONNX file')
    .argument('[b]', 'ONNX file to compare it with')
    .option('--baseline <file>', 'compare with what bench --json printed earlier instead')
    .option('--seconds <time>', 'time budget (default: 20, baseline 5)', parsePositive('--seconds'))
    .option('--dim <name=size>', 'size of a symbolic dimension; repeatable', parseDim)
    .option('--shape <name=d0,d1,…>', 'shape of an input left open; repeatable', parseShape)
    .option('--seed <number>', 'seed of inputs and order', parseWhole('--seed', 0), 0);
  addAssertOption(addFormatOptions(addDeviceOptions(command))).action(
    async (a: string, b: string | undefined, flags: CompareCommandFlags) => {
      const document = await compare(a, b, flags);
      const text = () => formatComparison(document);
      printReport(document, flags, { text, rows: [document], columns });
      applyAssertions(flags.assert, [{ name: a, result: document }]);
    },
  );
}

/** Compares model file `a` with model file `b`, or with the measurement in `flags.baseline`. */
export async function compare(
  a: string,
  b: string | undefined,
  flags: CompareFlags,
): Promise<CompareDocument> {
  if (b !== undefined && flags.baseline === undefined) return compareFiles(a, b, flags);
  if (b === undefined && flags.baseline !== undefined) {
    return compareWithBaseline(a, flags.baseline, flags);
  }
  const received = b === undefined ? 'neither' : 'both';
  throw new UsageError(`compare: expected a second model or --baseline, received ${received}`);
}

async function compareFiles(
  a: string,
  b: string,
  flags: CompareFlags,
): Promise<InterleavedDocument> {
  const [bytesA, bytesB] = [await readDecodable(a), await readDecodable(b)];
  const device = await openDevice(flags);
  try {
    const compared = await compareModels(device, bytesA, bytesB, optionsOf(flags));
    const { verdict, ratio, ci95, ...rest } = compared;
    const { host, ...facts } = await device.describe();
    return {
      schema: 'archwright.compare/1',
      verdict,
      ratio,
      ci95,
      method: 'interleaved',
      host: { ...host, ...facts, node: process.version },
      ...rest,
      a: { model: a, ...compared.a },
      b: { model: b, ...compared.b },
    };
  } finally {
    await device.close();
  }
}

async function compareWithBaseline(
  a: string,
  path: string,
  flags: CompareFlags,
): Promise<BaselineDocument> {
  const baseline = await readBaseline(path, a);
  const bytes = await readDecodable(a);
  const device = await openDevice(flags);
  try {
    const result = await measureModel(device, bytes, optionsOf(flags));
    const { host: facts, ...described } = await device.describe();
    const host = { ...facts, ...described, node: process.version };
    requireComparable(path, { host, result }, baseline);
    return {
      schema: 'archwright.compare/1',
      ...compareMeasurements(result, baseline.result),
      method: 'baseline',
      host,
      a: { model: a, ...result },
      b: { ...baseline.result, model: baseline.model },
    };
  } finally {
    await device.close();
  }
}

/** Bytes of a model; a complaint about what is in them names the file. */
async function readDecodable(path: string): Promise<Uint8Array> {
  const bytes = await readModel(path);
  decodeModel(bytes, path);
  return bytes;
}

function optionsOf({ seconds, seed, dim, shape }: CompareFlags) {
  return {
    seed,
    onWait: (message: string) => process.stderr.write(`${message}\n`),
    ...(seconds !== undefined && { seconds }),
    ...(dim !== undefined && { dims: dim }),
    ...(shape !== undefined && { shapes: shape }),
  };
}

const columns: readonly Column<CompareDocument>[] = [
  { title: 'a', value: ({ a }) => a.model },
  { title: 'b', value: ({ b }) => b.model },
  { title: 'verdict of a', value: ({ verdict }) => verdict },
  { title: 'a ÷ b', value: ({ ratio }) => ratio.toFixed(4), align: 'right' },
  { title: '95 % interval', value: ({ ci95 }) => formatInterval(ci95) },
  { title: 'a p50 ms', value: ({ a }) => formatMs(a.latencyMs.p50), align: 'right' },
  { title: 'b p50 ms', value: ({ b }) => formatMs(b.latencyMs.p50), align: 'right' },
];

function formatInterval([low, high]: readonly [number, number]): string {
  return `${low.toFixed(4)}–${high.toFixed(4)}`;
}

/** What a verdict says, in words. */
function explainVerdict({ verdict, ratio, method }: CompareDocument): string {
  const percent = (100 * Math.abs(ratio - 1)).toFixed(1);
  const within = 100 * (method === 'baseline' ? BASELINE_EQUIVALENCE : EQUIVALENCE);
  switch (verdict) {
    case 'FASTER':
      return `a takes ${percent} % less time than b`;
    case 'SLOWER':
      return `a takes ${percent} % more time than b`;
    case 'SAME':
      return `a and b take the same time, within ${within} %`;
    case 'UNCLEAR':
      return 'the interval allows for more than one verdict: allow more time, or close other programs';
  }
}

function formatComparison(document: CompareDocument): string {
  const { a, b, verdict, ratio, ci95 } = document;
  const side = (name: string, { model, latencyMs }: typeof a | typeof b): string =>
    `  ${name.padEnd(10)} p50 ${formatMs(latencyMs.p50)} ms   ${model}`;
  return [
    `${verdict}: ${explainVerdict(document)}`,
    `  ratio      ${ratio.toFixed(4)}, 95 % interval ${formatInterval(ci95)}`,
    side('a', a),
    side('b', b),
    ...(document.method === 'interleaved'
      ? formatInterleaved(document)
      : [
          '  method     against an earlier measurement: weaker than comparing the two models, which sees the same machine for both',
        ]),
  ].join('\n');
}

function formatInterleaved(d: InterleavedDocument): string[] {
  const flags = d.flags.length > 0 ? `, flags: ${d.flags.join(', ')}` : '';
  return [
    `  cost       a ${formatCount(d.a.cost.macs)} MACs, b ${formatCount(d.b.cost.macs)}`,
    `  samples    ${d.pairs} pairs of windows in ${d.rounds} rounds of fresh sessions, ${d.discarded} disturbed ones discarded, ${d.seconds.toFixed(1)} s${flags}`,
    `  outputs    ${formatOutputs(d.outputs)}`,
    ...d.notes.map((note) => `  note       ${note}`),
  ];
}

function formatOutputs(outputs: OutputDifference): string {
  if (!outputs.comparable) return `not comparable: ${outputs.reason}`;
  const { maxAbsDifference: absolute, maxRelDifference: relative, output } = outputs;
  if (absolute === 0) return 'equal on the same inputs';
  if (absolute === null) return `${output}: finite in one model only`;
  const share = relative === null ? '' : `, ${relative.toPrecision(2)} of the largest value`;
  return `differ by up to ${absolute.toPrecision(2)}${share} (${output})`;
}
