/** The two graphs of one-shot training, loaded and fed. */
import { UsageError } from '../../errors.js';
import type { Graph } from '../../ir/graph.js';
import { encodeModel } from '../../ir/onnx/encode.js';
import type { HostTensor } from '../../runtime/binding-types.js';
import type { TaskContext } from '../../runtime/runner-protocol.js';
import { type Feeds, Session } from '../../runtime/session.js';
import { Rng } from '../../util/random.js';
import { elementCount } from '../../util/tensor.js';
import { readRows, type SharedColumn } from '../column.js';
import { packState } from '../flat-state.js';
import { drawWeights } from '../initialize.js';
import { resolveRecipe } from '../recipe.js';
import { createSchedule } from '../schedule.js';
import { rowsOf } from '../shared-rows.js';
import { createTrainingStep, type TrainingStep, trainingSession } from '../step.js';
import { stepName } from '../step-names.js';
import { drawOrder, type LoopOptions, runUpdates } from '../training-loop.js';
import type { PerOption } from './distribution.js';
import { createGateStep, type GateStep } from './gate-step.js';
import { type SupernetArgs, WARMUP } from './supernet.js';

/** Updates that are tried, and forgotten, to learn how long one takes; the first is not counted. */
const TRIED = 4;
/** Updates of the shortest training: two with even draws, two that move the logits. */
const LEAST_UPDATES = 4;

export interface SupernetSteps {
  /** Updates of the weights in the whole training. */
  readonly updates: number;
  /** Update number `update` of the weights, with one architecture's gates open; its loss. */
  learnWeights(update: number, choices: readonly number[]): Promise<number>;
  /** Loss and gradient by the gates on validation rows number `update`, with those gates open. */
  gateGradient(
    update: number,
    choices: readonly number[],
  ): Promise<{ readonly loss: number; readonly gradient: PerOption }>;
}

/** Runs `work` with both graphs loaded. Throws `UsageError` for what cannot be trained. */
export async function withSupernetSteps<T>(
  args: SupernetArgs,
  context: TaskContext,
  work: (steps: SupernetSteps) => Promise<T>,
): Promise<T> {
  const recipe = resolveRecipe(args.recipe);
  requireRows('training', args.data.count, recipe.batch * recipe.accumulate);
  requireRows('search', args.validation.count, recipe.batch);
  const rng = new Rng(args.seed);
  const graph = drawWeights(args.graph, rng.fork('weights'));
  const step = createTrainingStep(graph, recipe, 'native', { seed: rng.fork('draws').uint32() });
  const gateStep = createGateStep(graph, args.gates.flat(), recipe);
  const sessions: Session[] = [];
  const load = async (one: Graph) => {
    const session = await Session.create(encodeModel(one), {
      threads: args.threads,
      ...trainingSession,
    });
    sessions.push(session);
    return session;
  };
  try {
    const loaded = {
      step,
      gateStep,
      weights: await load(step.graph),
      gates: await load(gateStep.graph),
    };
    const planned = await plannedUpdates(args, graph, loaded, recipe, context);
    return await work(createSteps(args, graph, loaded, recipe, planned, context));
  } finally {
    for (const session of sessions) session.release();
  }
}

interface Loaded {
  readonly step: TrainingStep;
  readonly gateStep: GateStep;
  readonly weights: Session;
  readonly gates: Session;
}

type ResolvedRecipe = ReturnType<typeof resolveRecipe>;

/** Updates by the length asked for, less where they would take longer than their time. */
async function plannedUpdates(
  args: SupernetArgs,
  graph: Graph,
  loaded: Loaded,
  recipe: ResolvedRecipe,
  context: TaskContext,
): Promise<number> {
  const { length } = args;
  if ('updates' in length) return length.updates;
  const perEpoch = Math.floor(args.data.count / (recipe.batch * recipe.accumulate));
  const most = Math.max(LEAST_UPDATES, Math.round(length.epochs * perEpoch));
  if (length.seconds === undefined) return most;
  const steps = createSteps(args, graph, loaded, recipe, TRIED, context);
  const choices = args.gates.map((options) => options.length - 1);
  let [weightsMs, gatesMs] = [0, 0];
  for (let update = 0; update < TRIED; update++) {
    const begin = performance.now();
    await steps.learnWeights(update, choices);
    const middle = performance.now();
    await steps.gateGradient(update, choices);
    if (update === 0) continue;
    weightsMs += middle - begin;
    gatesMs += performance.now() - middle;
  }
  const seconds = (weightsMs + (1 - WARMUP) * gatesMs) / (TRIED - 1) / 1e3;
  return Math.max(LEAST_UPDATES, Math.min(most, Math.floor(length.seconds / seconds)));
}

