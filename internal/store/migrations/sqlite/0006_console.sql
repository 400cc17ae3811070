-- +goose Up

-- What a person proves besides the password. secret is sealed; last_step is the time
-- step of the last code that was taken, so that none is good twice; failures are the
-- wrong ones in a row and failed_at the time of the last of them.
CREATE TABLE second_factors (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  secret BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  last_step INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  failed_at INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT;
CREATE TABLE recovery_codes (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (tenant, number, hash)
) STRICT, WITHOUT ROWID;
-- The seats of each pool as of the end of each day (days since 1970), or of the last
-- look at it on that day.
CREATE TABLE pool_days (
  tenant INTEGER NOT NULL,
  licence_type TEXT NOT NULL,
  day INTEGER NOT NULL,
  used INTEGER NOT NULL,
  total INTEGER NOT NULL,
  PRIMARY KEY (tenant, licence_type, day)
) STRICT, WITHOUT ROWID;
-- Of locked users there are few, and people want to know how many.
CREATE INDEX users_locked ON users (tenant, number) WHERE locked <> 0;
