package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

func init() { hot = append(hot, bulkLooks...) }

// bulkLooks are the look-ups that each page of an import waits for.
var bulkLooks = []look{
	{name: "HandleHolders", uses: "identifiers USING PRIMARY KEY (tenant=? AND space=? AND key=?)", run: func(ctx context.Context, r *reader) error {
		_, err := r.HandleHolders(ctx, 1, []directory.HandleKeyOf{{Space: directory.SpaceLogin, Key: "x"}, {Space: directory.SpaceLogin, Key: "y"}})
		return err
	}},
	{name: "UsersByNumbers", uses: "u USING INTEGER PRIMARY KEY (rowid=?)", run: func(ctx context.Context, r *reader) error {
		_, err := r.UsersByNumbers(ctx, 1, []int64{1, 2})
		return err
	}},
	{name: "UsersByIDs", uses: "users_id (tenant=? AND id=?)", run: func(ctx context.Context, r *reader) error {
		_, err := r.UsersByIDs(ctx, 1, []string{"x", "y"})
		return err
	}},
	{name: "UsersByClientIDs", uses: "users_client_user_id (tenant=? AND client_user_id=?)", run: func(ctx context.Context, r *reader) error {
		_, err := r.UsersByClientIDs(ctx, 1, []string{"x", "y"})
		return err
	}},
	{name: "SeenRows", uses: "bulk_seen USING PRIMARY KEY (tenant=? AND run=? AND number=?)", run: func(ctx context.Context, r *reader) error {
		_, err := r.SeenRows(ctx, 1, "x", []int64{1, 2})
		return err
	}},
	{name: "BulkVerdicts", run: func(ctx context.Context, r *reader) error {
		_, err := r.BulkVerdicts(ctx, 1, "x", 500, 10)
		return err
	}},
	{name: "BulkRuns", uses: "bulk_runs_time (tenant=? AND (created_at,id)<(?,?))", run: func(ctx context.Context, r *reader) error {
		_, err := r.BulkRuns(ctx, 1, directory.BulkImport, time.Unix(1, 0), "x", 10)
		return err
	}},
	{name: "SweepBulkRuns", uses: "bulk_runs_ended (ended_at>? AND ended_at<?)", run: func(ctx context.Context, r *reader) error {
		return r.q.query(ctx, endedRunSQL, []any{noTime, int64(1)}, func(*row) {})
	}},
}
