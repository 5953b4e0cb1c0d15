/** The cell supernet against the network of each cell, with the same weights in both. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { type Graph, withData } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { verify } from '../../src/ir/verify.js';
import { createCellSpace } from '../../src/space/cell.js';
import { CELL_OPERATIONS, cellOf, parseCell } from '../../src/space/cell-architecture.js';
import { decodeCell } from '../../src/space/cell-decode.js';
import { createCellSupernet, nameInSupernet } from '../../src/space/cell-supernet.js';
import { Rng } from '../../src/util/random.js';
import type { TensorData } from '../../src/util/tensor.js';

const task = { channels: 3, height: 8, width: 8, classes: 4 };
const scale = { width: 4, cells: 2 };
const supernet = createCellSupernet(task, scale);
const IMAGES = 2;

/** Every weight and statistic at random; variances above 0. */
function filled(graph: Graph): Graph {
  const rng = new Rng('filled');
  const values = graph.initializers.flatMap(({ name, role, dims }) => {
    if (role === 'constant') return [];
    const own = rng.fork(name);
    const draw = name.endsWith('.var') ? () => own.range(0.5, 2) : () => 0.4 * own.normal();
    const count = dims.reduce((a, b) => a * b, 1);
    return [[name, Float32Array.from({ length: count }, draw)] as const];
  });
  return withData(graph, new Map(values));
}

async function logitsOf(graph: Graph, gates: Readonly<Record<string, number>>) {
  const rng = new Rng('image');
  const dims = [IMAGES, task.channels, task.height, task.width];
  const image = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => rng.normal());
  const session = await InferenceSession.create(encodeModel(graph));
  const { logits } = await session.run({
    image: new Tensor('float32', image, dims),
    ...Object.fromEntries(
      Object.entries(gates).map(([name, value]) => [name, new Tensor('float32', [value], [])]),
    ),
  });
  await session.release();
  return Array.from(logits?.data as Float32Array);
}

describe('the cell supernet', () => {
  const whole = filled(supernet.graph);

  test('is a valid graph with a gate for each operation of each edge', () => {
    verify(supernet.graph);
    expect(supernet.gates.map((options) => options.length)).toEqual([5, 5, 5, 5, 5, 5]);
    expect(new Set(supernet.gates.flat()).size).toBe(30);
    expect(createCellSpace(task).supernet?.().gates).toEqual(supernet.gates);
  });

  const cells = [0, 15_624, 1, ...Array.from({ length: 8 }, (_, i) => 1931 * (i + 1))];
  test.each(cells)('computes what cell %i computes', async (number) => {
    const edges = cellOf(number);
    const known = new Map(whole.initializers.map(({ name, data }) => [name, data]));
    const own = decodeCell(edges, task, scale);
    const copied = own.initializers
      .filter(({ role }) => role !== 'constant')
      .map(({ name }) => [name, known.get(nameInSupernet(edges, name)) as TensorData] as const);
    const expected = await logitsOf(withData(own, new Map(copied)), {});
    const gates = supernet.gates.flatMap((options, e) =>
      options.map((name, k) => [name, Number(CELL_OPERATIONS[k] === edges[e])] as const),
    );
    const logits = await logitsOf(whole, Object.fromEntries(gates));
    expect(logits).toHaveLength(expected.length);
    for (const [i, value] of logits.entries()) {
      expect(value).toBeCloseTo(expected[i] as number, 4);
    }
  });

  test('names the tensors of a cell below its operations', () => {
    const edges = parseCell(
      '|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|none~2|',
    );
    expect(nameInSupernet(edges, 'stage2.cell1.edge12.conv.weight')).toBe(
      'stage2.cell1.edge12.nor_conv_3x3.conv.weight',
    );
    expect(nameInSupernet(edges, 'reduce1.a.conv.weight')).toBe('reduce1.a.conv.weight');
  });
});
