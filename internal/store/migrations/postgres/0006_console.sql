-- +goose Up

-- What a person proves besides the password. secret is sealed; last_step is the time
-- step of the last code that was taken, so that none is good twice; failures are the
-- wrong ones in a row and failed_at the time of the last of them.
CREATE TABLE second_factors (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  secret BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  last_step BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  failed_at BIGINT NOT NULL,
  rank BIGINT NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE TABLE recovery_codes (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  PRIMARY KEY (tenant, number, hash)
);
-- The seats of each pool as of the end of each day (days since 1970), or of the last
-- look at it on that day.
CREATE TABLE pool_days (
  tenant BIGINT NOT NULL,
  licence_type TEXT COLLATE "C" NOT NULL,
  day BIGINT NOT NULL,
  used BIGINT NOT NULL,
  total BIGINT NOT NULL,
  PRIMARY KEY (tenant, licence_type, day)
);
-- Of locked users there are few, and people want to know how many.
CREATE INDEX users_locked ON users (tenant, number) WHERE locked <> 0;
