/** `archwright doctor model.onnx`: what deploying a model costs, as text and as a document. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Examination, examineModel } from '../../deploy/examine.js';
import type { ModelFacts } from '../../deploy/inspect.js';
import type { Placement } from '../../deploy/place.js';
import type { Variant, VariantReport } from '../../deploy/variants.js';
import type { Device } from '../../device/device.js';
import { listDevices } from '../../device/probe.js';
import { externalFilesOf } from '../../ir/onnx/external.js';
import type { InputDims } from '../../measure/inputs.js';
import { loadImages, type NormalizationFlags } from '../data-options.js';
import { type DeviceFlags, openDevice } from '../device-options.js';
import { readModel } from '../model-file.js';
import {
  type Column,
  formatBytes,
  formatCount,
  formatMs,
  formatPercent,
  formatTable,
} from '../table.js';

export interface DoctorModelFlags extends DeviceFlags, NormalizationFlags {
  readonly data?: string;
  readonly seconds: number;
  readonly seed: number;
  readonly dim?: Readonly<Record<string, number>>;
  readonly shape?: InputDims;
}

/** The contract `archwright.doctor-model/1`. */
export interface DoctorModelDocument extends Examination {
  readonly schema: 'archwright.doctor-model/1';
  readonly model: string;
  readonly bytes: number;
  /** Files beside the model that hold its tensors. */
  readonly external: readonly { readonly file: string; readonly bytes: number }[];
  /** Where the variants were measured. */
  readonly device: string;
}

/** Examines the model on the device asked for, or on the CPU with a look at every other device. */
export async function doctorModel(
  path: string,
  flags: DoctorModelFlags,
  everyDevice: boolean,
): Promise<DoctorModelDocument> {
  const model = await readModel(path);
  const external = externalFilesOf(new Uint8Array(readFileSync(path))).map((file) => ({
    file,
    bytes: statSync(join(dirname(path), file)).size,
  }));
  const data = flags.data === undefined ? undefined : await loadImages(flags.data, flags);
  const devices: [Device, ...Device[]] = [await openDevice(flags)];
  try {
    if (everyDevice) {
      const others = (await listDevices()).filter(
        ({ id, usable }) => usable && id !== flags.device,
      );
      for (const { id } of others) devices.push(await openDevice({ device: id }));
    }
    const examination = await examineModel(devices, model, {
      file: path,
      seconds: flags.seconds,
      seed: flags.seed,
      ...(flags.dim !== undefined && { dims: flags.dim }),
      ...(flags.shape !== undefined && { shapes: flags.shape }),
      ...(data !== undefined && { data }),
      onProgress: (message) => process.stderr.write(`${message}\n`),
    });
    const bytes = statSync(path).size;
    const device = flags.device;
    return {
      schema: 'archwright.doctor-model/1',
      model: path,
      bytes,
      external,
      device,
      ...examination,
    };
  } finally {
    await Promise.all(devices.map((device) => device.close()));
  }
}

/** The document for a person. */
export function formatDoctorModel(document: DoctorModelDocument): string {
  const { model, facts, placements, variants } = document;
  return [
    model,
    ...describeFacts(document, facts).map(([title, text]) => `  ${title.padEnd(10)} ${text}`),
    '',
    ...placements.map((placement) => formatPlacement(placement, facts)),
    ...(variants === null ? [] : ['', formatVariants(document.device, variants)]),
  ].join('\n');
}

