/**
 * A model loaded in ONNX Runtime. Everything is validated here, in JavaScript; the addon trusts what
 * it gets. Work runs off the JavaScript thread, but in this process: a crash of native code ends it.
 * Use a `Runner` to be safe from that.
 *
 * Caveat: ending a process or a worker thread while a session works aborts the process.
 */
import { ArchwrightError, errorMessage, InternalError, UsageError } from '../errors.js';
import { loadBinding } from './binding.js';
import type {
  AllocatorStats,
  ConcurrentRuns,
  HostTensor,
  LoopRequest,
  LoopResult,
  NativeBinding,
  Placement,
  SessionHandle,
  SessionOptions,
  SessionValue,
  TimerHandle,
  TimingPlan,
  TimingWindow,
} from './binding-types.js';
import { checkLoopRequest } from './loop-request.js';
import { checkFits, checkTensor } from './tensor.js';

/** Input tensors by name. */
export type Feeds = Readonly<Record<string, HostTensor>>;

export class Session {
  readonly #binding: NativeBinding;
  #handle: SessionHandle | undefined;
  /** Inputs in the order of the model. */
  readonly inputs: readonly SessionValue[];
  /** Outputs in the order of the model. */
  readonly outputs: readonly SessionValue[];
  /** Time that parsing and optimising the model took. */
  readonly loadMs: number;

  private constructor(binding: NativeBinding, handle: SessionHandle) {
    this.#binding = binding;
    this.#handle = handle;
    this.inputs = Object.freeze(binding.sessionInputs(handle));
    this.outputs = Object.freeze(binding.sessionOutputs(handle));
    this.loadMs = binding.sessionLoadNs(handle) / 1e6;
  }

  /**
   * Loads a model from the bytes of an ONNX file. Throws `UsageError` for bad options,
   * `ArchwrightError` if ONNX Runtime refuses the model.
   */
  static async create(bytes: Uint8Array, options: SessionOptions): Promise<Session> {
    if (!Number.isSafeInteger(options.threads) || options.threads < 1) {
      throw new UsageError(`threads: expected a whole number from 1, received ${options.threads}`);
    }
    const binding = loadBinding();
    const handle = await named('the model was refused', binding.createSession(bytes, options));
    return new Session(binding, handle);
  }

