-- +goose Up

-- What the version before this one does not know has a default, so that it can
-- still write these tables.
ALTER TABLE roles ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE lock_reasons ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE licence_pools ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE groups ADD COLUMN external_ids TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The default is the time that is none.
ALTER TABLE groups ADD COLUMN updated_at BIGINT NOT NULL DEFAULT -62135596800000000;
UPDATE groups SET updated_at = created_at;

-- Lists in the order of a text, and its look-up.
CREATE INDEX users_user_name ON users (tenant, user_name_key, number);
CREATE INDEX users_email ON users (tenant, email_key, number);
CREATE INDEX users_family_name ON users (tenant, family_name_key, number);

-- What belongs to a company or a location that is to be deleted.
CREATE INDEX companies_parent ON companies (tenant, parent);
CREATE INDEX roles_company ON roles (tenant, company, number);
CREATE INDEX lock_reasons_company ON lock_reasons (tenant, company, number);
CREATE INDEX user_locations_location ON user_locations (location, rid);

-- The answers of idempotency keys, sealed. key and request are hashes.
CREATE TABLE idempotency_answers (
  tenant BIGINT NOT NULL,
  caller TEXT COLLATE "C" NOT NULL,
  key BYTEA NOT NULL,
  request BYTEA NOT NULL,
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, caller, key)
);
CREATE INDEX idempotency_answers_old ON idempotency_answers (created_at);

CREATE INDEX events_user ON events (tenant, number, seq) WHERE number <> 0;
