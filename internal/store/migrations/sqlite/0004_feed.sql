-- +goose Up

-- What an event is about, beside the user's number, and who asked by what nobody
-- else is ever given. Events of before this have neither.
ALTER TABLE events ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN company INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN origin TEXT NOT NULL DEFAULT '';
DROP INDEX events_tenant;
-- Events that were written before positions were given, or by a version that does
-- not know of them, until somebody gives them one.
CREATE INDEX events_unsealed ON events (tenant, seq) WHERE position IS NULL;

-- Where each tenant's chain of events ends, and where it begins since retention
-- removed what was before (base).
CREATE TABLE chain_heads (
  tenant INTEGER NOT NULL,
  position INTEGER NOT NULL,
  hash BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  base INTEGER NOT NULL,
  base_hash BLOB NOT NULL,
  PRIMARY KEY (tenant)
) STRICT, WITHOUT ROWID;

-- What finds events, up to the position in event_index: a row for what each event
-- says (kind: 1 user, 2 actor, 3 reason, 4 door, 5 type, 6 origin), with the number
-- or the first eight bytes of the text's SHA-256 as key. It is filled behind the
-- writers, which would write several pages more with each change.
CREATE TABLE event_keys (
  tenant INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  key INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, key, position)
) STRICT, WITHOUT ROWID;
-- The first and the last position of the events of each hour since 1970. Clocks
-- jump, so that the ranges may overlap.
CREATE TABLE event_hours (
  tenant INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (tenant, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE event_index (
  tenant INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (tenant)
) STRICT, WITHOUT ROWID;
-- event_users and event_users_done stay for the version before this one.

-- Jobs are shown to people: 0 waits or runs, 1 is done, 2 failed, 3 was cancelled.
-- result is what went wrong the last time.
ALTER TABLE jobs ADD COLUMN closed_at INTEGER NOT NULL DEFAULT -62135596800000000;
UPDATE jobs SET state = 2 WHERE state = 1 AND result LIKE 'abandoned%';
UPDATE jobs SET result = '' WHERE state = 1;
UPDATE jobs SET closed_at = created_at WHERE state <> 0;
DROP INDEX jobs_closed;
CREATE INDEX jobs_ended ON jobs (closed_at) WHERE state <> 0;
CREATE INDEX jobs_payloads ON jobs (closed_at) WHERE state <> 0 AND length(payload) > 0;
CREATE INDEX jobs_tried ON jobs (kind, run_at, id) WHERE state = 0 AND attempts > 0;
CREATE INDEX jobs_listed ON jobs (tenant, created_at, id);
CREATE INDEX jobs_by_state ON jobs (tenant, state, created_at, id);
CREATE INDEX jobs_by_kind ON jobs (tenant, kind, created_at, id);

-- Who leaves the recycle bin next.
CREATE INDEX users_deleted ON users (tenant, deleted_at, number) WHERE state = 3;

-- Users whose validity dates are yet to come get the jobs that new dates get.
INSERT INTO jobs (tenant, id, kind, number, state, run_at, attempts, lease_owner, lease_until, payload, result, created_at)
  SELECT tenant, lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), 'expiry', number, 0, at, 0, '', -62135596800000000, x'', '', at FROM (
    SELECT tenant, number, valid_from AS at FROM users WHERE valid_from <> -62135596800000000 AND state = 0
    UNION ALL
    SELECT tenant, number, expires_at AS at FROM users WHERE expires_at <> -62135596800000000 AND state IN (0, 1)) dates;

CREATE TABLE webhooks (
  tenant INTEGER NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  types TEXT NOT NULL,
  companies TEXT NOT NULL,
  except_origins TEXT NOT NULL,
  state INTEGER NOT NULL,
  pause_reason TEXT NOT NULL,
  secrets TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  position INTEGER NOT NULL,
  replay_from INTEGER NOT NULL,
  replay_to INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  failing_since INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  last_status INTEGER NOT NULL,
  last_success INTEGER NOT NULL,
  lease_owner TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_deliveries (
  tenant INTEGER NOT NULL,
  webhook TEXT NOT NULL,
  position INTEGER NOT NULL,
  event TEXT NOT NULL,
  type TEXT NOT NULL,
  number INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  last_status INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, webhook, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant, webhook, state, next_at, position);
-- Those of one user are sent in order.
CREATE INDEX webhook_deliveries_user ON webhook_deliveries (tenant, webhook, state, number, position);
