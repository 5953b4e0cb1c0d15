/**
 * Operators with nested graphs. What is known of an If is what its branches agree in, or what the
 * taken branch says where the condition is constant. What is known of a value that a loop carries is
 * what its start and every later turn agree in: the body is inferred until that no longer changes.
 */
import { graphOf, intOf, intsOf } from '../attributes.js';
import type { Dim, Node, Shape, TensorType } from '../graph.js';
import type { controlSchemas } from '../schema/control.js';
import { isFixed, isSameDim, unifyDims } from './dims.js';
import {
  type Contents,
  fail,
  frontAxis,
  hasInput,
  type InferContext,
  type Inferred,
  type Known,
  numbersOf,
  type ShapeRule,
  typeFrom,
} from './shape.js';

const branch: ShapeRule = ({ node, contents: [condition], inferBody }) => {
  const taken = numbersOf(condition)?.[0];
  const outputsOf = (attribute: string): readonly Known[] => {
    const outputs = inferBody(attribute, []);
    if (outputs.length !== node.outputs.length) {
      const received = `received ${outputs.length}`;
      fail(node, `${attribute} expected ${node.outputs.length} outputs, ${received}`);
    }
    return outputs;
  };
  if (taken !== undefined) {
    const attribute = taken === 0 ? 'else_branch' : 'then_branch';
    return inferredFrom(outputsOf(attribute), { [attribute]: 1 });
  }
  const then = outputsOf('then_branch');
  const otherwise = outputsOf('else_branch');
  return inferredFrom(
    then.map((known, i) => join(node, known, otherwise[i] as Known)),
    {},
  );
};

const loop: ShapeRule = (context) => {
  const { node, inputs, contents, inferBody } = context;
  if (inputs.length < 2) fail(node, `expected 2 inputs or more, received ${inputs.length}`);
  const goesOn: Known = { type: { dtype: 'bool', shape: [] }, contents: [1] };
  const conditional = hasInput(node, 1);
  const start: Known[] = [
    conditional ? { type: inputs[1] ?? goesOn.type, contents: contents[1] } : goesOn,
    ...knownInputs(context, 2),
  ];
  const run = (turn: Dim, state: readonly Known[]): readonly Known[] => {
    const number: Known = { type: { dtype: 'int64', shape: [] }, contents: [turn] };
    const outputs = inferBody('body', [number, ...state]);
    requireOutputs(node, outputs.length, 1 + node.outputs.length);
    return conditional ? outputs : [goesOn, ...outputs.slice(1)];
  };
  const most = hasInput(node, 0) ? numbersOf(contents[0])?.[0] : Number.POSITIVE_INFINITY;
  const isLong = !conditional && (most === undefined || most > MAX_FOLLOWED);
  const exact = isLong ? undefined : follow(node, start, most, run);
  // Last, since what is recorded of the body is to hold in every turn.
  const settled = settle(node, start, (state) => run('?', state));
  const goesOnAlways = numbersOf(settled.state[0]?.contents)?.[0] === 1;
  const runs = exact?.runs ?? (goesOnAlways && Number.isFinite(most) ? most : undefined);
  const carried = (exact ?? (runs === undefined ? settled : { state: settled.outputs })).state;
  const scanned = settled.outputs.slice(start.length).map((known, k): Known => {
    const type = (runs ? exact?.outputs[start.length + k] : undefined)?.type ?? known.type;
    return { type: typeFrom(type?.dtype, type?.shape && [runs ?? '?', ...type.shape]) };
  });
  return inferredFrom([...carried.slice(1, start.length), ...scanned], { body: runs });
};

/** Turns of a Loop that are followed one by one. */
const MAX_FOLLOWED = 64;

/**
 * Turn by turn: the state at the end, what the outputs of all turns have in common, and how many there
 * were; undefined where the end does not follow, or comes late.
 */
function follow(
  node: Node,
  start: readonly Known[],
  most: number | undefined,
  run: (turn: Dim, state: readonly Known[]) => readonly Known[],
): { state: readonly Known[]; outputs: readonly Known[]; runs: number } | undefined {
  let state = start;
  let outputs: readonly Known[] = [];
  for (let turn = 0; turn <= MAX_FOLLOWED; turn++) {
    if (most !== undefined && turn >= most) return { state, outputs, runs: turn };
    const goesOn = numbersOf(state[0]?.contents)?.[0];
    if (goesOn === undefined) return undefined;
    if (goesOn === 0) return { state, outputs, runs: turn };
    if (most === undefined) return undefined;
    const next = run(turn, state);
    outputs = turn === 0 ? next : next.map((known, k) => join(node, outputs[k] ?? {}, known));
    state = next.slice(0, start.length);
  }
  return undefined;
}

