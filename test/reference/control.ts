/** Graphs within a node: If, Loop, Scan. */
import { intOf, intsOf } from '../../src/ir/attributes.js';
import { count, type NestingKernel, need, positive } from './kernel.js';
import { at, generate, get, scalar, type Tensor } from './tensor.js';

const branch: NestingKernel = (_, inputs, { runBody }) =>
  runBody(at(need(inputs, 0).data, 0) === 0 ? 'else_branch' : 'then_branch', []);

const loop: NestingKernel = (node, inputs, { runBody }) => {
  const [most, condition] = inputs;
  const turns = most === undefined ? Number.POSITIVE_INFINITY : at(most.data, 0);
  let goesOn: Tensor = condition ?? { ...scalar(1), dtype: 'bool' };
  let state = inputs.slice(2).map((_, i) => need(inputs, i + 2));
  const scanned: (readonly Tensor[])[] = [];
  for (let turn = 0; turn < turns; turn++) {
    if (condition !== undefined && at(goesOn.data, 0) === 0) break;
    const number: Tensor = { ...scalar(turn), dtype: 'int64' };
    const [next, ...rest] = runBody('body', [number, goesOn, ...state]);
    goesOn = next as Tensor;
    scanned.push(rest.slice(state.length));
    state = rest.slice(0, state.length);
  }
  const outputs = count(node.outputs.length - state.length);
  return [
    ...state,
    ...outputs.map((k) =>
      stack(
        scanned.map((all) => need(all, k)),
        0,
      ),
    ),
  ];
};

const scan: NestingKernel = (node, inputs, { opset, runBody }) => {
  if (opset < 9) return batchedScan(node, inputs, runBody);
  const scanCount = intOf(node, 'num_scan_inputs', 1);
  const stateCount = inputs.length - scanCount;
  const list = (name: string, i: number) => intsOf(node, name)?.[i] ?? 0;
  let state = count(stateCount).map((i) => need(inputs, i));
  const parts = count(scanCount).map((i) => {
    const all = need(inputs, stateCount + i);
    const axis = positive(list('scan_input_axes', i), all.dims.length);
    const turns = count(at(all.dims, axis)).map((t) => take(all, axis, t));
    return list('scan_input_directions', i) === 1 ? turns.reverse() : turns;
  });
  const scanned = (parts[0] ?? []).map((_, turn) => {
    const outputs = runBody('body', [...state, ...parts.map((all) => all[turn] as Tensor)]);
    state = outputs.slice(0, stateCount);
    return outputs.slice(stateCount);
  });
  const stacked = count(node.outputs.length - stateCount).map((k) => {
    const all = scanned.map((outputs) => need(outputs, k));
    if (list('scan_output_directions', k) === 1) all.reverse();
    return stack(all, list('scan_output_axes', k));
  });
  return [...state, ...stacked];
};

/** Scan of operator set 8: lengths first, and each batch entry scanned for itself along axis 1. */
const batchedScan = (
  node: Parameters<NestingKernel>[0],
  inputs: Parameters<NestingKernel>[1],
  runBody: Parameters<NestingKernel>[2]['runBody'],
): readonly Tensor[] => {
  const scanCount = intOf(node, 'num_scan_inputs', 1);
  const stateCount = inputs.length - 1 - scanCount;
  const sources = count(scanCount).map((i) => need(inputs, 1 + stateCount + i));
  const [batch, longest] = [at(need(sources, 0).dims, 0), at(need(sources, 0).dims, 1)];
  const entries = count(batch).map((b) => {
    let state = count(stateCount).map((i) => take(need(inputs, 1 + i), 0, b));
    const length = inputs[0] === undefined ? longest : at(inputs[0].data, b);
    const scanned = count(length).map((turn) => {
      const parts = sources.map((all, i) => {
        const reversed = intsOf(node, 'directions')?.[i] === 1;
        return take(take(all, 0, b), 0, reversed ? length - 1 - turn : turn);
      });
      const outputs = runBody('body', [...state, ...parts]);
      state = outputs.slice(0, stateCount);
      return outputs.slice(stateCount);
    });
    const stacked = count(node.outputs.length - stateCount).map((k) => {
      const all = stack(
        scanned.map((outputs) => need(outputs, k)),
        0,
      );
      const dims = [longest, ...all.dims.slice(1)];
      return generate(dims, (i) => (at(i, 0) < length ? get(all, i) : 0));
    });
    return [...state, ...stacked];
  });
  return node.outputs.map((_, k) =>
    stack(
      entries.map((outputs) => need(outputs, k)),
      0,
    ),
  );
};

export const control: Readonly<Record<string, NestingKernel>> = {
  If: branch,
  Loop: loop,
  Scan: scan,
};

/** One slice of an axis, without the axis. */
function take(all: Tensor, axis: number, index: number): Tensor {
  const dims = all.dims.toSpliced(axis, 1);
  const part = generate(dims, (i) => get(all, i.toSpliced(axis, 0, index)));
  return all.dtype === undefined ? part : { ...part, dtype: all.dtype };
}

/** Tensors of one shape along a new axis. */
function stack(parts: readonly Tensor[], axis: number): Tensor {
  const first = need(parts, 0);
  const place = positive(axis, first.dims.length + 1);
  const all = generate(first.dims.toSpliced(place, 0, parts.length), (i) =>
    get(need(parts, at(i, place)), i.toSpliced(place, 1)),
  );
  return first.dtype === undefined ? all : { ...all, dtype: first.dtype };
}
