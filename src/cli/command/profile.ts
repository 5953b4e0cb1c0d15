/** `archwright profile`: where the time of a model goes, node by node. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { errorMessage, UsageError } from '../../errors.js';
import { decodeModel } from '../../ir/onnx/decode.js';
import type { InputDims } from '../../measure/inputs.js';
import type { Trace } from '../../measure/profile/trace.js';
import {
  type KernelProfile,
  type ModelProfile,
  type OpProfile,
  type ProfileOptions,
  profileFlags,
  profileModel,
} from '../../measure/profile.js';
import { addDeviceOptions, type DeviceFlags, openDevice } from '../device-options.js';
import { readModel } from '../model-file.js';
import { print } from '../output.js';
import { parseDim, parsePositive, parseShape, parseWhole } from '../parse.js';
import { type Column, formatBytes, formatCount, formatMs, formatTable } from '../table.js';

/** What `profile` measures and how. */
export interface ProfileFlags extends DeviceFlags {
  readonly seconds: number;
  readonly seed: number;
  readonly dim?: Readonly<Record<string, number>>;
  readonly shape?: InputDims;
}

interface ProfileCommandFlags extends ProfileFlags {
  readonly top: number;
  readonly trace?: string;
  readonly json?: boolean;
}

/** The contract `archwright.profile/1`. */
export interface ProfileDocument extends ModelProfile {
  readonly schema: 'archwright.profile/1';
  readonly model: string;
  readonly host: Readonly<Record<string, unknown>>;
}

const DEFAULT_TOP = 20;

/** `archwright profile`. */
export function addProfileCommand(program: Command): void {
  const command = program
    .command('profile')
    .description('show where the time of an ONNX model goes, node by node')
    .argument('<model>', 'ONNX file')
    .option('--top <n>', 'nodes to list', parseWhole('--top', 1), DEFAULT_TOP)
    .option('--trace <file>', 'write a Chrome trace, for chrome://tracing or Perfetto')
    .option('--seconds <time>', 'time budget', parsePositive('--seconds'), 3)
    .option('--dim <name=size>', 'size of a symbolic dimension; repeatable', parseDim)
    .option('--shape <name=d0,d1,…>', 'shape of an input left open; repeatable', parseShape)
    .option('--seed <number>', 'seed of the random inputs', parseWhole('--seed', 0), 0)
    .option('--json', 'print one JSON document');
  addDeviceOptions(command).action(async (model: string, flags: ProfileCommandFlags) => {
    const { document, trace } = await profile(model, flags);
    if (flags.trace !== undefined) await writeTrace(flags.trace, trace);
    print(document, flags, (result) => formatProfile(result, flags.top));
  });
}

/** Profiles the model in a file. */
export async function profile(
  model: string,
  flags: ProfileFlags,
): Promise<{ readonly document: ProfileDocument; readonly trace: Trace }> {
  const bytes = await readModel(model);
  decodeModel(bytes, model); // so that a complaint names the file
  const device = await openDevice(flags);
  const { seconds, seed, dim, shape } = flags;
  const options: ProfileOptions = {
    seconds,
    seed,
    onWait: (message) => process.stderr.write(`${message}\n`),
    ...(dim !== undefined && { dims: dim }),
    ...(shape !== undefined && { shapes: shape }),
  };
  try {
    const { profile, trace } = await profileModel(device, bytes, options);
    const { host, ...facts } = await device.describe();
    const document: ProfileDocument = {
      schema: 'archwright.profile/1',
      model,
      host: { ...host, ...facts, node: process.version },
      ...profile,
    };
    return { document, trace };
  } finally {
    await device.close();
  }
}

