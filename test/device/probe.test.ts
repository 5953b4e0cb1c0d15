import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { addDeviceOptions, openDevice } from '../../src/cli/device-options.js';
import { explainFailure, explainMissing } from '../../src/device/diagnosis.js';
import { createDevice } from '../../src/device/ort.js';
import { checkUsable, listDevices } from '../../src/device/probe.js';
import { providerIds, providers } from '../../src/device/provider.js';
import { findVulkan } from '../../src/device/vulkan.js';
import { withVulkan } from './vulkan.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the list of devices', () => {
  it('has every provider, and says of each that it is usable, or why not and what to do', async () => {
    const devices = await listDevices();
    expect(devices.map(({ id }) => id)).toEqual(expect.arrayContaining([...providerIds]));
    expect(devices[0]).toMatchObject({ id: 'cpu', usable: true, facts: { provider: 'cpu' } });
    for (const device of devices) {
      if (device.usable) continue;
      expect(device.reason).toMatch(/^[^\n]{10,300}$/);
      expect(device.fix).toMatch(/^[^\n]{8,300}$/);
    }
  });

  it.skipIf(!withVulkan())('has WebGPU as usable, and as software where it is', async () => {
    const webgpu = (await listDevices()).find(({ id }) => id === 'webgpu');
    const { software, named } = findVulkan();
    expect(webgpu).toMatchObject({ usable: true, facts: { provider: 'WebGPU', software } });
    // The fault is found by running it: gone with a release that mends it, or with the option.
    const device = createDevice({ id: 'webgpu', threads: 1, options: { layout: 'NCHW' } });
    expect(await checkUsable(device)).toEqual([]);
    await device.close();
    if (named.length > 0) expect(webgpu).toMatchObject({ facts: { driver: named.join(', ') } });
  });
});

describe.skipIf(process.platform !== 'linux')('a Vulkan driver', () => {
  it('that is not there makes WebGPU unusable, in one line that says so', async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/nowhere/icd.json');
    const device = createDevice({ id: 'webgpu' });
    await expect(checkUsable(device)).rejects.toThrow(
      /^device webgpu: not usable here: VK_DRIVER_FILES names \/nowhere\/icd.json, which does not exist; install .*VK_DRIVER_FILES=\S+$/,
    );
    await device.close();
  });

  it('that crashes costs the probe only', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'archwright-test-'));
    // The loader opens this as a library and finds that it is none.
    const library = join(folder, 'broken.so');
    writeFileSync(library, 'no library');
    const manifest = join(folder, 'icd.json');
    const icd = {
      file_format_version: '1.0.0',
      ICD: { library_path: library, api_version: '1.3' },
    };
    writeFileSync(manifest, JSON.stringify(icd));
    vi.stubEnv('VK_DRIVER_FILES', manifest);
    const device = createDevice({ id: 'webgpu' });
    await expect(checkUsable(device)).rejects.toThrow(
      /accepts no Vulkan driver of VK_DRIVER_FILES=|libvulkan.so.1 is not installed/,
    );
    await device.close();
    rmSync(folder, { recursive: true });
  });

  it('is known as software by its name', () => {
    const software = (path: string) => findVulkan({ VK_DRIVER_FILES: path }).software;
    expect(software('/usr/lib/chromium/vk_swiftshader_icd.json')).toBe(true);
    expect(software('/usr/share/vulkan/icd.d/lvp_icd.x86_64.json')).toBe(true);
    expect(software('/usr/share/vulkan/icd.d/nvidia_icd.json')).toBe(false);
    expect(software('/a/lvp_icd.json:/usr/share/vulkan/icd.d/nvidia_icd.json')).toBe(false);
    expect(findVulkan({ VK_ICD_FILENAMES: '/a.json:/b.json' }).named).toEqual([
      '/a.json',
      '/b.json',
    ]);
  });
});

describe('what stands against a provider', () => {
  const host = {
    runtimeVersion: '1.30.0',
    library: '/nowhere/libonnxruntime.so.1',
    providers: Object.values(providers).map(({ runtime }) => runtime),
    host: {} as never,
  };
  const nothingMissing = async () => ({});

  it('is that the library was built without it', () => {
    for (const id of providerIds) {
      expect(explainMissing(id, { ...host, providers: [] })?.reason).toMatch(/built without it$/);
    }
    expect(explainMissing('webgpu', host)).toBeUndefined();
  });

  it('is a library of it that is not installed, with the command that fetches it', () => {
    expect(explainMissing('cuda', host)).toMatchObject({
      reason: 'libonnxruntime_providers_cuda.so is not in the package folder of onnxruntime-node',
      fix: expect.stringMatching(
        /ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild .*Gpu\.Linux 1\.30\.0$/,
      ),
    });
  });

  it.each([
    ['libcudnn.so.9', 'cuDNN 9 for CUDA 12'],
    ['libnvinfer.so.10', 'TensorRT 10 for CUDA 12'],
    ['libcublasLt.so.12', 'the CUDA 12 runtime libraries'],
  ])('is %s, which something of it needs', async (library, fix) => {
    const message = `Failed to load library /x/libonnxruntime_providers_cuda.so with error: ${library}: cannot open shared object file: No such file or directory`;
    const found = await explainFailure('cuda', message, nothingMissing);
    expect(found.reason).toBe(`${library} is not installed`);
    expect(found.fix).toContain(fix);
  });

  it("is NVIDIA's driver, or what the runtime says", async () => {
    const message = 'CUDA failure 35: CUDA driver version is insufficient';
    const absent = { 'libcuda.so.1': 'cannot open' };
    const without = await explainFailure('cuda', message, async () => absent);
    expect(without.reason).toBe("NVIDIA's driver (libcuda.so.1) is not installed");
    expect((await explainFailure('cuda', message, nothingMissing)).reason).toBe(message);
  });

  it('is that it leaves nodes to the CPU', async () => {
    const device = createDevice({ id: 'webgpu', threads: 1 });
    const message = 'nodes …, but fallback to CPU EP has been explicitly disabled by the user.';
    const found = await explainFailure('webgpu', message, nothingMissing);
    expect(found.reason).toBe('it leaves a Conv with Relu to the CPU');
    await device.close();
  });
});

describe('flags', () => {
  const parse = (...args: string[]) =>
    addDeviceOptions(new Command().exitOverride())
      .parse(args, { from: 'user' })
      .opts<Parameters<typeof openDevice>[0]>();

  it('choose a device', async () => {
    const device = await openDevice(parse('--threads', '1', '--provider-option', 'spin=off'));
    expect(device.sessionOptions()).toMatchObject({
      provider: 'cpu',
      threads: 1,
      config: { 'session.intra_op.allow_spinning': '0' },
    });
    await device.close();
  });

  it('are refused where they mean nothing', async () => {
    expect(() => parse('--provider-option', 'fp16')).toThrow(/expected name=value/);
    await expect(openDevice(parse('--device', 'tpu'))).rejects.toThrow(/received tpu/);
    await expect(openDevice(parse('--provider-option', 'fp16=on'))).rejects.toThrow(
      /expected an option of it/,
    );
    if (process.platform === 'darwin') return;
    await expect(openDevice(parse('--device', 'coreml'))).rejects.toThrow(
      /device coreml: not usable here: .* built without it; use macOS/,
    );
  });
});