const scan: ShapeRule = (context) => {
  const { node, opset, inputs, inferBody } = context;
  // Before opset 9, the first input held lengths, and all tensors had a batch axis in front.
  const batched = opset < 9;
  const first = batched ? 1 : 0;
  const scannedInputs = intOf(node, 'num_scan_inputs', 1);
  const stateCount = inputs.length - first - scannedInputs;
  if (scannedInputs < 1 || stateCount < 0) {
    const received = `received ${inputs.length}`;
    fail(node, `expected ${first + scannedInputs} inputs or more, ${received}`);
  }
  const axes = intsOf(node, 'scan_input_axes');
  let batch: Dim = '?';
  let length: Dim = '?';
  const meet = (a: Dim, b: Dim | undefined, what: string): Dim => {
    const both = b === undefined ? a : unifyDims(a, b);
    return both ?? fail(node, `expected inputs of one ${what}, received ${a} and ${b}`);
  };
  const elements = inputs.slice(first + stateCount).map((type, i): Known => {
    const shape = type?.shape;
    if (shape === undefined) return { type };
    const inner = batched ? shape.slice(1) : shape;
    if (batched) batch = meet(batch, shape[0], 'batch size');
    const axis = frontAxis(node, axes?.[i] ?? 0, inner.length);
    length = meet(length, inner[axis], 'length');
    return { type: { dtype: (type as TensorType).dtype, shape: inner.toSpliced(axis, 1) } };
  });
  const start = inputs.slice(first, first + stateCount).map((type): Known => {
    if (!batched || type?.shape === undefined) return { type };
    batch = meet(batch, type.shape[0], 'batch size');
    return { type: { ...type, shape: type.shape.slice(1) } };
  });
  const run = (state: readonly Known[]): readonly Known[] => {
    const outputs = inferBody('body', [...state, ...elements]);
    requireOutputs(node, outputs.length, node.outputs.length);
    return outputs;
  };
  const settled = settle(node, start, run);
  const outputAxes = intsOf(node, 'scan_output_axes');
  const front = batched ? [batch] : [];
  const carried = settled.state.map(({ type }) =>
    typeFrom(type?.dtype, type?.shape && [...front, ...type.shape]),
  );
  const scanned = settled.outputs.slice(stateCount).map(({ type }, i) => {
    const shape: Shape | undefined = type?.shape;
    if (shape === undefined) return typeFrom(type?.dtype, undefined);
    const axis = frontAxis(node, outputAxes?.[i] ?? 0, shape.length + 1);
    return typeFrom(type?.dtype, [...front, ...shape.toSpliced(axis, 0, length)]);
  });
  const turns = batched ? undefined : length;
  return { types: [...carried, ...scanned], runs: { body: isFixed(turns) ? turns : undefined } };
};

export const controlShapes: Readonly<Record<keyof typeof controlSchemas, ShapeRule>> = {
  If: branch,
  Loop: loop,
  Scan: scan,
};

function inferredFrom(outputs: readonly Known[], runs: Inferred['runs'] & object): Inferred {
  const [first, ...further] = outputs.map(({ contents }) => contents);
  const inferred = {
    types: outputs.map(({ type }) => type),
    furtherContents: further,
    runs,
  };
  return first === undefined ? inferred : { ...inferred, contents: first };
}

function knownInputs({ inputs, contents }: InferContext, from: number): Known[] {
  return inputs.slice(from).map((type, i) => ({ type, contents: contents[from + i] }));
}

function requireOutputs(node: Node, received: number, expected: number): void {
  if (received === expected) return;
  const body = graphOf(node, 'body')?.name;
  fail(node, `body ${body}: expected ${expected} outputs, received ${received}`);
}

/** What holds of the carried values in every turn, and of the body's outputs then. */
function settle(
  node: Node,
  start: readonly Known[],
  run: (state: readonly Known[]) => readonly Known[],
): { state: readonly Known[]; outputs: readonly Known[] } {
  let state = start;
  for (;;) {
    const outputs = run(state);
    const next = state.map((known, i) => join(node, known, outputs[i] ?? {}));
    if (JSON.stringify(next) === JSON.stringify(state)) return { state, outputs };
    state = next;
  }
}

/** What two descriptions of a value have in common. */
function join(node: Node, a: Known, b: Known): Known {
  if (a.type === undefined || b.type === undefined) return {};
  const { dtype } = a.type;
  if (dtype !== b.type.dtype) {
    fail(node, `expected values of one element type, received ${dtype} and ${b.type.dtype}`);
  }
  return {
    type: typeFrom(dtype, joinDims(a.type.shape, b.type.shape)),
    contents: joinDims(a.contents, b.contents),
  };
}

function joinDims<T extends Shape | Contents>(a: T | undefined, b: T | undefined) {
  if (a === undefined || b === undefined || a.length !== b.length) return undefined;
  return a.map((dim, i): Dim => (isSameDim(dim, b[i]) ? dim : '?'));
}
