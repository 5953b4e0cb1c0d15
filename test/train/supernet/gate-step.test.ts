/** Gradients of the loss by the gates of a supernet. */
import { describe, expect, test } from 'vitest';
import { encodeModel } from '../../../src/ir/onnx/encode.js';
import { verify } from '../../../src/ir/verify.js';
import { type Feeds, Session } from '../../../src/runtime/session.js';
import { createCellSupernet } from '../../../src/space/cell-supernet.js';
import { resolveRecipe } from '../../../src/train/recipe.js';
import { createGateStep } from '../../../src/train/supernet/gate-step.js';
import { Rng } from '../../../src/util/random.js';
import { interpret } from '../../reference/interpreter.js';
import { tensor } from '../../reference/tensor.js';

describe('the gradient by the gates', () => {
  const task = { channels: 1, height: 4, width: 4, classes: 3 };
  const supernet = createCellSupernet(task, { width: 2, cells: 1 });
  const gates = supernet.gates.flat();
  const recipe = resolveRecipe({ batch: 4 });
  const rng = new Rng(5);
  const [onnx, native] = (['onnx', 'native'] as const).map((kernels) =>
    createGateStep(supernet.graph, gates, recipe, kernels),
  ) as [ReturnType<typeof createGateStep>, ReturnType<typeof createGateStep>];
  const open = (name: string): number => {
    const options = supernet.gates.find((each) => each.includes(name)) as readonly string[];
    return Number(options.indexOf(name) === (gates.indexOf(options[0] as string) / 5 + 2) % 5);
  };
  const values = Object.fromEntries(
    onnx.graph.inputs.map(({ name, shape }) => {
      const dims = (shape ?? []) as number[];
      const length = dims.reduce((a, b) => a * b, 1);
      const gate = gates.find((each) => name.endsWith(each));
      const value = () => {
        if (gate !== undefined) return open(gate);
        if (name === onnx.labels) return rng.integer(3);
        return name === 'running.variance' ? 1 : rng.normal();
      };
      return [name, tensor(dims, Array.from({ length }, value))];
    }),
  );

  test('is that of finite differences in float64', () => {
    verify(onnx.graph);
    const exact = interpret(onnx.graph, values).get(onnx.gradient)?.data as ArrayLike<number>;
    const lossAt = (name: string, change: number) => {
      const input = values[name] as ReturnType<typeof tensor>;
      const moved = { ...values, [name]: tensor([], [Number(input.data[0]) + change]) };
      return Number(interpret(onnx.graph, moved).get(onnx.loss)?.data[0]);
    };
    const step = 1e-5;
    let largest = 0;
    gates.forEach((gate, i) => {
      const name = onnx.graph.inputs.find((one) => one.name.endsWith(gate))?.name as string;
      const slope = (lossAt(name, step) - lossAt(name, -step)) / (2 * step);
      largest = Math.max(largest, Math.abs(slope));
      expect(exact[i], gate).toBeCloseTo(slope, 6);
    });
    expect(largest).toBeGreaterThan(0.01);
  });

  test('comes out of ONNX Runtime with our kernels', async () => {
    const exact = interpret(onnx.graph, values).get(onnx.gradient)?.data as ArrayLike<number>;
    const session = await Session.create(encodeModel(native.graph), {
      ...{ threads: 1, optimization: 'all', provider: 'cpu' },
    });
    const feeds = Object.fromEntries(
      native.graph.inputs.map(({ name, dtype }) => {
        const { dims, data } = values[name] as ReturnType<typeof tensor>;
        const own = dtype === 'int64' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
        return [name, { dtype, dims, data: own }];
      }),
    );
    const outputs = await session.run(feeds as Feeds);
    session.release();
    const got = outputs[native.gradient]?.data as Float32Array;
    for (const [i, gate] of gates.entries()) {
      expect(got[i], gate).toBeCloseTo(exact[i] as number, 4);
    }
  });
});
