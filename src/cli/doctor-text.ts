/** The check of a model, as lines for a person. */
import type { ModelFacts } from '../deploy/inspect.js';
import type { Placement } from '../deploy/place.js';
import type { Variant, VariantReport } from '../deploy/variants.js';
import type { KeptNode } from '../ir/pass/float16.js';
import type { DoctorModelDocument } from './command/doctor-model.js';
import {
  type Column,
  formatBytes,
  formatCount,
  formatMs,
  formatPercent,
  formatTable,
} from './table.js';

/** The document for a person. */
export function formatDoctorModel(document: DoctorModelDocument): string {
  const { model, facts, placements, variants } = document;
  return [
    model,
    ...Array.from(
      describeFacts(document, facts),
      ([title, text]) => `  ${title.padEnd(10)} ${text}`,
    ),
    '',
    ...placements.map((placement) => formatPlacement(placement, facts)),
    ...(variants === null ? [] : ['', formatVariants(document.device, variants)]),
  ].join('\n');
}

/** Titles and texts, one a line. */
function* describeFacts(
  { bytes, external }: DoctorModelDocument,
  facts: ModelFacts,
): Generator<readonly [string, string]> {
  const { opset, onnxRelease, opsetMisses, openDims, quantization } = facts;
  const counts = `${facts.nodes} nodes, ${formatCount(facts.params)} parameters`;
  yield ['size', `${formatBytes(bytes)}, ${counts}, ${formatCount(facts.macs)} MACs`];
  yield ['opset', onnxRelease === null ? `${opset}` : `${opset}, of ONNX ${onnxRelease}`];
  for (const gate of opsetMisses) yield ['', `${gate.opset} brings ${gate.brings}`];
  for (const { op, since, instead, nodes } of facts.deprecated) {
    yield ['deprecated', `${op}, since opset ${since}; now ${instead}: ${someOf(nodes)}`];
  }
  for (const { op, domain, nodes } of facts.unknown) {
    const name = domain === '' ? op : `${domain}.${op}`;
    yield ['unknown', `${name} × ${nodes.length}: not counted, not trainable: ${someOf(nodes)}`];
  }
  if (openDims.length === 0) yield ['shapes', 'all fixed'];
  for (const { dim, places, assumed } of openDims) {
    yield ['open', `${dim} (${someOf(places)}), run here with ${assumed}`];
  }
  if (openDims.length > 0) {
    yield [
      '',
      'open sizes keep a device from planning memory and capturing graphs; fix what can be',
    ];
  }
  if (facts.overridable > 0) {
    const count = facts.overridable;
    yield [
      'constants',
      `${count} stored tensors are inputs too, which keeps a runtime from folding them;`,
    ];
    yield ['', 'any export here writes them as constants'];
  }
  if (external.length === 0) yield ['data', 'all inside the file'];
  for (const one of external) yield ['data', `${one.file}, ${formatBytes(one.bytes)}`];
  yield ['numbers', quantization === null ? 'float' : describeQuantization(quantization)];
  if (facts.float64.length > 0) {
    const count = facts.float64.length;
    yield ['float64', `${count} values, which most accelerators refuse: ${someOf(facts.float64)}`];
  }
  for (const { name, bytes: size } of facts.largeConstants) {
    yield ['constant', `${name}, ${formatBytes(size)}, which is no weight`];
  }
}

function describeQuantization({ ops, types }: NonNullable<ModelFacts['quantization']>): string {
  const counts = Object.entries(ops).map(([op, count]) => `${op} × ${count}`);
  return `quantised: ${counts.join(', ')}; stores ${types.join(', ') || 'no integers'}`;
}

/** The first few, and how many more. */
function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
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
  const indent = ' '.repeat(13);
  if (fallbacks.length > 0) {
    const moved = copies === 1 ? '1 copy' : `${copies} copies`;
    lines.push(`${indent}${fallbacks.length} nodes fall back to the CPU, with ${moved} between:`);
  }
  for (const [op, names] of groupBy(fallbacks, ({ op }) => op)) {
    lines.push(`${indent}  ${op} × ${names.length}: ${someOf(names.map(({ name }) => name))}`);
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
      nodes: name === 'folded' ? '–' : `${converted}/${nodes}`,
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

/** One line per reason, with its operators. */
function summarizeKept(name: string, kept: readonly KeptNode[]): string[] {
  return [...groupBy(kept, ({ reason }) => reason)].map(([reason, nodes]) => {
    const ops = [...groupBy(nodes, ({ op }) => op)].map(([op, { length }]) => `${op} × ${length}`);
    return `${name} leaves in float32, ${reason}: ${ops.join(', ')}`;
  });
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
