import { expect, it } from 'vitest';
import { createDevice } from '../../src/device/ort.js';
import { describeDevice } from './contract.js';
import { withVulkan } from './vulkan.js';

describeDevice({
  id: 'cpu',
  create: () => createDevice({ threads: 1, options: { spin: false } }),
  tolerance: 1e-5,
  skip: false,
});

describeDevice({
  id: 'webgpu',
  create: () => createDevice({ id: 'webgpu', threads: 1, options: { layout: 'NCHW' } }),
  tolerance: 1e-3,
  skip: !withVulkan(),
});

it('a device is the CPU with all its cores unless told otherwise', async () => {
  const device = createDevice();
  const { host, adapter, software } = await device.describe();
  expect(device).toMatchObject({ id: 'cpu', provider: 'cpu', threads: host.availableCores });
  expect({ adapter, software }).toEqual({ adapter: host.cpuModel, software: false });
  expect(device.sessionOptions({ arena: false })).toEqual({
    threads: device.threads,
    optimization: 'all',
    provider: 'cpu',
    arena: false,
  });
  await device.close();
  expect(() => createDevice({ threads: 1.5 })).toThrow('device threads: expected a whole number');
});
