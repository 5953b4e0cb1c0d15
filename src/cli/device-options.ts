/** The flags that choose a device, the same for every command that measures. */
import type { Command } from 'commander';
import type { Device } from '../device/device.js';
import { createDevice } from '../device/ort.js';
import { checkUsable } from '../device/probe.js';
import { UsageError } from '../errors.js';
import { parseWhole } from './parse.js';

export interface DeviceFlags {
  readonly device: string;
  readonly threads?: number;
  readonly providerOption?: Readonly<Record<string, string>>;
}

/** Adds `--device`, `--threads` and `--provider-option`. */
export function addDeviceOptions(command: Command): Command {
  return command
    .option('--device <id>', 'device to measure on, see archwright devices', 'cpu')
    .option('--threads <count>', 'CPU threads (default: all cores)', parseWhole('--threads', 1))
    .option(
      '--provider-option <name=value>',
      'option of the device, see archwright devices; repeatable',
      parseProviderOption,
    );
}

/** The device that the flags choose. Throws `UsageError` where it is not usable, with the reason. */
export async function openDevice(flags: DeviceFlags): Promise<Device> {
  const { device: id, threads, providerOption: options } = flags;
  const device = createDevice({
    id,
    ...(threads !== undefined && { threads }),
    ...(options !== undefined && { options }),
  });
  try {
    for (const fault of await checkUsable(device)) {
      process.stderr.write(`warning: device ${device.id}: ${fault}\n`);
    }
    return device;
  } catch (error) {
    await device.close();
    throw error;
  }
}

function parseProviderOption(
  text: string,
  known: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new UsageError(
      `--provider-option: expected name=value such as fp16=on, received ${text}`,
    );
  }
  return { ...known, [name]: value };
}
