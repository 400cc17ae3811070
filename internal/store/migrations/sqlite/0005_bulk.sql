-- +goose Up

-- Imports and actions on many users. options, deed, asker, counts and marks are
-- JSON.
CREATE TABLE bulk_runs (
  tenant INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  dry_run INTEGER NOT NULL,
  options TEXT NOT NULL,
  deed TEXT NOT NULL,
  reason TEXT NOT NULL,
  asker TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  total_rows INTEGER NOT NULL,
  done_rows INTEGER NOT NULL,
  counts TEXT NOT NULL,
  error TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  marks TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX bulk_runs_time ON bulk_runs (tenant, created_at, id);
CREATE INDEX bulk_runs_ended ON bulk_runs (ended_at);
-- The file of an import, compressed and sealed: files bring passwords.
CREATE TABLE bulk_parts (
  tenant INTEGER NOT NULL,
  run TEXT NOT NULL,
  part INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (tenant, run, part)
) STRICT;
-- A row for each page of rows that got their verdicts together.
CREATE TABLE bulk_verdicts (
  tenant INTEGER NOT NULL,
  run TEXT NOT NULL,
  first_row INTEGER NOT NULL,
  last_row INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (tenant, run, first_row)
) STRICT;
-- The users that rows of a run were about, for a run that deactivates the others.
CREATE TABLE bulk_seen (
  tenant INTEGER NOT NULL,
  run TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (tenant, run, number)
) STRICT, WITHOUT ROWID;
