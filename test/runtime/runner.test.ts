import { statSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { HostTensor } from '../../src/runtime/binding-types.js';
import { Runner } from '../../src/runtime/runner.js';
import { RunnerError, TaskError } from '../../src/runtime/runner-protocol.js';
import { affineModel, heavyModel } from '../native/model.js';

const module = new URL('tasks.mjs', import.meta.url).href;
const task = (name: string, args: unknown = null) => ({ module, name, args });
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const failure = async (work: Promise<unknown>): Promise<RunnerError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RunnerError);
  return error as RunnerError;
};

describe('a runner', () => {
  const runner = new Runner();
  afterAll(() => runner.close());

  it('starts with its first call and keeps its process', async () => {
    expect(runner.pid).toBeUndefined();
    expect(await runner.call(task('add', { a: 1, b: 2 }))).toBe(3);
    const { pid } = runner;
    expect(pid).not.toBe(process.pid);
    expect(await runner.call(task('pid'))).toBe(pid);
  });

  it('runs models, bytes in and tensors out', async () => {
    const y = await runner.call<HostTensor>(
      task('infer', { model: affineModel(), values: [1, 2] }),
    );
    expect(y).toEqual({ dtype: 'float32', dims: [1, 3], data: Float32Array.of(9.5, 11.5, 15.25) });
  });

  it('switches telemetry off in its environment', async () => {
    expect(await runner.call(task('environment', 'ORT_DISABLE_TELEMETRY'))).toBe('1');
  });

  it('has a private folder for Vulkan drivers where the session has none', async () => {
    const folder = await runner.call<string>(task('environment', 'XDG_RUNTIME_DIR'));
    const given = process.env.XDG_RUNTIME_DIR;
    if (process.platform === 'linux' && given === undefined) {
      expect(statSync(folder).mode & 0o077).toBe(0);
    } else expect(folder).toBe(given);
  });

  it('gives back errors of the task, with name and causes, and lives on', async () => {
    const { pid } = runner;
    const error = await runner.call(task('fail')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TaskError);
    expect(error).toMatchObject({ name: 'TypeError', message: 'the outer message' });
    expect((error as TaskError).cause).toMatchObject({
      name: 'RangeError',
      message: 'the inner reason',
    });
    expect((error as TaskError).stack).toContain('tasks.mjs');
    await expect(runner.call(task('throwText'))).rejects.toThrow('just text');
    await expect(runner.call(task('returnFunction'))).rejects.toThrow('could not be cloned');
    await expect(runner.call(task('add', () => 1))).rejects.toThrow('could not be cloned');
    await expect(runner.call(task('absent'))).rejects.toThrow(
      'expected an exported function "absent"',
    );
    await expect(
      runner.call({ module: 'file:///absent.mjs', name: 'f', args: null }),
    ).rejects.toThrow('absent.mjs');
    expect(await runner.call(task('pid'))).toBe(pid);
  });

  it('delivers all progress, in order, before the result', async () => {
    const seen: unknown[] = [];
    const result = await runner.call(task('countTo', 200), { onProgress: (v) => seen.push(v) });
    expect([result, ...seen]).toEqual(['counted', ...Array.from({ length: 200 }, (_, i) => i + 1)]);
  });

  it('shares arrays, also large ones and after a restart', async () => {
    const large = new Uint8Array(50_000_000).fill(1);
    runner.share('large', large);
    runner.share('longs', new BigInt64Array(new SharedArrayBuffer(16)).fill(7n));
    expect(await runner.call(task('sum', 'large'))).toBe(large.length);
    expect(await runner.call(task('sum', 'longs'))).toBe(14);
    expect(await runner.call(task('sharedFacts', 'longs'))).toEqual({
      type: 'BigInt64Array',
      shared: true,
    });
    const { pid } = runner;
    await runner.restart();
    expect(isAlive(pid as number)).toBe(false);
    expect(await runner.call(task('sum', 'large'))).toBe(large.length);
    runner.unshare('large');
    await expect(runner.call(task('sum', 'large'))).rejects.toThrow(
      'shared array "large": expected one of "longs"',
    );
  });
});