/** Steps from the weights of `graph` on. */
function createSteps(
  args: SupernetArgs,
  graph: Graph,
  { step, gateStep, weights, gates: gateSession }: Loaded,
  recipe: ResolvedRecipe,
  updates: number,
  context: TaskContext,
): SupernetSteps {
  const { batch } = recipe;
  const rng = new Rng(args.seed);
  const images = rowsOf(args.data, withoutGates(graph, args));
  const validation = rowsOf(args.validation, withoutGates(graph, args));
  const perUpdate = batch * step.runs;
  const stepsPerEpoch = Math.floor(images.count / perUpdate);
  const loop: LoopOptions = {
    ...{ session: weights, step, rows: images, recipe, context },
    order: drawOrder(rng.fork('order'), images.count, perUpdate, updates),
    rates: createSchedule(updates, stepsPerEpoch, recipe),
    seed: rng.fork('augment').uint32(),
  };
  const validationOrder = drawOrder(rng.fork('validation'), validation.count, batch, updates);
  const rows = [validation.inputs[0], validation.target] as [SharedColumn, SharedColumn];
  let state: readonly HostTensor[] = packState(step, graph);
  return {
    updates,
    async learnWeights(update, choices) {
      const scalars = openGates(args.gates, choices).map(([name, value]) => {
        return { name, values: new Float32Array(step.runs).fill(value) };
      });
      const part = await runUpdates(
        { ...loop, scalars },
        state,
        update,
        1,
        Number.POSITIVE_INFINITY,
      );
      state = part.state;
      return part.losses[0] as number;
    },
    async gateGradient(update, choices) {
      const order = validationOrder.subarray(update * batch, (update + 1) * batch);
      const [image, labels] = rows.map((column) => gather(column, order, context));
      const vectors = gateStep.vectors.map((name) => {
        return [name, state[step.state.findIndex((one) => one.name === name)] as HostTensor];
      });
      const opened = openGates(args.gates, choices).map(([name, value]) => {
        return [name, { dtype: 'float32', dims: [], data: Float32Array.of(value) }];
      });
      const feeds = Object.fromEntries([
        ...vectors,
        ...opened,
        [gateStep.image, image],
        [gateStep.labels, labels],
      ]) as Feeds;
      const outputs = await gateSession.run(feeds);
      const flat = Array.from((outputs[gateStep.gradient] as HostTensor).data as Float32Array);
      let taken = 0;
      const gradient = args.gates.map((options) => {
        taken += options.length;
        return flat.slice(taken - options.length, taken);
      });
      return { loss: Number(outputs[gateStep.loss]?.data[0]), gradient };
    },
  };
}

/** Every gate's input with its number: 1 for the chosen options, 0 for the others. */
function openGates(gates: SupernetArgs['gates'], choices: readonly number[]) {
  return gates.flatMap((options, i) =>
    options.map((name, k) => [stepName(name), k === choices[i] ? 1 : 0] as const),
  );
}

function withoutGates(graph: Graph, { gates }: SupernetArgs): Graph {
  const names = new Set(gates.flat());
  return { ...graph, inputs: graph.inputs.filter(({ name }) => !names.has(name)) };
}

/** The rows of those numbers, converted. */
function gather(column: SharedColumn, order: Uint32Array, context: TaskContext): HostTensor {
  const source = context.shared(column.array) as Uint8Array;
  const length = elementCount(column.rowDims);
  const rows = new Uint8Array(order.length * length);
  order.forEach((row, i) => {
    rows.set(source.subarray(row * length, (row + 1) * length), i * length);
  });
  return readRows(column, rows, 0, order.length);
}

function requireRows(split: string, count: number, least: number): void {
  if (count >= least) return;
  throw new UsageError(
    `data: expected at least one update of ${least} rows in the ${split} split, received ${count}`,
  );
}
