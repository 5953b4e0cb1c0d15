/**
 * WebGPU for tests. Importing this names SwiftShader's Vulkan driver in `VK_DRIVER_FILES`, which the
 * runner's process inherits, where there is no GPU and the variable is unset.
 */
import { existsSync } from 'node:fs';
import { findSwiftShader, findVulkan } from '../../src/device/vulkan.js';

const software = findSwiftShader();
if (findVulkan().software && findVulkan().named.length === 0 && software !== undefined) {
  process.env.VK_DRIVER_FILES = software;
}

/** Whether WebGPU can run here. Says loudly that tests are skipped where it cannot. */
export function withVulkan(): boolean {
  const { named, software } = findVulkan();
  const runs = named.length > 0 ? named.every((path) => existsSync(path)) : !software;
  if (!runs) {
    console.warn('SKIPPED: no Vulkan driver for WebGPU; Debian: apt-get install chromium');
  }
  return runs;
}
