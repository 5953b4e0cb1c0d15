/**
 * The right to use a device alone. Within the process: a queue. Between processes: a lock on a file
 * in the temporary folder, which the system drops when its holder ends, however it ends.
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LockHandle, loadHost } from '../runtime/runtime.js';

const pollMs = 50;
const leases = new Map<string, Lease>();

export class Lease {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();

  /** @param id The device; the same id is the same lock for every process of this machine. */
  constructor(readonly id: string) {
    this.#path = join(tmpdir(), `archwright-${id}.lock`);
  }

  /** The one lease of this process for `id`, so that all who want it stand in one queue. */
  static of(id: string): Lease {
    const lease = leases.get(id) ?? new Lease(id);
    leases.set(id, lease);
    return lease;
  }

  /**
   * Runs `work` with all of `ids`, taken in their order. Everyone who takes several must take them
   * in the same order: the special before `cpu`.
   */
  static holdAll<T>(
    ids: readonly string[],
    work: () => Promise<T>,
    onWait?: (message: string) => void,
  ): Promise<T> {
    const [first, ...rest] = ids;
    if (first === undefined) return work();
    return Lease.of(first).hold(() => Lease.holdAll(rest, work, onWait), onWait);
  }

  /** Runs `work` alone; see `Device.lease`. */
  hold<T>(work: () => Promise<T>, onWait?: (message: string) => void): Promise<T> {
    const turn = this.#last.then(() => this.#locked(work, onWait));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #locked<T>(work: () => Promise<T>, onWait?: (message: string) => void): Promise<T> {
    const lock = await this.#acquire(onWait);
    try {
      return await work();
    } finally {
      loadHost().unlock(lock);
    }
  }

  async #acquire(onWait: ((message: string) => void) | undefined): Promise<LockHandle> {
    for (let tries = 0; ; tries++) {
      const lock = loadHost().tryLock(this.#path);
      if (lock !== null) return lock;
      if (tries === 1) onWait?.(`device ${this.id}: in use by process ${this.#holder()}, waiting`);
      await sleep(pollMs);
    }
  }

  #holder(): string {
    return readFileSync(this.#path, 'utf8') || '?';
  }
}