function describeFacts(
  { bytes, external }: DoctorModelDocument,
  facts: ModelFacts,
): (readonly [string, string])[] {
  const { opset, onnxRelease, opsetMisses, openDims, quantization } = facts;
  const misses = opsetMisses.map((gate) => `${gate.opset} brings ${gate.brings}`);
  const nodesOf = (names: readonly string[]) =>
    names.length > 4
      ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`
      : names.join(', ');
  return [
    [
      'size',
      `${formatBytes(bytes)}, ${facts.nodes} nodes, ${formatCount(facts.params)} parameters, ${formatCount(facts.macs)} MACs`,
    ],
    [
      'opset',
      `${opset}${onnxRelease === null ? '' : ` (ONNX ${onnxRelease})`}${misses.length > 0 ? `; ${misses.join('; ')}` : ''}`,
    ],
    ...(facts.deprecated.map(({ op, since, instead, nodes }) => [
      'deprecated',
      `${op}, since opset ${since}: use ${instead} (${nodesOf(nodes)})`,
    ]) as [string, string][]),
    ...(facts.unknown.map(({ op, domain, nodes }) => [
      'unknown',
      `${domain === '' ? '' : `${domain}.`}${op} × ${nodes.length}: runs, but is not counted and not trainable (${nodesOf(nodes)})`,
    ]) as [string, string][]),
    [
      'shapes',
      openDims.length === 0
        ? 'all fixed'
        : openDims
            .map(
              ({ dim, places, assumed }) =>
                `${dim} open (${places.join(', ')}), run with ${assumed}`,
            )
            .join('; '),
    ],
    ...(openDims.length === 0
      ? []
      : ([
          [
            '',
            'open sizes keep a device from planning memory ahead and from capturing graphs; fix them where you can',
          ],
        ] as const)),
    [
      'data',
      external.length === 0
        ? 'all inside the file'
        : external.map((one) => `${one.file}, ${formatBytes(one.bytes)}`).join('; '),
    ],
    [
      'numbers',
      quantization === null
        ? 'float, not quantised'
        : `quantised: ${Object.entries(quantization.ops)
            .map(([op, count]) => `${op} × ${count}`)
            .join(', ')}; stores ${quantization.types.join(', ') || 'nothing in int8'}`,
    ],
    ...(facts.float64.length === 0
      ? []
      : ([
          [
            'float64',
            `${facts.float64.length} values: slow everywhere, absent on most accelerators (${nodesOf(facts.float64)})`,
          ],
        ] as const)),
    ...(facts.largeConstants.map(({ name, bytes: size }) => [
      'constant',
      `${name}, ${formatBytes(size)}, is no weight`,
    ]) as [string, string][]),
  ];
}

function formatPlacement(placement: Placement, { openDims }: ModelFacts): string {
  const title = `  ${placement.device.padEnd(10)} `;
  if (!placement.runs) {
    const hint = openDims.length === 0 ? '' : '; open sizes were assumed: give --dim or --shape';
    return `${title}does not run: ${placement.reason}${hint}`;
  }
  const { nodes, kernels, fallbacks, copies } = placement;
  const count = (fate: string) => nodes.filter((node) => node.fate === fate).length;
  const kernelText = Object.entries(kernels).map(([provider, n]) => `${n} kernels on ${provider}`);
  const rest = (['fused', 'folded', 'removed'] as const)
    .map((fate) => [count(fate), fate] as const)
    .filter(([n]) => n > 0)
    .map(([n, fate]) => `${n} ${fate}`);
  const lines = [
    `${title}${kernelText.join(', ')} for ${nodes.length} nodes${rest.length > 0 ? ` (${rest.join(', ')})` : ''}`,
  ];
  if (fallbacks.length > 0) {
    const names = fallbacks.map(({ name, op }) => `${op} ${name}`);
    lines.push(
      `${' '.repeat(13)}${fallbacks.length} nodes fall back to the CPU, with ${copies} copies: ${names.join(', ')}`,
    );
  }
  return lines.join('\n');
}

interface Row {
  readonly name: string;
  readonly size: string;
  readonly latency: string;
  readonly ratio: string;
  readonly accuracy: string;
  readonly sqnr: string;
  readonly maxAbs: string;
  readonly agreement: string;
  readonly nodes: string;
}

function formatVariants(
  device: string,
  { inputs, runs, original, variants }: VariantReport,
): string {
  const made = variants.filter((one): one is Variant & { made: true } => one.made);
  const share = (a: { correct: number; count: number } | null) =>
    a === null ? '–' : formatPercent(a.correct / a.count);
  const base = made[0]?.latency.originalP50Ms;
  const rows: Row[] = [
    {
      name: 'as it is',
      size: formatBytes(original.bytes),
      latency: base === undefined ? '–' : `${formatMs(base)} ms`,
      ratio: '1',
      accuracy: share(original.accuracy),
      sqnr: '–',
      maxAbs: '–',
      agreement: '–',
      nodes: '–',
    },
    ...made.map(({ name, bytes, latency, accuracy, error, converted, nodes }) => ({
      name,
      size: formatBytes(bytes),
      latency: `${formatMs(latency.p50Ms)} ms`,
      ratio: `${latency.ratio.toFixed(2)} [${latency.ci95.map((end) => end.toFixed(2)).join(', ')}] ${latency.verdict}`,
      accuracy: share(accuracy),
      sqnr: !error.finite
        ? 'not finite'
        : error.sqnrDb === null
          ? 'equal'
          : `${error.sqnrDb.toFixed(1)} dB`,
      maxAbs: error.maxAbs.toPrecision(2),
      agreement: error.top1Agreement === null ? '–' : formatPercent(error.top1Agreement),
      nodes: `${converted}/${nodes}`,
    })),
  ];
  const columns: Column<Row>[] = [
    { title: 'form', value: (row) => row.name },
    { title: 'size', value: (row) => row.size, align: 'right' },
    { title: 'latency', value: (row) => row.latency, align: 'right' },
    { title: 'ratio [95 %]', value: (row) => row.ratio },
    { title: 'accuracy', value: (row) => row.accuracy, align: 'right' },
    { title: 'output SQNR', value: (row) => row.sqnr, align: 'right' },
    { title: 'max error', value: (row) => row.maxAbs, align: 'right' },
    { title: 'same top-1', value: (row) => row.agreement, align: 'right' },
    { title: 'nodes', value: (row) => row.nodes, align: 'right' },
  ];
  const indent = (text: string) => text.replaceAll(/^/gm, '  ');
  const refused = variants.flatMap((one) =>
    one.made ? [] : [`${one.name} is not possible: ${one.reason}`],
  );
  const kept = made.flatMap(({ name, kept: stay }) => summarizeKept(name, stay));
  const note =
    inputs === 'random'
      ? `on ${device}, ${runs} random inputs: they show output errors, not accuracy; give --data for that`
      : `on ${device}, ${runs} runs over images that were not calibrated on`;
  return [
    indent(formatTable(columns, rows)),
    `  ${note}`,
    ...refused.map(indent),
    ...kept.map(indent),
  ].join('\n');
}

/** One line per reason. */
function summarizeKept(
  name: string,
  kept: readonly { readonly node: string; readonly op: string; readonly reason: string }[],
): string[] {
  const groups = new Map<string, string[]>();
  for (const { node, op, reason } of kept) {
    const key = `${op}: ${reason}`;
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return [...groups].map(([why, nodes]) => `${name} leaves ${nodes.length} × ${why}`);
}
