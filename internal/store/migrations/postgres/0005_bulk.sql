-- +goose Up

-- Imports and actions on many users. options, deed, asker, counts and marks are
-- JSON.
CREATE TABLE bulk_runs (
  tenant BIGINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  dry_run BIGINT NOT NULL,
  options TEXT COLLATE "C" NOT NULL,
  deed TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  asker TEXT COLLATE "C" NOT NULL,
  bytes BIGINT NOT NULL,
  parts BIGINT NOT NULL,
  total_rows BIGINT NOT NULL,
  done_rows BIGINT NOT NULL,
  counts TEXT COLLATE "C" NOT NULL,
  error TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  marks TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX bulk_runs_time ON bulk_runs (tenant, created_at, id);
CREATE INDEX bulk_runs_ended ON bulk_runs (ended_at);
-- The file of an import, compressed and sealed: files bring passwords.
CREATE TABLE bulk_parts (
  tenant BIGINT NOT NULL,
  run TEXT COLLATE "C" NOT NULL,
  part BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (tenant, run, part)
);
-- A row for each page of rows that got their verdicts together.
CREATE TABLE bulk_verdicts (
  tenant BIGINT NOT NULL,
  run TEXT COLLATE "C" NOT NULL,
  first_row BIGINT NOT NULL,
  last_row BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (tenant, run, first_row)
);
-- The users that rows of a run were about, for a run that deactivates the others.
CREATE TABLE bulk_seen (
  tenant BIGINT NOT NULL,
  run TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (tenant, run, number)
);
