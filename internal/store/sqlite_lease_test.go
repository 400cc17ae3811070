package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// What a process that died had leased is there for the next one at once: only one
// process has the file.
func TestLeasesEndWithTheirProcess(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	ctx, now := t.Context(), time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	claim := func(db *DB) (jobs []directory.Job, hooks []directory.Webhook) {
		t.Helper()
		err := db.Update(ctx, func(tx directory.Tx) (err error) {
			if jobs, err = tx.ClaimJobs(ctx, directory.JobMail, "me", now, now.Add(time.Hour), 9); err != nil {
				return err
			}
			hooks, err = tx.ClaimWebhooks(ctx, "me", now, now.Add(time.Hour), 9)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return jobs, hooks
	}
	first, err := Open(ctx, database, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	err = first.Update(ctx, func(tx directory.Tx) error {
		if _, err := tx.InsertTenant(ctx, directory.Tenant{ID: "one", Name: "one", Version: 1, CreatedAt: now}); err != nil {
			return err
		}
		if err := tx.InsertJob(ctx, directory.Job{Tenant: 1, ID: "job", Kind: directory.JobMail, RunAt: now, CreatedAt: now}); err != nil {
			return err
		}
		return tx.InsertWebhook(ctx, directory.Webhook{Tenant: 1, ID: "hook", State: directory.WebhookActive, ReplayFrom: 1, ReplayTo: 1, CreatedAt: now})
	})
	if err != nil {
		t.Fatal(err)
	}
	if jobs, hooks := claim(first); len(jobs) != 1 || len(hooks) != 1 {
		t.Fatalf("claimed %d jobs and %d endpoints", len(jobs), len(hooks))
	}
	if jobs, hooks := claim(first); len(jobs) != 0 || len(hooks) != 0 {
		t.Fatalf("what is leased was claimed again: %d jobs, %d endpoints", len(jobs), len(hooks))
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if jobs, hooks := claim(openTest(t, database)); len(jobs) != 1 || len(hooks) != 1 {
		t.Errorf("the next process claimed %d jobs and %d endpoints, want 1 of each", len(jobs), len(hooks))
	}
}
