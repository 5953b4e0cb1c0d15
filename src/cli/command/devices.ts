import type { Command } from 'commander';
import type { DeviceListing } from '../../device/device.js';
import { listDevices } from '../../device/probe.js';
import { type OutputOptions, print } from '../output.js';

/** `archwright devices`. */
export function addDevicesCommand(program: Command): void {
  program
    .command('devices')
    .description('list what models can be measured on here, and why not on the rest')
    .option('--json', 'print one JSON document')
    .action(async (flags: OutputOptions) => {
      const document = { schema: 'archwright.devices/1', devices: await listDevices() };
      print(document, flags, ({ devices }) => devices.map(formatDevice).join('\n'));
    });
}

function formatDevice(device: DeviceListing): string {
  if (!device.usable) return `${device.id.padEnd(12)} no: ${device.reason}; ${device.fix}`;
  const { host, runtimeVersion, threads } = device.facts;
  return (
    `${device.id.padEnd(12)} yes: ${host.cpuModel}, ${threads} threads, ` +
    `${host.features.join(' ')}, ONNX Runtime ${runtimeVersion}`
  );
}
