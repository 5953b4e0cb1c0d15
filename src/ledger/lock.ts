/**
 * The right to continue a run, held by one process at a time. It is an open write transaction on a
 * small SQLite database beside the ledger: the operating system drops the lock when its holder ends,
 * however it ends, so a lock cannot be stale and a reused process id cannot hold it by accident.
 *
 * Caveats: as with SQLite itself, file locks must work on the file system (some network file systems
 * pretend).
 */
import { existsSync } from 'node:fs';
import Database from 'libsql';
import { UsageError } from '../errors.js';

/** Beside the ledger file. */
export const LOCK_SUFFIX = '.lock';

export interface RunLock {
  release(): void;
}

/**
 * Takes the lock of the ledger at `ledgerPath`.
 * @throws UsageError when another process holds it, naming that process.
 */
export function acquireLock(ledgerPath: string): RunLock {
  const database = new Database(ledgerPath + LOCK_SUFFIX);
  try {
    database.exec('BEGIN IMMEDIATE');
    database.exec('CREATE TABLE IF NOT EXISTS holder (id INTEGER PRIMARY KEY, pid INTEGER) STRICT');
    // Committed, so that others can read who holds the lock; the lock itself is taken again below.
    database.prepare('INSERT OR REPLACE INTO holder VALUES (1, ?)').run(process.pid);
    database.exec('COMMIT');
    database.exec('BEGIN IMMEDIATE');
  } catch (error) {
    const pid = isBusy(error) ? holderOf(database) : undefined;
    database.close();
    if (!isBusy(error)) throw error;
    const who = pid === undefined ? 'another process' : `process ${pid}`;
    throw new UsageError(
      `${ledgerPath}: expected a run that nobody works on, but ${who} is working on it; ` +
        'wait for it or stop it with Ctrl-C first',
    );
  }
  return {
    release(): void {
      if (database.inTransaction) database.exec('ROLLBACK');
      if (database.open) database.close();
    },
  };
}

/** Whether some process works on the run now. */
export function isLocked(ledgerPath: string): boolean {
  if (!existsSync(ledgerPath + LOCK_SUFFIX)) return false;
  const database = new Database(ledgerPath + LOCK_SUFFIX);
  try {
    database.exec('BEGIN IMMEDIATE');
    database.exec('ROLLBACK');
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    database.close();
  }
}

function holderOf(database: Database.Database): number | undefined {
  try {
    const row = database.prepare('SELECT pid FROM holder').get() as { pid: number } | undefined;
    return row?.pid;
  } catch {
    return undefined; // the holder has not written its id yet
  }
}

function isBusy(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'SQLITE_BUSY';
}
