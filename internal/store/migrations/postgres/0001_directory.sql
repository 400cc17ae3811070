-- +goose Up

-- Both extensions are trusted: CREATE on the database is enough to add them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- rid of a user is tenant << 40 | number, so that a read by number is one
-- look-up by primary key and a tenant is a range of keys. Times are microseconds
-- since 1970 in UTC, that of year 1 for none. The *_key columns are folded in Go.
CREATE TABLE users (
  rid BIGINT PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL,
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  locked SMALLINT NOT NULL,
  lock_reason BIGINT NOT NULL,
  must_change_password SMALLINT NOT NULL,
  valid_from BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  company BIGINT NOT NULL,
  rank SMALLINT NOT NULL,
  seat SMALLINT NOT NULL,
  auth_epoch BIGINT NOT NULL,
  version BIGINT NOT NULL,
  door_version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT NOT NULL,
  user_name TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C" NOT NULL,
  email_claimed SMALLINT NOT NULL,
  given_name TEXT COLLATE "C" NOT NULL,
  family_name TEXT COLLATE "C" NOT NULL,
  display_name TEXT COLLATE "C" NOT NULL,
  title TEXT COLLATE "C" NOT NULL,
  employee_number TEXT COLLATE "C" NOT NULL,
  open_id TEXT COLLATE "C" NOT NULL,
  web_mdn TEXT COLLATE "C" NOT NULL,
  client_user_id TEXT COLLATE "C" NOT NULL,
  licence_type TEXT COLLATE "C" NOT NULL,
  phones TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  profile TEXT COLLATE "C" NOT NULL,
  user_name_key TEXT COLLATE "C" NOT NULL,
  email_key TEXT COLLATE "C" NOT NULL,
  given_name_key TEXT COLLATE "C" NOT NULL,
  family_name_key TEXT COLLATE "C" NOT NULL,
  display_name_key TEXT COLLATE "C" NOT NULL,
  employee_number_key TEXT COLLATE "C" NOT NULL
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX users_id ON users (tenant, id);
-- Of active users there are so many, and they come and go so often, that lists of
-- a tenant's walk the table instead.
CREATE INDEX users_state ON users (tenant, state, number) WHERE state <> 1;
CREATE INDEX users_client_user_id ON users (tenant, client_user_id) WHERE client_user_id <> '';

-- One row for each company above a user, its own included: the list index. The
-- state comes first, so that those who leave a state meet on few pages.
CREATE TABLE user_company (
  tenant BIGINT NOT NULL,
  ancestor BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (tenant, state, ancestor, number)
);

-- Users of each company's subtree by state; company 0 is the tenant.
CREATE TABLE company_totals (
  tenant BIGINT NOT NULL,
  company BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  shard SMALLINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (tenant, company, state, shard)
);

CREATE TABLE identifiers (
  tenant BIGINT NOT NULL,
  space TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  rid BIGINT NOT NULL,
  kinds SMALLINT NOT NULL,
  PRIMARY KEY (tenant, space, key)
);
CREATE INDEX identifiers_user ON identifiers (rid);

-- Numbers and ids of erased users, which are never given again.
CREATE TABLE purged (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE UNIQUE INDEX purged_id ON purged (tenant, id);

CREATE TABLE passwords (
  rid BIGINT PRIMARY KEY,
  hash TEXT COLLATE "C" NOT NULL,
  set_at BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  last_login BIGINT NOT NULL
);

CREATE TABLE tokens (
  hash BYTEA NOT NULL,
  tenant BIGINT NOT NULL,
  rid BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  session TEXT COLLATE "C" NOT NULL,
  client TEXT COLLATE "C" NOT NULL,
  door BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (hash)
);
CREATE INDEX tokens_user ON tokens (rid);
CREATE INDEX tokens_session ON tokens (tenant, session);

CREATE TABLE credentials (
  tenant BIGINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  kind SMALLINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  client_id TEXT COLLATE "C" NOT NULL,
  hash BYTEA NOT NULL,
  hint TEXT COLLATE "C" NOT NULL,
  rank SMALLINT NOT NULL,
  scopes BIGINT NOT NULL,
  doors BIGINT NOT NULL,
  root BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);
-- Two OAuth clients may have one secret, since their ids tell them apart; two
-- API keys may not.
CREATE UNIQUE INDEX credentials_hash ON credentials (hash) WHERE kind = 0;
CREATE UNIQUE INDEX credentials_client_id ON credentials (client_id) WHERE client_id <> '';

CREATE TABLE tenants (
  no BIGINT PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  doors BIGINT NOT NULL,
  disabled SMALLINT NOT NULL,
  default_company BIGINT NOT NULL,
  owner BIGINT NOT NULL,
  hosts TEXT COLLATE "C" NOT NULL,
  settings TEXT COLLATE "C" NOT NULL,
  entity TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX tenants_id ON tenants (id);
CREATE UNIQUE INDEX tenants_name ON tenants (name);

CREATE TABLE tenant_hosts (
  host TEXT COLLATE "C" NOT NULL,
  tenant BIGINT NOT NULL,
  PRIMARY KEY (host)
);
CREATE INDEX tenant_hosts_tenant ON tenant_hosts (tenant);

-- path holds the numbers of a company's ancestors and its own: "1/14146".
CREATE TABLE companies (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  path TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  parent BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  name_key TEXT COLLATE "C" NOT NULL,
  website TEXT COLLATE "C" NOT NULL,
  metadata TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE UNIQUE INDEX companies_id ON companies (tenant, id);
CREATE UNIQUE INDEX companies_name ON companies (tenant, name_key) WHERE name_key <> '';

CREATE TABLE locations (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  company BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  name_key TEXT COLLATE "C" NOT NULL,
  headquarters SMALLINT NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  phone TEXT COLLATE "C" NOT NULL,
  fax TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE UNIQUE INDEX locations_id ON locations (tenant, id);
CREATE INDEX locations_company ON locations (tenant, company, number);
CREATE UNIQUE INDEX locations_name ON locations (tenant, company, name_key) WHERE name_key <> '';

CREATE TABLE user_locations (
  rid BIGINT NOT NULL,
  location BIGINT NOT NULL,
  PRIMARY KEY (rid, location)
);

CREATE TABLE lock_reasons (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  company BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  name_key TEXT COLLATE "C" NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE UNIQUE INDEX lock_reasons_name ON lock_reasons (tenant, company, name_key) WHERE name_key <> '';

CREATE TABLE roles (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  company BIGINT NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  rank SMALLINT NOT NULL,
  permissions TEXT COLLATE "C" NOT NULL,
  extras TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE UNIQUE INDEX roles_key ON roles (tenant, company, key) WHERE key <> '';

CREATE TABLE user_roles (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  rid BIGINT NOT NULL,
  role BIGINT NOT NULL,
  company BIGINT NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE UNIQUE INDEX user_roles_user ON user_roles (rid, role, company);
CREATE INDEX user_roles_role ON user_roles (tenant, role, rid);

-- "group" is a word of SQL: the column is called group_no.
CREATE TABLE groups (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  name_key TEXT COLLATE "C" NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  parent BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE UNIQUE INDEX groups_id ON groups (tenant, id);
CREATE INDEX groups_kind ON groups (tenant, kind, number);
CREATE INDEX groups_parent ON groups (tenant, parent) WHERE parent <> 0;
CREATE UNIQUE INDEX groups_key ON groups (tenant, kind, key) WHERE key <> '';

CREATE TABLE group_members (
  rid BIGINT NOT NULL,
  group_no BIGINT NOT NULL,
  tenant BIGINT NOT NULL,
  role TEXT COLLATE "C" NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (rid, group_no)
);
CREATE INDEX group_members_group ON group_members (tenant, group_no, rid);

CREATE TABLE licence_pools (
  tenant BIGINT NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  total BIGINT NOT NULL,
  shards SMALLINT NOT NULL,
  PRIMARY KEY (tenant, type)
);
CREATE TABLE licence_shards (
  tenant BIGINT NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  shard SMALLINT NOT NULL,
  total BIGINT NOT NULL,
  used BIGINT NOT NULL CHECK (used >= 0),
  PRIMARY KEY (tenant, type, shard)
);

CREATE TABLE numbers (
  tenant BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  next BIGINT NOT NULL,
  PRIMARY KEY (tenant, kind)
);

-- position and hash are drawn by the sealer, in the order of commits. Erasing
-- sets salt and payload to NULL: hash covers payload_hash, so that the chain
-- still verifies, and everything else of the event stays.
CREATE TABLE events (
  seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant BIGINT NOT NULL,
  position BIGINT,
  id TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  door BIGINT NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  on_behalf_of TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  request_id TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  payload_hash BYTEA,
  hash BYTEA,
  salt BYTEA,
  payload BYTEA
);
CREATE INDEX events_tenant ON events (tenant, seq);
CREATE UNIQUE INDEX events_position ON events (tenant, position) WHERE position IS NOT NULL;

CREATE TABLE holds (
  tenant BIGINT NOT NULL,
  number BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  ref TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, number, kind, source, ref)
);

-- Keys that sign a tenant's tokens, sealed.
CREATE TABLE signing_keys (
  id TEXT COLLATE "C" NOT NULL,
  tenant BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX signing_keys_tenant ON signing_keys (tenant, created_at, id);

CREATE TABLE impersonations (
  id TEXT COLLATE "C" NOT NULL,
  tenant BIGINT NOT NULL,
  admin BIGINT NOT NULL,
  target BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX impersonations_admin ON impersonations (tenant, admin);
CREATE INDEX impersonations_target ON impersonations (tenant, target);

-- number is the user that a job is about, 0 for none. A job that is done or
-- abandoned has state 1 and stays without its payload, so that its id is not used
-- again.
CREATE TABLE jobs (
  tenant BIGINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  lease_owner TEXT COLLATE "C" NOT NULL,
  lease_until BIGINT NOT NULL,
  payload BYTEA NOT NULL,
  result TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX jobs_due ON jobs (kind, run_at, id) WHERE state = 0;
CREATE INDEX jobs_user ON jobs (tenant, number) WHERE number <> 0;

-- Substring search over directory.User.SearchDocument.
CREATE TABLE user_search (
  rid BIGINT PRIMARY KEY,
  tenant BIGINT NOT NULL,
  document TEXT COLLATE "C" NOT NULL
);
CREATE INDEX user_search_document ON user_search USING gin (tenant, document gin_trgm_ops);