  /** One run; the outputs asked for, or all. Throws `UsageError` for feeds that do not fit. */
  async run(
    feeds: Feeds,
    outputs: readonly string[] = this.outputs.map((output) => output.name),
  ): Promise<Record<string, HostTensor>> {
    const handle = this.#live();
    this.#checkFeeds(feeds);
    for (const name of outputs) {
      if (!this.outputs.some((output) => output.name === name)) {
        throw new UsageError(`output "${name}": expected an output of the model: ${this.#names()}`);
      }
    }
    const values = await named('the run failed', this.#binding.run(handle, feeds, outputs));
    return byName(outputs, values);
  }

  /** Copies the input sets into bound buffers, ready for a timing loop. At least one set. */
  async createTimer(
    inputSets: readonly Feeds[],
    placement: Placement = { inputs: 'host', outputs: 'host' },
  ): Promise<Timer> {
    const handle = this.#live();
    const first = inputSets[0];
    if (first === undefined)
      throw new UsageError('inputSets: expected at least one, received none');
    for (const set of inputSets) {
      this.#checkFeeds(set);
      for (const [name, tensor] of Object.entries(set)) {
        const shape = first[name] as HostTensor;
        checkFits({ name, ...shape }, tensor.dtype, tensor.dims, `input "${name}" of a later set`);
      }
    }
    const timer = await named(
      'the run failed',
      this.#binding.createTimer(handle, inputSets, placement),
    );
    const names = this.outputs.map((output) => output.name);
    return new Timer(this.#binding, timer, names);
  }

  /** Runs this step graph once per batch of `request.order`. See `LoopRequest`. */
  async runLoop(request: LoopRequest): Promise<LoopResult> {
    const handle = this.#live();
    checkLoopRequest(request, this.inputs, this.outputs);
    const { state } = request;
    const result = await named('the loop failed', this.#binding.runLoop(handle, request));
    const rest = result.state.values();
    const final = state.map(({ inPlace, value }) =>
      inPlace === true ? value : (rest.next().value as HostTensor),
    );
    return { ...result, state: final };
  }

  /** Arena statistics so far; all zero when the arena is off or the provider does not tell. */
  allocatorStats(memory: 'host' | 'device' = 'host'): AllocatorStats {
    return this.#binding.allocatorStats(this.#live(), memory);
  }

  /** Ends the profiling that `profilePrefix` began; path of the file with its trace events. */
  endProfiling(): string {
    return this.#binding.endProfiling(this.#live());
  }

  /** Frees the model, once work under way and timers have ended. Safe to call twice. */
  release(): void {
    if (this.#handle !== undefined) this.#binding.releaseSession(this.#handle);
    this.#handle = undefined;
  }

  #live(): SessionHandle {
    if (this.#handle === undefined) throw new InternalError('a session was used after its release');
    return this.#handle;
  }

  #names(): string {
    return this.outputs.map((output) => `"${output.name}"`).join(', ');
  }

  #checkFeeds(feeds: Feeds): void {
    for (const input of this.inputs) {
      const where = `input "${input.name}"`;
      const tensor = feeds[input.name];
      if (tensor === undefined) throw new UsageError(`${where}: expected a tensor, received none`);
      checkTensor(tensor, where);
      checkFits(input, tensor.dtype, tensor.dims, where);
    }
    for (const name of Object.keys(feeds)) {
      if (!this.inputs.some((input) => input.name === name)) {
        const names = this.inputs.map((input) => `"${input.name}"`).join(', ');
        throw new UsageError(`input "${name}": expected an input of the model: ${names}`);
      }
    }
  }
}

/** Bound input sets and outputs of a session; keeps the model loaded until released. */
export class Timer {
  readonly #binding: NativeBinding;
  #handle: TimerHandle | undefined;
  readonly #outputs: readonly string[];
  #busy = false;
  /** Time of the timer's first run: the model's cold run, if nothing ran before. */
  readonly firstRunMs: number;

  /** @internal Made by `Session.createTimer`. */
  constructor(binding: NativeBinding, handle: TimerHandle, outputs: readonly string[]) {
    this.#binding = binding;
    this.#handle = handle;
    this.#outputs = outputs;
    this.firstRunMs = binding.timerFirstRunNs(handle) / 1e6;
  }

  /**
   * Takes samples by `plan`, the input sets in rotation from one run to the next. One window at a
   * time.
   */
  async run(plan: TimingPlan): Promise<TimingWindow> {
    const handle = this.#idle();
    const { samples, group, flushBytes = 0, intervalNs = 0 } = plan;
    requireWhole({ samples, group }, 1);
    requireWhole({ flushBytes, intervalNs }, 0);
    this.#busy = true;
    try {
      return await named('the run failed', this.#binding.runTimer(handle, plan));
    } finally {
      this.#busy = false;
    }
  }

  /** Runs timers side by side, a thread each, until `durationNs` are over; see `ConcurrentRuns`. */
  static async runTogether(timers: readonly Timer[], durationNs: number): Promise<ConcurrentRuns> {
    const [first] = timers;
    if (first === undefined) throw new UsageError('timers: expected at least one, received none');
    requireWhole({ durationNs }, 1);
    const handles = timers.map((timer) => timer.#idle());
    for (const timer of timers) timer.#busy = true;
    try {
      const runs = first.#binding.runTimersTogether(handles, durationNs);
      return await named('the run failed', runs);
    } finally {
      for (const timer of timers) timer.#busy = false;
    }
  }

  /** What the last timed run left: the number of its input set, and its outputs by name. */
  outputs(): { inputSet: number; outputs: Record<string, HostTensor> } {
    const { inputSet, outputs } = this.#binding.timerOutputs(this.#idle());
    return { inputSet, outputs: byName(this.#outputs, outputs) };
  }

  /** Frees the buffers. Safe to call twice. */
  release(): void {
    if (this.#handle !== undefined) this.#binding.releaseTimer(this.#handle);
    this.#handle = undefined;
  }

  #idle(): TimerHandle {
    if (this.#handle === undefined) throw new InternalError('a timer was used after its release');
    if (this.#busy) throw new InternalError('a timer was used while a window was under way');
    return this.#handle;
  }
}

function requireWhole(values: Readonly<Record<string, number>>, least: number): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new UsageError(`${name}: expected a whole number from ${least}, received ${value}`);
  }
}

function byName(names: readonly string[], values: HostTensor[]): Record<string, HostTensor> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] as HostTensor]));
}

/** Gives an error of ONNX Runtime our class, one line, and what was being done. */
async function named<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const message = errorMessage(cause).replaceAll(/\s+/g, ' ').trim();
    throw new ArchwrightError(`ONNX Runtime: ${what}: ${message}`, { cause });
  }
}
