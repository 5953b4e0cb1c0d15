/**
 * The Vulkan driver that ONNX Runtime's WebGPU provider would use on Linux: WebGPU itself does not
 * tell it. `VK_DRIVER_FILES` names driver manifests and replaces the search of the usual folders.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Drivers that compute on the CPU: SwiftShader, and Mesa's lavapipe (lvp). */
const softwareName = /swiftshader|lvp_icd|lavapipe|llvmpipe/i;

/** Where Chromium and Chrome keep SwiftShader's manifest. */
const swiftShaderPlaces = [
  '/usr/lib/chromium',
  '/usr/lib/chromium-browser',
  '/usr/lib64/chromium-browser',
  '/opt/google/chrome',
  '/opt/chromium.org/chromium',
  '/snap/chromium/current/usr/lib/chromium-browser',
].map((folder) => join(folder, 'vk_swiftshader_icd.json'));

export interface VulkanFacts {
  /** Manifests that `VK_DRIVER_FILES` (or the older `VK_ICD_FILENAMES`) names. */
  readonly named: readonly string[];
  /** WebGPU would run on the CPU's cores. */
  readonly software: boolean;
}

/** What the environment and the device files tell. */
export function findVulkan(env: NodeJS.ProcessEnv = process.env): VulkanFacts {
  const list = env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES ?? '';
  const named = list.split(process.platform === 'win32' ? ';' : ':').filter((path) => path !== '');
  const software =
    named.length > 0
      ? named.every((path) => softwareName.test(path))
      : process.platform === 'linux' && !hasGpuFile();
  return { named, software };
}

/** SwiftShader's manifest, if a browser of this machine brought one. */
export function findSwiftShader(): string | undefined {
  return swiftShaderPlaces.find((path) => existsSync(path));
}

/** Whether the kernel offers a GPU at all: a render node, NVIDIA's files, or WSL's. */
function hasGpuFile(): boolean {
  const names = [...list('/dev/dri'), ...list('/dev')];
  return names.some((name) => /^(renderD\d+|nvidia\d+|dxg)$/.test(name));
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
