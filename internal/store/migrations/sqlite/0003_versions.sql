-- +goose Up

-- What the version before this one does not know has a default, so that it can
-- still write these tables.
ALTER TABLE roles ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE lock_reasons ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE licence_pools ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE groups ADD COLUMN external_ids TEXT NOT NULL DEFAULT '';
-- The default is the time that is none.
ALTER TABLE groups ADD COLUMN updated_at INTEGER NOT NULL DEFAULT -62135596800000000;
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
  tenant INTEGER NOT NULL,
  caller TEXT NOT NULL,
  key BLOB NOT NULL,
  request BLOB NOT NULL,
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, caller, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_answers_old ON idempotency_answers (created_at);

-- The events of each user, up to the one that event_users_done names. It is
-- filled behind the writers: an index on events would make every change of a
-- user write a page more.
CREATE TABLE event_users (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (tenant, number, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE event_users_done (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL
) STRICT;
INSERT INTO event_users_done (one, seq) VALUES (1, 0);
