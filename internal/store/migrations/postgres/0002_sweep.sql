-- +goose Up

-- What has ended is found from the oldest on, to be removed.
CREATE INDEX tokens_ended ON tokens (expires_at);
CREATE INDEX impersonations_ended ON impersonations (expires_at);
CREATE INDEX jobs_closed ON jobs (created_at) WHERE state = 1;
