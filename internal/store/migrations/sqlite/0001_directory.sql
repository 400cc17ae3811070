-- +goose Up

-- rid of a user is tenant << 40 | number, so that a read by number is one
-- row id look-up and a tenant is a range of row ids. Times are microseconds
-- since 1970 in UTC, that of year 1 for none. The *_key columns are folded in Go.
CREATE TABLE users (
  rid INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  state INTEGER NOT NULL,
  locked INTEGER NOT NULL,
  lock_reason INTEGER NOT NULL,
  must_change_password INTEGER NOT NULL,
  valid_from INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  company INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  seat INTEGER NOT NULL,
  auth_epoch INTEGER NOT NULL,
  version INTEGER NOT NULL,
  door_version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL,
  user_name TEXT NOT NULL,
  email TEXT NOT NULL,
  email_claimed INTEGER NOT NULL,
  given_name TEXT NOT NULL,
  family_name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  title TEXT NOT NULL,
  employee_number TEXT NOT NULL,
  open_id TEXT NOT NULL,
  web_mdn TEXT NOT NULL,
  client_user_id TEXT NOT NULL,
  licence_type TEXT NOT NULL,
  phones TEXT NOT NULL,
  address TEXT NOT NULL,
  profile TEXT NOT NULL,
  user_name_key TEXT NOT NULL,
  email_key TEXT NOT NULL,
  given_name_key TEXT NOT NULL,
  family_name_key TEXT NOT NULL,
  display_name_key TEXT NOT NULL,
  employee_number_key TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_id ON users (tenant, id);
-- Of active users there are so many, and they come and go so often, that lists of
-- a tenant's walk the table instead.
CREATE INDEX users_state ON users (tenant, state, number) WHERE state <> 1;
CREATE INDEX users_client_user_id ON users (tenant, client_user_id) WHERE client_user_id <> '';

-- One row for each company above a user, its own included: the list index. The
-- state comes first, so that those who leave a state meet on few pages.
CREATE TABLE user_company (
  tenant INTEGER NOT NULL,
  ancestor INTEGER NOT NULL,
  state INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (tenant, state, ancestor, number)
) STRICT, WITHOUT ROWID;

-- Users of each company's subtree by state; company 0 is the tenant.
CREATE TABLE company_totals (
  tenant INTEGER NOT NULL,
  company INTEGER NOT NULL,
  state INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (tenant, company, state, shard)
) STRICT, WITHOUT ROWID;

CREATE TABLE identifiers (
  tenant INTEGER NOT NULL,
  space TEXT NOT NULL,
  key TEXT NOT NULL,
  rid INTEGER NOT NULL,
  kinds INTEGER NOT NULL,
  PRIMARY KEY (tenant, space, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX identifiers_user ON identifiers (rid);

-- Numbers and ids of erased users, which are never given again.
CREATE TABLE purged (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX purged_id ON purged (tenant, id);

CREATE TABLE passwords (
  rid INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  set_at INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  last_login INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
  hash BLOB NOT NULL,
  tenant INTEGER NOT NULL,
  rid INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  session TEXT NOT NULL,
  client TEXT NOT NULL,
  door INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_user ON tokens (rid);
CREATE INDEX tokens_session ON tokens (tenant, session);

CREATE TABLE credentials (
  tenant INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  name TEXT NOT NULL,
  client_id TEXT NOT NULL,
  hash BLOB NOT NULL,
  hint TEXT NOT NULL,
  rank INTEGER NOT NULL,
  scopes INTEGER NOT NULL,
  doors INTEGER NOT NULL,
  root INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
-- Two OAuth clients may have one secret, since their ids tell them apart; two
-- API keys may not.
CREATE UNIQUE INDEX credentials_hash ON credentials (hash) WHERE kind = 0;
CREATE UNIQUE INDEX credentials_client_id ON credentials (client_id) WHERE client_id <> '';

CREATE TABLE tenants (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  doors INTEGER NOT NULL,
  disabled INTEGER NOT NULL,
  default_company INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  hosts TEXT NOT NULL,
  settings TEXT NOT NULL,
  entity TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tenants_id ON tenants (id);
CREATE UNIQUE INDEX tenants_name ON tenants (name);

CREATE TABLE tenant_hosts (
  host TEXT NOT NULL,
  tenant INTEGER NOT NULL,
  PRIMARY KEY (host)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_hosts_tenant ON tenant_hosts (tenant);

-- path holds the numbers of a company's ancestors and its own: "1/14146".
CREATE TABLE companies (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  path TEXT NOT NULL,
  id TEXT NOT NULL,
  parent INTEGER NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  website TEXT NOT NULL,
  metadata TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX companies_id ON companies (tenant, id);
CREATE UNIQUE INDEX companies_name ON companies (tenant, name_key) WHERE name_key <> '';

CREATE TABLE locations (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  id TEXT NOT NULL,
  company INTEGER NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  headquarters INTEGER NOT NULL,
  address TEXT NOT NULL,
  phone TEXT NOT NULL,
  fax TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX locations_id ON locations (tenant, id);
CREATE INDEX locations_company ON locations (tenant, company, number);
CREATE UNIQUE INDEX locations_name ON locations (tenant, company, name_key) WHERE name_key <> '';

CREATE TABLE user_locations (
  rid INTEGER NOT NULL,
  location INTEGER NOT NULL,
  PRIMARY KEY (rid, location)
) STRICT, WITHOUT ROWID;

CREATE TABLE lock_reasons (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  company INTEGER NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  description TEXT NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX lock_reasons_name ON lock_reasons (tenant, company, name_key) WHERE name_key <> '';

CREATE TABLE roles (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  company INTEGER NOT NULL,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  rank INTEGER NOT NULL,
  permissions TEXT NOT NULL,
  extras TEXT NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX roles_key ON roles (tenant, company, key) WHERE key <> '';

CREATE TABLE user_roles (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  rid INTEGER NOT NULL,
  role INTEGER NOT NULL,
  company INTEGER NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX user_roles_user ON user_roles (rid, role, company);
CREATE INDEX user_roles_role ON user_roles (tenant, role, rid);

-- "group" is a word of SQL: the column is called group_no.
CREATE TABLE groups (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  description TEXT NOT NULL,
  parent INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX groups_id ON groups (tenant, id);
CREATE INDEX groups_kind ON groups (tenant, kind, number);
CREATE INDEX groups_parent ON groups (tenant, parent) WHERE parent <> 0;
CREATE UNIQUE INDEX groups_key ON groups (tenant, kind, key) WHERE key <> '';

CREATE TABLE group_members (
  rid INTEGER NOT NULL,
  group_no INTEGER NOT NULL,
  tenant INTEGER NOT NULL,
  role TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (rid, group_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_group ON group_members (tenant, group_no, rid);

CREATE TABLE licence_pools (
  tenant INTEGER NOT NULL,
  type TEXT NOT NULL,
  total INTEGER NOT NULL,
  shards INTEGER NOT NULL,
  PRIMARY KEY (tenant, type)
) STRICT, WITHOUT ROWID;
CREATE TABLE licence_shards (
  tenant INTEGER NOT NULL,
  type TEXT NOT NULL,
  shard INTEGER NOT NULL,
  total INTEGER NOT NULL,
  used INTEGER NOT NULL CHECK (used >= 0),
  PRIMARY KEY (tenant, type, shard)
) STRICT, WITHOUT ROWID;

CREATE TABLE numbers (
  tenant INTEGER NOT NULL,
  kind TEXT NOT NULL,
  next INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind)
) STRICT, WITHOUT ROWID;

-- position and hash are drawn by the sealer, in the order of commits. Erasing
-- sets salt and payload to NULL: hash covers payload_hash, so that the chain
-- still verifies, and everything else of the event stays.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant INTEGER NOT NULL,
  position INTEGER,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  number INTEGER NOT NULL,
  subject TEXT NOT NULL,
  door INTEGER NOT NULL,
  actor TEXT NOT NULL,
  on_behalf_of TEXT NOT NULL,
  reason TEXT NOT NULL,
  request_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  payload_hash BLOB,
  hash BLOB,
  salt BLOB,
  payload BLOB
) STRICT;
CREATE INDEX events_tenant ON events (tenant, seq);
CREATE UNIQUE INDEX events_position ON events (tenant, position) WHERE position IS NOT NULL;

CREATE TABLE holds (
  tenant INTEGER NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  ref TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, number, kind, source, ref)
) STRICT, WITHOUT ROWID;

-- Keys that sign a tenant's tokens, sealed.
CREATE TABLE signing_keys (
  id TEXT NOT NULL,
  tenant INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX signing_keys_tenant ON signing_keys (tenant, created_at, id);

CREATE TABLE impersonations (
  id TEXT NOT NULL,
  tenant INTEGER NOT NULL,
  admin INTEGER NOT NULL,
  target INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX impersonations_admin ON impersonations (tenant, admin);
CREATE INDEX impersonations_target ON impersonations (tenant, target);

-- number is the user that a job is about, 0 for none. A job that is done or
-- abandoned has state 1 and stays without its payload, so that its id is not used
-- again.
CREATE TABLE jobs (
  tenant INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  number INTEGER NOT NULL,
  state INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  lease_owner TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  payload BLOB NOT NULL,
  result TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_due ON jobs (kind, run_at, id) WHERE state = 0;
CREATE INDEX jobs_user ON jobs (tenant, number) WHERE number <> 0;

-- Substring search: lists of users by gram (internal/store/grams.go). Each batch
-- of changes becomes one segment; the store merges segments itself while it is
-- idle.
CREATE VIRTUAL TABLE user_search USING fts5(
  grams, content='', contentless_delete=1, detail=none, tokenize='ascii'
);
INSERT INTO user_search (user_search, rank) VALUES ('automerge', 0);
INSERT INTO user_search (user_search, rank) VALUES ('usermerge', 4);
INSERT INTO user_search (user_search, rank) VALUES ('crisismerge', 64);
