import { afterAll, describe, expect, it, vi } from 'vitest';
import { placeNodes } from '../../src/deploy/place.js';
import { createDevice } from '../../src/device/ort.js';
import type { Graph } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { resolveInputs } from '../../src/measure/dims.js';
import { Rng } from '../../src/util/random.js';
import { convNet } from '../ir/pass/small-nets.js';

// Each placement waits for its turn on the device.
vi.setConfig({ testTimeout: 300_000 });

const device = createDevice({ threads: 1 });
afterAll(() => device.close());

const place = (graph: Graph) => placeNodes(device, encodeModel(graph), graph, resolveInputs(graph));

describe('placeNodes', () => {
  it('says of every node which provider ran it, or what became of it', async () => {
    const graph = convNet(new Rng('place'));
    const placement = await place(graph);
    if (!placement.runs) throw new Error(placement.reason);
    expect(placement).toMatchObject({ device: 'cpu', fallbacks: [], copies: 0 });
    expect(placement.nodes.map(({ name }) => name)).toEqual(graph.nodes.map(({ name }) => name));
    const fates = Object.fromEntries(placement.nodes.map(({ name, fate }) => [name, fate]));
    expect(fates).toMatchObject({ stem: 'kernel', 'stem.relu': 'fused', fc2: 'kernel' });
    const convolutions = placement.nodes.filter(({ op }) => op === 'Conv');
    expect(convolutions.map(({ provider }) => provider)).toEqual(
      convolutions.map(() => 'CPUExecutionProvider'),
    );
    expect(Object.keys(placement.kernels)).toEqual(['CPUExecutionProvider']);
  });

  it('tells why a model does not run', async () => {
    const graph = convNet(new Rng('place'));
    const nodes = graph.nodes.map((node) =>
      node.op === 'Clip' ? { ...node, op: 'Mystery' } : node,
    );
    expect(await place({ ...graph, nodes })).toEqual({
      device: 'cpu',
      runs: false,
      reason: expect.stringMatching(/Mystery/),
    });
  });
});
