/** Tables of a ledger, version 1. Triggers forbid any change of a row once it is written. */

export const SCHEMA_VERSION = 1;

const FACTS = ['schema', 'run', 'proposal', 'stage_start', 'stage_finish', 'trial_end', 'event'];

const TABLES = `
CREATE TABLE schema (version INTEGER NOT NULL) STRICT;

CREATE TABLE run (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  name       TEXT NOT NULL,
  config     TEXT NOT NULL,
  seed       INTEGER NOT NULL,
  version    TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE proposal (
  id           INTEGER PRIMARY KEY,
  agent        TEXT NOT NULL,
  operator     TEXT NOT NULL,
  parents      TEXT NOT NULL,
  architecture TEXT NOT NULL,
  hash         TEXT NOT NULL,
  description  TEXT NOT NULL,
  ask          INTEGER NOT NULL,
  recorded_at  TEXT NOT NULL,
  UNIQUE (agent, ask)
) STRICT;

CREATE TABLE stage_start (
  sequence    INTEGER PRIMARY KEY,
  trial       INTEGER NOT NULL REFERENCES proposal (id),
  stage       TEXT NOT NULL,
  round       INTEGER NOT NULL,
  recorded_at TEXT NOT NULL
) STRICT;

CREATE TABLE stage_finish (
  sequence        INTEGER PRIMARY KEY,
  trial           INTEGER NOT NULL REFERENCES proposal (id),
  stage           TEXT NOT NULL,
  round           INTEGER NOT NULL,
  outcome         TEXT NOT NULL,
  seconds         REAL NOT NULL,
  elapsed_seconds REAL NOT NULL,
  recorded_at     TEXT NOT NULL,
  UNIQUE (trial, stage, round)
) STRICT;

CREATE TABLE trial_end (
  sequence     INTEGER PRIMARY KEY,
  trial        INTEGER NOT NULL UNIQUE REFERENCES proposal (id),
  state        TEXT NOT NULL CHECK (state IN ('complete', 'pruned', 'infeasible', 'failed')),
  stage        TEXT,
  reason       TEXT,
  violations   TEXT,
  metrics      TEXT NOT NULL,
  cost_seconds REAL NOT NULL,
  recorded_at  TEXT NOT NULL
) STRICT;

CREATE TABLE event (
  sequence        INTEGER PRIMARY KEY,
  kind            TEXT NOT NULL,
  key             TEXT NOT NULL,
  payload         TEXT NOT NULL,
  elapsed_seconds REAL NOT NULL,
  recorded_at     TEXT NOT NULL,
  UNIQUE (kind, key)
) STRICT;
`;

/** Statements that make an empty database a ledger. */
export const SCHEMA = [
  TABLES,
  ...FACTS.flatMap((table) =>
    ['UPDATE', 'DELETE'].map(
      (verb) =>
        `CREATE TRIGGER ${table}_no_${verb.toLowerCase()} BEFORE ${verb} ON ${table} ` +
        `BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;`,
    ),
  ),
].join('\n');