describe('a runner whose task', () => {
  const runner = new Runner({ memoryLimitBytes: 600 * 2 ** 20 });
  afterAll(() => runner.close());
  const goesOn = async () => expect(await runner.call(task('add', { a: 2, b: 3 }))).toBe(5);

  it.each(['SIGSEGV', 'SIGABRT', 'SIGKILL'])(
    'is ended by %s rejects and goes on',
    async (signal) => {
      const error = await failure(runner.call(task('crash', signal)));
      expect(error.reason).toBe('crashed');
      expect(error.message).toContain(`was ended by ${signal}`);
      await goesOn();
    },
  );

  it('dies while native code runs goes on', async () => {
    const call = runner.call(task('inferLong', { model: heavyModel(256, 8), size: 256 }), {
      onProgress: () => process.kill(runner.pid as number, 'SIGKILL'),
    });
    expect((await failure(call)).reason).toBe('crashed');
    await goesOn();
  });

  it('ends its worker thread goes on', async () => {
    const error = await failure(runner.call(task('exit', 3)));
    expect(error.reason).toBe('crashed');
    expect(error.message).toContain('worker');
    await goesOn();
  });

  it('says something last is quoted', async () => {
    const error = await failure(runner.call(task('speakAndDie')));
    expect(error.message).toContain('last words');
  });

  it.each(['hang', 'inferLong'])('hangs in %s is killed', async (name) => {
    await goesOn();
    const { pid } = runner;
    const args = { model: heavyModel(256, 8), size: 256 };
    const error = await failure(runner.call(task(name, args), { timeoutMs: 400 }));
    expect(error.reason).toBe('hung');
    expect(error.message).toContain(`the task "${name}" did not end within 400 ms`);
    expect(isAlive(pid as number)).toBe(false);
    await goesOn();
  });

  it('eats memory is killed', async () => {
    const error = await failure(runner.call(task('eatMemory')));
    expect(error.reason).toBe('out-of-memory');
    expect(error.message).toMatch(/used \d+ MiB of at most 600 MiB/);
    await goesOn();
  });

  it('is aborted rejects with the reason; a waiting one is dropped', async () => {
    const controller = new AbortController();
    const waiting = new AbortController();
    const running = runner.call(task('hang'), { signal: controller.signal });
    const dropped = runner.call(task('hang'), { signal: waiting.signal });
    waiting.abort(new Error('changed my mind'));
    await expect(dropped).rejects.toThrow('changed my mind');
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await expect(runner.call(task('pid'), { signal: controller.signal })).rejects.toThrow('enough');
    await goesOn();
  });
});

describe('calls side by side', () => {
  it('run one after the other with one thread, timeouts starting with the task', async () => {
    const runner = new Runner();
    await runner.call(task('pid'));
    const calls = [1, 2, 3].map(() =>
      runner.call<{ start: number; end: number }>(task('both', 200), { timeoutMs: 500 }),
    );
    const [a, b, c] = await Promise.all(calls);
    expect(b?.start).toBeGreaterThanOrEqual(a?.end ?? Infinity);
    expect(c?.start).toBeGreaterThanOrEqual(b?.end ?? Infinity);
    await runner.close();
  });

  it('run together with two threads; one that hangs takes its neighbour along, and says so', async () => {
    const runner = new Runner({ threads: 2 });
    const [a, b] = await Promise.all(
      [1, 2].map(() =>
        runner.call<{ start: number; end: number; thread: number }>(task('both', 500)),
      ),
    );
    expect(a?.thread).not.toBe(b?.thread);
    expect(a?.start).toBeLessThan(b?.end ?? 0);
    const slow = failure(runner.call(task('both', 60_000)));
    const hung = failure(runner.call(task('hang'), { timeoutMs: 300 }));
    const later = runner.call(task('add', { a: 1, b: 1 }));
    expect((await hung).reason).toBe('hung');
    expect(await slow).toMatchObject({ reason: 'crashed' });
    expect((await slow).message).toContain('because of a call beside this one');
    expect(await later).toBe(2);
    await runner.close();
  });

  it('are rejected when the runner closes', async () => {
    const runner = new Runner();
    const running = failure(runner.call(task('hang')));
    const waiting = failure(runner.call(task('pid')));
    const { pid } = runner;
    await runner.close();
    expect((await running).reason).toBe('closed');
    expect((await waiting).reason).toBe('closed');
    expect((await failure(runner.call(task('pid')))).reason).toBe('closed');
    expect(isAlive(pid as number)).toBe(false);
    await runner.close();
  });
});

describe('a worker thread that fills its JavaScript heap', () => {
  it('is out of memory', async () => {
    const runner = new Runner({ memoryLimitBytes: 16 * 2 ** 30 });
    const previous = process.env.NODE_OPTIONS;
    process.env.NODE_OPTIONS = '--max-old-space-size=64';
    const call = failure(runner.call(task('eatHeap')));
    if (previous === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = previous;
    expect((await call).reason).toBe('out-of-memory');
    await runner.close();
  });
});
