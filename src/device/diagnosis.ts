/** Why a provider is not usable here, in one line, and what would help. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorMessage } from '../errors.js';
import type { HostProbe } from './probe-task.js';
import { type ProviderId, providers } from './provider.js';
import { findSwiftShader, findVulkan } from './vulkan.js';

export interface Diagnosis {
  readonly reason: string;
  readonly fix: string;
}

/** Tells which of these shared libraries cannot be opened, and the loader's complaint. */
export type FindMissing = (paths: readonly string[]) => Promise<Readonly<Record<string, string>>>;

const otherDevice = 'use another device: archwright devices';
/** Where a provider is to be had, for those that the library of this platform is built without. */
const builtFor: Readonly<Record<ProviderId, string>> = {
  cpu: 'reinstall: npm ci',
  webgpu: 'use Linux on x64, macOS or Windows',
  cuda: 'use Linux on x64',
  tensorrt: 'use Linux on x64',
  coreml: 'use macOS',
  dml: 'use Windows',
};

/** What stands against the provider before it is tried. */
export function explainMissing(provider: ProviderId, host: HostProbe): Diagnosis | undefined {
  if (!host.providers.includes(providers[provider].runtime)) {
    const platform = `${process.platform} ${process.arch}`;
    const reason = `ONNX Runtime's library for ${platform} is built without it`;
    return { reason, fix: builtFor[provider] };
  }
  if (provider === 'cuda' || provider === 'tensorrt') {
    const absent = providerLibraries(provider, host).findLast((path) => !existsSync(path));
    if (absent === undefined) return undefined;
    return {
      reason: `${basename(absent)} is not in the package folder of onnxruntime-node`,
      fix:
        'run `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node`, which fetches it from ' +
        `the NuGet package Microsoft.ML.OnnxRuntime.Gpu.Linux ${host.runtimeVersion}`,
    };
  }
  return undefined;
}

/** What its failed trial may come from; `message` is the error of the trial. */
export async function explainFailure(
  provider: ProviderId,
  message: string,
  findMissing: FindMissing,
): Promise<Diagnosis> {
  const told = shorten(message);
  if (/fallback to CPU EP has been explicitly disabled/.test(message)) {
    return { reason: 'it leaves a Conv with Relu to the CPU', fix: otherDevice };
  }
  try {
    switch (provider) {
      case 'webgpu':
        return await explainVulkan(told, findMissing);
      case 'cuda':
      case 'tensorrt':
        return await explainCuda(message, findMissing);
      case 'cpu':
      case 'coreml':
      case 'dml':
        return { reason: told, fix: otherDevice };
    }
  } catch (error) {
    return { reason: `${told}; ${errorMessage(error)}`, fix: otherDevice };
  }
}

async function explainVulkan(told: string, findMissing: FindMissing): Promise<Diagnosis> {
  if (process.platform !== 'linux' || !/adapter/i.test(told)) {
    return { reason: told, fix: "update the GPU's driver" };
  }
  const { named } = findVulkan();
  const absent = named.find((path) => !existsSync(path));
  if (absent !== undefined) {
    return { reason: `VK_DRIVER_FILES names ${absent}, which does not exist`, fix: softwareFix() };
  }
  if ('libvulkan.so.1' in (await findMissing(['libvulkan.so.1']))) {
    return {
      reason: 'the Vulkan loader libvulkan.so.1 is not installed',
      fix: `install it (Debian: apt-get install libvulkan1); then ${softwareFix()}`,
    };
  }
  const reason =
    named.length > 0
      ? `ONNX Runtime accepts no Vulkan driver of VK_DRIVER_FILES=${named.join(':')}`
      : 'no Vulkan driver here that ONNX Runtime accepts';
  return { reason, fix: softwareFix() };
}

/** A software device is offered, never taken by itself: it would be measured as if it were a GPU. */
function softwareFix(): string {
  const found = findSwiftShader();
  const path = found ?? '/usr/lib/chromium/vk_swiftshader_icd.json';
  const install = found === undefined ? 'apt-get install chromium, then ' : '';
  return `install the GPU's Vulkan driver, or for a software device: ${install}export VK_DRIVER_FILES=${path}`;
}

async function explainCuda(message: string, findMissing: FindMissing): Promise<Diagnosis> {
  const [, library] = /(\S+): cannot open shared object file/.exec(message) ?? [];
  if (library !== undefined) {
    return { reason: `${library} is not installed`, fix: `install ${packageOf(library)}` };
  }
  if ('libcuda.so.1' in (await findMissing(['libcuda.so.1']))) {
    return { reason: "NVIDIA's driver (libcuda.so.1) is not installed", fix: 'install the driver' };
  }
  const fix = "compare the versions of NVIDIA's driver, CUDA 12 and cuDNN 9: nvidia-smi";
  return { reason: shorten(message), fix };
}

/** The parts of CUDA that NVIDIA packages apart. */
function packageOf(library: string): string {
  if (library.startsWith('libcudnn')) return 'cuDNN 9 for CUDA 12';
  if (library.startsWith('libnvinfer') || library.startsWith('libnvonnx')) {
    return 'TensorRT 10 for CUDA 12';
  }
  return 'the CUDA 12 runtime libraries, and name their folder in LD_LIBRARY_PATH';
}

function providerLibraries(provider: 'cuda' | 'tensorrt', { library }: HostProbe): string[] {
  const names = provider === 'cuda' ? ['shared', 'cuda'] : ['shared', 'cuda', 'tensorrt'];
  return names.map((name) => join(dirname(library), `libonnxruntime_providers_${name}.so`));
}

/** One line: without the place in ONNX Runtime's sources, and not without end. */
function shorten(message: string): string {
  const line = message
    .replaceAll(/\s+/g, ' ')
    .replace(/^ONNX Runtime: (the model was refused: )?/, '')
    .replace(/^\S+\.cc:\d+ .*? was false\. /, '')
    .trim();
  return line.length > 240 ? `${line.slice(0, 240)}…` : line;
}
