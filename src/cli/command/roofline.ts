import type { Command } from 'commander';
import { type Peak, peakNames, type Roofline, ridgePoint } from '../../measure/roofline.js';
import { measureDeviceRoofline } from '../../measure/roofline-task.js';
import { addDeviceOptions, type DeviceFlags, openDevice } from '../device-options.js';
import { type OutputOptions, print } from '../output.js';
import { formatBytes, formatPercent, formatTable } from '../table.js';

interface RooflineFlags extends DeviceFlags, OutputOptions {
  readonly fresh?: boolean;
}

/** The contract `archwright.roofline/1`. */
export interface RooflineDocument {
  readonly schema: 'archwright.roofline/1';
  readonly device: string;
  readonly threads: number;
  readonly roofline: Roofline;
}

/** `archwright roofline`. */
export function addRooflineCommand(program: Command): void {
  addDeviceOptions(program.command('roofline'))
    .description('measure how fast the device can compute and reach memory at best')
    .option('--fresh', 'measure even if a recent result is kept')
    .option('--json', 'print one JSON document')
    .action(async (flags: RooflineFlags) => {
      const device = await openDevice(flags);
      try {
        const roofline = await measureDeviceRoofline(device, {
          fresh: flags.fresh === true,
          onWait: (message) => process.stderr.write(`${message}\n`),
        });
        const document: RooflineDocument = {
          schema: 'archwright.roofline/1',
          device: device.id,
          threads: device.threads,
          roofline,
        };
        print(document, flags, formatRoofline);
      } finally {
        await device.close();
      }
    });
}

const sources: Readonly<Record<Roofline['source'], string>> = {
  native: 'by native micro-benchmarks',
  onnxruntime: "as reached by ONNX Runtime's kernels",
  cuda: "by the CUDA library's kernels",
};

function formatRoofline({ device, threads, roofline }: RooflineDocument): string {
  const arithmetic = peakNames.flatMap((name) => {
    const peak = roofline[name];
    return peak === undefined
      ? []
      : [{ name, peak, unit: 'op/s', ridge: ridgePoint(roofline, name) }];
  });
  const rows = [...arithmetic, { name: 'memory', peak: roofline.bandwidth, unit: 'B/s' }];
  const table = formatTable<{ name: string; peak: Peak; unit: string; ridge?: number }>(
    [
      { title: 'peak', value: ({ name }) => name },
      {
        title: 'best',
        value: ({ peak, unit }) => formatRate(peak.perSecond, unit),
        align: 'right',
      },
      { title: 'spread', value: ({ peak }) => formatPercent(peak.spread), align: 'right' },
      { title: 'samples', value: ({ peak }) => String(peak.samples), align: 'right' },
      {
        title: 'ridge (op/B)',
        value: ({ ridge }) => (ridge === undefined ? '' : ridge.toPrecision(3)),
        align: 'right',
      },
    ],
    rows,
  );
  const caches = Number.isFinite(roofline.cacheBytes)
    ? `, caches ${formatBytes(roofline.cacheBytes)}`
    : '';
  return [
    `${device}, ${threads} threads${caches}; ${sources[roofline.source]}, ${roofline.measuredAt}`,
    '',
    table,
  ].join('\n');
}

/** A rate with its decimal prefix, such as `1.25 Top/s`. */
function formatRate(perSecond: number, unit: string): string {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];
  const power = Math.min(prefixes.length - 1, Math.floor(Math.log10(perSecond) / 3));
  return `${(perSecond / 1000 ** power).toPrecision(3)} ${prefixes[power]}${unit}`;
}