async function writeTrace(path: string, trace: Trace): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(trace)}\n`);
  } catch (error) {
    throw new UsageError(
      `--trace: expected a file that can be written, received ${path}: ${errorMessage(error)}`,
      { cause: error },
    );
  }
}

/** Widest names that leave a line of 100 columns room for the rest. */
const NAME_WIDTH = 28;
const OP_WIDTH = 16;
const GROUP_WIDTH = 40;

type Worked = Pick<
  KernelProfile,
  'latencyMs' | 'share' | 'flops' | 'bytes' | 'intensity' | 'rooflineShare'
>;

const workColumns: readonly Column<Worked>[] = [
  { title: 'ms', value: ({ latencyMs }) => formatTime(latencyMs), align: 'right' },
  { title: 'share', value: ({ share }) => percent(share), align: 'right' },
  { title: 'FLOPs', value: ({ flops }) => (flops === null ? '?' : count(flops)), align: 'right' },
  { title: 'bytes', value: ({ bytes }) => formatBytes(Math.round(bytes)), align: 'right' },
  {
    title: 'FLOP/B',
    value: ({ intensity }) => (intensity === null ? '?' : intensity.toFixed(1)),
    align: 'right',
  },
  {
    title: 'roofline',
    value: ({ rooflineShare }) =>
      rooflineShare === null ? '–' : rooflineShare > 1 ? 'in cache' : percent(rooflineShare),
    align: 'right',
  },
];

const kernelColumns: readonly Column<KernelProfile>[] = [
  { title: 'node', value: (kernel) => shorten(titleOf(kernel), NAME_WIDTH) },
  { title: 'op', value: ({ op }) => cut(op, OP_WIDTH) },
  ...workColumns,
];

const opColumns: readonly Column<OpProfile>[] = [
  {
    title: 'op',
    value: ({ op, kind }) => cut(kind === 'node' ? op : `(added) ${op}`, GROUP_WIDTH),
  },
  { title: 'n', value: (group) => String(group.count), align: 'right' },
  ...workColumns,
];

/** The text of a profile; `top` nodes of those that take the most time. */
export function formatProfile(document: ProfileDocument, top: number): string {
  const { kernels, byOp } = document;
  const byTime = kernels.toSorted((a, b) => b.latencyMs - a.latencyMs);
  const shown = byTime.slice(0, top);
  const others = byTime.slice(top);
  const sum = others.reduce((total, { latencyMs }) => total + latencyMs, 0);
  const more =
    others.length > 0
      ? `\n… ${others.length} more, ${formatTime(sum)} ms (--top ${kernels.length} shows all)`
      : '';
  return [
    formatHead(document),
    formatTable(kernelColumns, shown) + more,
    formatTable(opColumns, byOp),
    ...formatCallouts(document),
    formatFates(document),
    ...document.flags.map((flag) => `${flag}: ${profileFlags[flag]}`),
  ].join('\n\n');
}

function formatHead(d: ProfileDocument): string {
  const inputs = Object.entries(d.inputs).map(
    ([name, { type, shape }]) => `${name} ${type}[${shape.join(', ')}]`,
  );
  const nodes = d.kernels.filter(({ kind }) => kind === 'node');
  const own = nodes.reduce((sum, { latencyMs }) => sum + latencyMs, 0);
  const added = d.totalMs - own - d.rest.latencyMs;
  const rest = d.rest.what === 'runtime' ? 'runtime' : 'launch and synchronisation';
  const cost = d.profilerCost;
  const threads = `${d.threads} ${d.threads === 1 ? 'thread' : 'threads'}`;
  return [
    d.model,
    `  ${String(d.host.adapter ?? d.host.cpuModel)}, ${d.device}, ${threads}; ${inputs.join(', ')}`,
    ...d.notes.map((note) => `  ${note}`),
    `  latency   p50 ${formatMs(d.latencyMs.p50)} ms, measured without the profiler (${d.latencyMs.samples} samples)`,
    `  accounted nodes ${formatTime(own)} + added ${formatTime(added)} + ${rest} ${formatTime(d.rest.latencyMs)} = ${formatTime(d.totalMs)} ms, ${(100 * d.coverage).toFixed(1)} % of it`,
    `  profiler  ${formatMs(d.profiledMs)} ms with it, ${d.runs} runs averaged${cost === null ? '' : `; cost taken off: calibrated × ${cost.scale.toFixed(2)} (× 1: ${(100 * cost.unscaledCoverage).toFixed(0)} %)`}`,
    ...formatMemory(d),
    ...(d.roofline === null
      ? []
      : [
          `  roofline  ${formatCount(d.roofline.flopsPerSecond)}FLOP/s, ${formatCount(d.roofline.bytesPerSecond)}B/s`,
        ]),
  ].join('\n');
}

/** Where the host's arena holds most; nothing where the memory is the device's. */
function formatMemory({ kernels }: ProfileDocument): string[] {
  const peakOf = ({ memory }: KernelProfile): number => memory.inUsePeakBytes ?? 0;
  const highest = kernels.toSorted((a, b) => peakOf(b) - peakOf(a))[0];
  if (highest === undefined || peakOf(highest) === 0) return [];
  const where = shorten(titleOf(highest), 50);
  return [`  memory    arena at its highest in ${where}, ${formatBytes(peakOf(highest))}`];
}

/** Copies and fallbacks one by one: what a person would want gone. */
function formatCallouts({ kernels }: ProfileDocument): string[] {
  const copies = kernels.filter(({ kind }) => kind === 'copy');
  const fallbacks = kernels.filter(({ fallback }) => fallback);
  const place = ({ between }: KernelProfile): string => {
    const names = (list: readonly string[] | undefined, none: string) =>
      list === undefined || list.length === 0 ? none : shorten(list.join(', '), 30);
    return `${names(between?.after, 'an input')} → ${names(between?.before, 'an output')}`;
  };
  const line = (kernel: KernelProfile, what: string) =>
    `  ${kernel.op.padEnd(16)} ${what}  (host ${formatTime(kernel.profiledMs)} ms)`;
  return [
    ...(copies.length > 0
      ? [['copies between memories', ...copies.map((k) => line(k, place(k)))].join('\n')]
      : []),
    ...(fallbacks.length > 0
      ? [
          [
            'on the CPU instead of the device',
            ...fallbacks.map((k) => line(k, shorten(titleOf(k), 50))),
          ].join('\n'),
        ]
      : []),
  ];
}

function formatFates({ nodes, kernels }: ProfileDocument): string {
  const of = (fate: string) => nodes.filter((node) => node.fate === fate).length;
  const added = kernels.filter(({ kind }) => kind !== 'node').length;
  return (
    `${nodes.length} nodes: ${of('kernel')} with a kernel of their own, ${of('fused')} fused into those, ` +
    `${of('folded')} folded when loaded, ${of('removed')} removed; ` +
    `${kernels.length} kernels, ${added} of them added`
  );
}

function titleOf({ kind, name, nodes }: KernelProfile): string {
  if (kind !== 'node') return `(added) ${name}`;
  return nodes.length > 1 ? `${name} +${nodes.length - 1}` : name;
}

/** The end of a name tells more than its beginning. */
function shorten(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(1 - width)}`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function count(flops: number): string {
  return formatCount(Math.round(flops));
}

/** Milliseconds down to tenths of a microsecond. */
function formatTime(ms: number): string {
  return ms >= 0.01 ? formatMs(ms) : ms.toFixed(4);
}
