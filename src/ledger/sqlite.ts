/**
 * The ledger in one SQLite file, through `libsql` (a prebuilt N-API binary, no compiler needed).
 * Write-ahead log: a fact that was recorded survives the death of the process, however it comes, and
 * readers never block the writer. `synchronous = NORMAL` waits for the disk at checkpoints only: when
 * the machine itself loses power the last facts may be missing, in one piece from the end, and the
 * run goes on from the ones before. (FULL was tried: 5 ms for each fact on a busy disk.)
 */
import { existsSync } from 'node:fs';
import Database from 'libsql';
import { InternalError, UsageError } from '../errors.js';
import type { Trial } from '../trial/trial.js';
import type {
  EventRecord,
  Ledger,
  ProposalRecord,
  RunRecord,
  StageKey,
  StageRecord,
} from './ledger.js';
import { acquireLock, type RunLock } from './lock.js';
import { encodeJson, json, keyOf, number, proposalOf, type Row, text, trialOf } from './rows.js';
import { SCHEMA, SCHEMA_VERSION } from './schema.js';

/** Seconds that a statement waits for another connection's short write. */
const BUSY_SECONDS = 10;

/**
 * Creates the ledger of a new run at `path`, in a folder that exists, and locks the run.
 * @throws UsageError when there is a ledger already.
 */
