/** Which processor a device is, as far as the system tells: no provider of ONNX Runtime names it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { HostFacts } from '../runtime/runtime.js';
import type { DeviceFacts } from './device.js';
import type { DeviceName } from './provider.js';
import { findVulkan } from './vulkan.js';

const nvidiaFolder = '/proc/driver/nvidia';

export function describeHardware(
  { provider }: DeviceName,
  host: HostFacts,
): Pick<DeviceFacts, 'adapter' | 'driver' | 'software'> {
  switch (provider) {
    case 'cpu':
      return { adapter: host.cpuModel, driver: null, software: false };
    case 'webgpu': {
      const { named, software } = findVulkan();
      const driver = named.length > 0 ? named.join(', ') : null;
      return { adapter: software ? host.cpuModel : null, driver, software };
    }
    case 'cuda':
    case 'tensorrt': {
      // CUDA numbers GPUs in an order of its own: a name is certain only where all are alike.
      const models = new Set(listNvidiaGpus());
      const adapter = models.size === 1 ? ([...models][0] as string) : null;
      return { adapter, driver: readNvidiaVersion(), software: false };
    }
    case 'coreml':
    case 'dml':
      return { adapter: null, driver: null, software: false };
  }
}

/** Model names of the GPUs that NVIDIA's kernel module drives (Linux). */
export function listNvidiaGpus(): string[] {
  const folder = `${nvidiaFolder}/gpus`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((bus) => {
    const text = readFileSync(`${folder}/${bus}/information`, 'utf8');
    return /^Model:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? 'NVIDIA GPU';
  });
}

function readNvidiaVersion(): string | null {
  const path = `${nvidiaFolder}/version`;
  if (!existsSync(path)) return null;
  const version = /Kernel Module\s+(?:for \S+\s+)?([\d.]+)/.exec(readFileSync(path, 'utf8'))?.[1];
  return version === undefined ? null : `NVIDIA ${version}`;
}
