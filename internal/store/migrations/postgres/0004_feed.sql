-- +goose Up

-- What an event is about, beside the user's number, and who asked by what nobody
-- else is ever given. Events of before this have neither.
ALTER TABLE events ADD COLUMN user_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN company BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN origin TEXT COLLATE "C" NOT NULL DEFAULT '';
DROP INDEX events_tenant;
-- Events that were written before positions were given, or by a version that does
-- not know of them, until somebody gives them one.
CREATE INDEX events_unsealed ON events (tenant, seq) WHERE position IS NULL;

-- Where each tenant's chain of events ends, and where it begins since retention
-- removed what was before (base).
CREATE TABLE chain_heads (
  tenant BIGINT NOT NULL,
  position BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  base BIGINT NOT NULL,
  base_hash BYTEA NOT NULL,
  PRIMARY KEY (tenant)
) WITH (fillfactor = 50);

-- What finds events, up to the position in event_index: a row for what each event
-- says (kind: 1 user, 2 actor, 3 reason, 4 door, 5 type, 6 origin), with the number
-- or the first eight bytes of the text's SHA-256 as key. It is filled behind the
-- writers, which would write several pages more with each change.
CREATE TABLE event_keys (
  tenant BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  key BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (tenant, kind, key, position)
);
-- The first and the last position of the events of each hour since 1970. Clocks
-- jump, so that the ranges may overlap.
CREATE TABLE event_hours (
  tenant BIGINT NOT NULL,
  hour BIGINT NOT NULL,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (tenant, hour)
);
CREATE TABLE event_index (
  tenant BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (tenant)
);
DROP INDEX events_user;

-- Events that are committed and have no position yet. Whoever gives them one moves
-- them to events in the order of their positions.
CREATE TABLE events_new (
  seq BIGINT NOT NULL,
  tenant BIGINT NOT NULL,
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
  salt BYTEA,
  payload BYTEA,
  user_id TEXT COLLATE "C" NOT NULL,
  company BIGINT NOT NULL,
  origin TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Jobs are shown to people: 0 waits or runs, 1 is done, 2 failed, 3 was cancelled.
-- result is what went wrong the last time.
ALTER TABLE jobs ADD COLUMN closed_at BIGINT NOT NULL DEFAULT -62135596800000000;
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
  SELECT tenant, gen_random_uuid()::text, 'expiry', number, 0, at, 0, '', -62135596800000000, ''::bytea, '', at FROM (
    SELECT tenant, number, valid_from AS at FROM users WHERE valid_from <> -62135596800000000 AND state = 0
    UNION ALL
    SELECT tenant, number, expires_at AS at FROM users WHERE expires_at <> -62135596800000000 AND state IN (0, 1)) dates;

CREATE TABLE webhooks (
  tenant BIGINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  url TEXT COLLATE "C" NOT NULL,
  types TEXT COLLATE "C" NOT NULL,
  companies TEXT COLLATE "C" NOT NULL,
  except_origins TEXT COLLATE "C" NOT NULL,
  state BIGINT NOT NULL,
  pause_reason TEXT COLLATE "C" NOT NULL,
  secrets TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  position BIGINT NOT NULL,
  replay_from BIGINT NOT NULL,
  replay_to BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  failing_since BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  last_error TEXT COLLATE "C" NOT NULL,
  last_status BIGINT NOT NULL,
  last_success BIGINT NOT NULL,
  lease_owner TEXT COLLATE "C" NOT NULL,
  lease_until BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE TABLE webhook_deliveries (
  tenant BIGINT NOT NULL,
  webhook TEXT COLLATE "C" NOT NULL,
  position BIGINT NOT NULL,
  event TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  state BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  last_error TEXT COLLATE "C" NOT NULL,
  last_status BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, webhook, position)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant, webhook, state, next_at, position);
-- Those of one user are sent in order.
CREATE INDEX webhook_deliveries_user ON webhook_deliveries (tenant, webhook, state, number, position);
