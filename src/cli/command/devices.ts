import type { Command } from 'commander';
import { type CudaListing, describeCuda } from '../../device/cuda.js';
import type { DeviceListing } from '../../device/device.js';
import { listDevices } from '../../device/probe.js';
import { type ProviderOption, providerIds, providers } from '../../device/provider.js';
import { type OutputOptions, print } from '../output.js';
import { formatBytes, formatTable } from '../table.js';

interface OptionFacts {
  readonly name: string;
  readonly values: string;
  readonly about: string;
}

/** The contract `archwright.devices/1`. */
export interface DevicesDocument {
  readonly schema: 'archwright.devices/1';
  readonly devices: readonly DeviceListing[];
  /** The project's own CUDA library and its GPUs. */
  readonly cuda: CudaListing;
  /** What `--provider-option` takes, by provider. */
  readonly options: Readonly<Record<string, readonly OptionFacts[]>>;
}

/** `archwright devices`. */
export function addDevicesCommand(program: Command): void {
  program
    .command('devices')
    .description('list what models can be measured on here, and why not on the rest')
    .option('--json', 'print one JSON document')
    .action(async (flags: OutputOptions) => {
      const document: DevicesDocument = {
        schema: 'archwright.devices/1',
        devices: await listDevices(),
        cuda: await describeCuda(),
        options: Object.fromEntries(
          providerIds.map((id) => [
            id,
            Object.entries(providers[id].options).map(([name, option]) => ({
              name,
              values: describeValues(option),
              about: option.about,
            })),
          ]),
        ),
      };
      print(document, flags, formatDevices);
    });
}

function describeValues(option: ProviderOption): string {
  if (option.type === 'flag') return 'on|off';
  return option.type === 'choice' ? option.choices.join('|') : '<number>';
}

function formatDevices({ devices, cuda, options }: DevicesDocument): string {
  const facts = devices.find((device) => device.usable)?.facts;
  const table = formatTable<DeviceListing>(
    [
      { title: 'device', value: ({ id }) => id },
      { title: 'usable', value: ({ usable }) => (usable ? 'yes' : 'no') },
      { title: 'what it is, or why not', value: describeDevice },
    ],
    devices,
  );
  const fixes = devices.flatMap((device) =>
    device.usable ? [] : [`  ${device.id.padEnd(10)} ${device.fix}`],
  );
  const faults = devices.flatMap((device) =>
    device.usable ? device.faults.map((fault) => `  ${device.id.padEnd(10)} ${fault}`) : [],
  );
  const usable = devices.flatMap((device) => (device.usable ? [device.id.split(':')[0]] : []));
  const rows = Object.entries(options)
    .filter(([id]) => usable.includes(id))
    .flatMap(([id, known]) => known.map((option) => ({ id, ...option })));
  const optionTable = formatTable<OptionFacts & { readonly id: string }>(
    [
      { title: 'device', value: ({ id }) => id },
      { title: '--provider-option', value: ({ name, values }) => `${name}=${values}` },
      { title: 'what it does', value: ({ about }) => about },
    ],
    rows,
  );
  return [
    table,
    ...(facts === undefined
      ? []
      : [
          `ONNX Runtime ${facts.runtimeVersion}, ${facts.threads} cores, ${facts.host.features.join(' ')}`,
        ]),
    '',
    ...describeCudaLibrary(cuda),
    ...(faults.length > 0 ? ['', 'Known to compute wrongly here:', ...faults] : []),
    ...(fixes.length > 0 ? ['', 'To make the others usable:', ...fixes] : []),
    ...(rows.length > 0 ? ['', optionTable] : []),
  ].join('\n');
}

function describeCudaLibrary(cuda: CudaListing): string[] {
  if (!cuda.usable) return [`CUDA library: no, ${cuda.reason}; ${cuda.fix}`];
  return cuda.devices.map(({ name, capability, multiprocessors, memoryBytes }) => {
    const facts = `compute capability ${capability}, ${multiprocessors} multiprocessors`;
    return `CUDA library: ${name}, ${facts}, ${formatBytes(memoryBytes)}`;
  });
}

function describeDevice(device: DeviceListing): string {
  if (!device.usable) return device.reason;
  const { adapter, driver, software } = device.facts;
  return [
    adapter ?? 'a device whose name is not told',
    ...(driver === null ? [] : [driver]),
    ...(software ? ['software: it computes on the CPU'] : []),
  ].join(', ');
}