export function createLedger(path: string, run: Omit<RunRecord, 'createdAt'>): Ledger {
  const lock = acquireLock(path);
  try {
    if (existsSync(path) && tableNames(path).length > 0) {
      throw new UsageError(
        `${path}: expected no run there yet, but there is one; resume it or choose another folder`,
      );
    }
    const database = openDatabase(path);
    database.exec(`BEGIN IMMEDIATE;\n${SCHEMA}`);
    database.prepare('INSERT INTO schema VALUES (?)').run(SCHEMA_VERSION);
    database
      .prepare('INSERT INTO run VALUES (1, ?, ?, ?, ?, ?)')
      .run(run.name, encodeJson(run.config), run.seed, run.version, now());
    database.exec('COMMIT');
    return new SqliteLedger(database, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Opens a ledger to continue its run, and locks the run.
 * @throws UsageError when there is none, or another process holds it.
 */
export function openLedger(path: string): Ledger {
  requireLedger(path);
  const lock = acquireLock(path);
  try {
    return new SqliteLedger(openDatabase(path), lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Opens a ledger to read it, whether or not a process works on the run. */
export function readLedger(path: string): Ledger {
  requireLedger(path);
  const database = openDatabase(path);
  database.pragma('query_only = ON');
  return new SqliteLedger(database, undefined);
}

class SqliteLedger implements Ledger {
  readonly run: RunRecord;
  readonly #database: Database.Database;
  readonly #lock: RunLock | undefined;
  readonly #statements = new Map<string, Database.Statement>();

  constructor(database: Database.Database, lock: RunLock | undefined) {
    this.#database = database;
    this.#lock = lock;
    const row = this.#all('SELECT name, config, seed, version, created_at FROM run')[0];
    if (row === undefined) throw new InternalError('the ledger holds no run');
    this.run = Object.freeze({
      name: text(row, 'name'),
      config: json(row, 'config'),
      seed: number(row, 'seed'),
      version: text(row, 'version'),
      createdAt: text(row, 'created_at'),
    });
  }

  proposals(): readonly ProposalRecord[] {
    return this.#all('SELECT * FROM proposal ORDER BY id').map((row) =>
      Object.freeze({ ...proposalOf(row), ask: number(row, 'ask') }),
    );
  }

  stages(): readonly StageRecord[] {
    return this.#all('SELECT * FROM stage_finish ORDER BY sequence').map((row) =>
      Object.freeze({
        ...keyOf(row),
        outcome: json(row, 'outcome'),
        seconds: number(row, 'seconds'),
        elapsedSeconds: number(row, 'elapsed_seconds'),
      }),
    );
  }

  starts(): readonly (StageKey & { readonly count: number })[] {
    const rows = this.#all(
      'SELECT trial, stage, round, count(*) AS count FROM stage_start ' +
        'GROUP BY trial, stage, round ORDER BY min(sequence)',
    );
    return rows.map((row) => Object.freeze({ ...keyOf(row), count: number(row, 'count') }));
  }

  trials(): readonly Trial[] {
    const rows = this.#all(
      'SELECT * FROM trial_end JOIN proposal ON proposal.id = trial_end.trial ' +
        'ORDER BY trial_end.sequence',
    );
    return rows.map(trialOf);
  }

  events(): readonly EventRecord[] {
    return this.#all('SELECT * FROM event ORDER BY sequence').map((row) =>
      Object.freeze({
        kind: text(row, 'kind'),
        key: text(row, 'key'),
        payload: json(row, 'payload'),
        elapsedSeconds: number(row, 'elapsed_seconds'),
      }),
    );
  }

  recordProposal(proposal: ProposalRecord): void {
    this.#insert('INSERT INTO proposal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', [
      proposal.id,
      proposal.agent,
      proposal.operator,
      encodeJson(proposal.parents),
      encodeJson(proposal.architecture),
      proposal.hash,
      proposal.description,
      proposal.ask,
      now(),
    ]);
  }

  recordStageStart({ trial, stage, round }: StageKey): void {
    this.#insert('INSERT INTO stage_start VALUES (NULL, ?, ?, ?, ?)', [trial, stage, round, now()]);
  }

  recordStageFinish(record: StageRecord): void {
    this.#insert('INSERT INTO stage_finish VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)', [
      record.trial,
      record.stage,
      record.round,
      encodeJson(record.outcome),
      record.seconds,
      record.elapsedSeconds,
      now(),
    ]);
  }

  recordTrialEnd(trial: Trial): void {
    this.#insert('INSERT INTO trial_end VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)', [
      trial.id,
      trial.state,
      trial.state === 'complete' ? null : trial.stage,
      trial.state === 'pruned' || trial.state === 'failed' ? trial.reason : null,
      trial.state === 'infeasible' ? encodeJson(trial.violations) : null,
      encodeJson(trial.metrics),
      trial.costSeconds,
      now(),
    ]);
  }

  recordEvent({ kind, key, payload, elapsedSeconds }: EventRecord): void {
    this.#insert('INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?)', [
      kind,
      key,
      encodeJson(payload),
      elapsedSeconds,
      now(),
    ]);
  }

  close(): void {
    if (this.#database.open) this.#database.close();
    this.#lock?.release();
  }

  #all(sql: string): Row[] {
    return this.#prepare(sql).all() as Row[];
  }

  #insert(sql: string, values: readonly (string | number | null)[]): void {
    try {
      this.#prepare(sql).run(...values);
    } catch (error) {
      const code = String((error as { code?: unknown }).code);
      if (!code.startsWith('SQLITE_CONSTRAINT')) throw error;
      const message = `the ledger refused a fact: ${(error as Error).message}`;
      throw new InternalError(message, { cause: error });
    }
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function openDatabase(path: string): Database.Database {
  const database = new Database(path, { timeout: BUSY_SECONDS });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.pragma('foreign_keys = ON');
  return database;
}

function requireLedger(path: string): void {
  if (!existsSync(path)) {
    throw new UsageError(`${path}: expected the ledger of a run, found no file`);
  }
  let tables: readonly string[];
  try {
    tables = tableNames(path);
  } catch (error) {
    throw new UsageError(`${path}: expected the ledger of a run, found another kind of file`, {
      cause: error,
    });
  }
  if (!tables.includes('schema') || !tables.includes('run')) {
    throw new UsageError(`${path}: expected the ledger of a run, found a database without one`);
  }
  const database = new Database(path, { timeout: BUSY_SECONDS });
  const row = database.prepare('SELECT version FROM schema').get() as { version: number };
  database.close();
  if (row.version !== SCHEMA_VERSION) {
    throw new UsageError(
      `${path}: expected a ledger of version ${SCHEMA_VERSION}, found version ${row.version}; ` +
        'use the version of Archwright that wrote it',
    );
  }
}

function tableNames(path: string): readonly string[] {
  const database = new Database(path, { timeout: BUSY_SECONDS });
  try {
    const rows = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return rows.map((row) => (row as { name: string }).name);
  } finally {
    database.close();
  }
}

function now(): string {
  return new Date().toISOString();
}
