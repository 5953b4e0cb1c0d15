/** What holds for every device: each implementation runs these. */
import * as ort from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device/device.js';
import { checkUsable } from '../../src/device/probe.js';
import { runModel } from '../../src/device/run.js';
import type { Graph } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { RunnerError, TaskError } from '../../src/runtime/runtime.js';
import { createConvSpace } from '../../src/space/conv.js';
import { drawWeights } from '../../src/train/initialize.js';
import { Rng } from '../../src/util/random.js';

const task = { channels: 1, height: 12, width: 12, classes: 10 };
const rows = 3;

export interface DeviceCase {
  readonly id: string;
  /** Makes the device under test; the contract closes it. */
  readonly create: () => Device;
  /** Greatest difference to the CPU, relative to the greatest magnitude. */
  readonly tolerance: number;
  /** Why the device cannot run here, if it cannot. */
  readonly skip: boolean;
}

export function describeDevice({ id, create, tolerance, skip }: DeviceCase): void {
  describe.skipIf(skip)(`the device ${id}`, () => {
    const device = create();
    afterAll(() => device.close());

    it('is usable, and says what it is', async () => {
      await checkUsable(device);
      const facts = await device.describe();
      expect(facts).toMatchObject({ id, provider: device.provider, threads: device.threads });
      expect(facts.runtimeVersion).toMatch(/^1\./);
      expect(facts.host.availableCores).toBeGreaterThan(0);
    });

    it('gives what plain onnxruntime-node gives', async () => {
      const rng = new Rng('device-contract');
      const { baselines, decode, sample } = createConvSpace(task);
      const graphs = [
        ...baselines()
          .map(({ graph }) => graph)
          .slice(0, 1),
        decode(sample(rng)),
      ];
      const image = Float32Array.from({ length: rows * 144 }, () => rng.normal());
      for (const graph of graphs) {
        await expectSame(device, drawWeights(graph, rng), image, tolerance);
      }
    });

    it('refuses a broken model and goes on', async () => {
      await expect(runModel(device, new Uint8Array([1, 2, 3]), {})).rejects.toThrow(TaskError);
      expect((await device.describe()).id).toBe(id);
    });

    it('keeps its own options under those of a session', () => {
      const options = device.sessionOptions({ optimization: 'none', config: { a: 'b' } });
      expect(options).toMatchObject({
        threads: device.threads,
        provider: device.provider,
        optimization: 'none',
        config: { ...device.sessionOptions().config, a: 'b' },
      });
    });

    it('is leased to one at a time, and the cores with it', async () => {
      const other = create();
      const log: string[] = [];
      const work = (name: string) => async () => {
        log.push(`${name} starts`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        log.push(`${name} ends`);
      };
      await Promise.all([device.lease(work('a')), other.lease(work('b'))]);
      expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
      await other.close();
    });

    it('does nothing once it is closed', async () => {
      const other = create();
      await other.close();
      await expect(other.describe()).rejects.toThrow(RunnerError);
    });
  });
}

async function expectSame(
  device: Device,
  graph: Graph,
  image: Float32Array,
  tolerance: number,
): Promise<void> {
  const model = encodeModel(graph);
  const dims = [rows, task.channels, task.height, task.width];
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const expected = await session.run({ image: new ort.Tensor('float32', image, dims) });
  await session.release();
  const outputs = await runModel(device, model, { image: { dtype: 'float32', dims, data: image } });
  const actual = outputs.logits;
  expect(actual?.dims).toEqual([rows, task.classes]);
  const values = Array.from(expected.logits?.data as Float32Array);
  const scale = Math.max(...values.map(Math.abs));
  values.forEach((value, i) => {
    expect(Math.abs(value - Number(actual?.data[i])) / scale).toBeLessThan(tolerance);
  });
}
