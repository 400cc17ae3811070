-- +goose Up

-- What a person proves besides the password. secret is sealed; confirmed_at is 0 until
-- a first code was right; last_step is the time step of the last code that was taken,
-- so that none is good twice.
CREATE TABLE second_factors (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  secret BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  confirmed_at BIGINT NOT NULL,
  last_step BIGINT NOT NULL,
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
