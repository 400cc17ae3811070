package app

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// A directory moves from SQLite to PostgreSQL and back: each time its history verifies,
// goes on under a new epoch, and what signs says so.
func TestRestoreMovesBetweenEngines(t *testing.T) {
	c := newClinic(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "usher.backup")
	made, err := Backup(t.Context(), &c.loaded.Config, file, io.Discard)
	if err != nil || made.Bytes == 0 || len(made.Missing) != 2 {
		t.Fatalf("%+v, %v", made, err)
	}
	epochs := map[int64]bool{}
	for i, database := range []string{pgtest.Database(t), "sqlite:" + filepath.Join(dir, "moved.db")} {
		cfg := c.loaded.Config
		cfg.Database, cfg.SecretKeyFile, cfg.AuditKeyFile, cfg.CheckpointFile = database, c.path+".key", c.path+".audit-key", c.path+".checkpoints"
		done, err := Restore(t.Context(), &cfg, file, c.o.Logger, "usher restore")
		if err != nil || len(done.Broken)+len(done.Notes) > 0 || len(done.Tenants) != 1 {
			t.Fatalf("%s: %+v, %v", database, done, err)
		}
		epochs[done.Tenants[0].Epoch] = true
		auditor, err := OpenAuditor(t.Context(), &cfg, c.o.Logger, "test")
		if err != nil {
			t.Fatal(err)
		}
		audit, err := auditor.VerifyEvents(t.Context(), &cfg, "", "")
		if err := errors.Join(err, auditor.Close()); err != nil || audit.Broken() || audit.Reports[0].Checkpoints != 2+i {
			t.Errorf("%s: %+v, %v", database, audit, err)
		}
		file = filepath.Join(dir, "again.backup")
		if _, err := Backup(t.Context(), &cfg, file, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if len(epochs) == 0 || epochs[0] {
		t.Errorf("epochs %v", epochs)
	}
}

// A history that was written into is restored with all the rest, and told.
func TestRestoreOfABrokenHistory(t *testing.T) {
	c := newClinic(t)
	c.sql("UPDATE events SET actor = 'nobody' WHERE position = 1")
	c.sql("UPDATE company_totals SET n = n + 1 WHERE company = 0")
	dir := t.TempDir()
	file := filepath.Join(dir, "usher.backup")
	if _, err := Backup(t.Context(), &c.loaded.Config, file, io.Discard); err != nil {
		t.Fatal(err)
	}
	cfg := c.loaded.Config
	cfg.Database = "sqlite:" + filepath.Join(dir, "usher.db")
	done, err := Restore(t.Context(), &cfg, file, c.o.Logger, "usher restore")
	if err != nil || len(done.Broken) != 1 || !strings.Contains(done.Broken[0], "broken at position 1") || done.Tenants[0].Epoch != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	for _, want := range []string{"totals of tenants", "the secret key is not here", "the key that signs checkpoints is not here"} {
		if !strings.Contains(strings.Join(done.Notes, "\n"), want) {
			t.Errorf("no note %q: %q", want, done.Notes)
		}
	}
}

// What cannot be written or read leaves nothing behind, and an older schema says what
// to run.
func TestBackupFailures(t *testing.T) {
	c := newClinic(t)
	dir := t.TempDir()
	empty := func() {
		t.Helper()
		if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
			t.Errorf("left %v, %v", list, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Backup(ctx, &c.loaded.Config, filepath.Join(dir, "usher.backup"), io.Discard); err == nil {
		t.Error("an interrupted backup was made")
	}
	empty()
	none := c.loaded.Config
	none.Database = "sqlite:" + filepath.Join(dir, "none.db")
	if _, err := Backup(t.Context(), &none, filepath.Join(dir, "usher.backup"), io.Discard); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	empty()
	c.sql("DELETE FROM schema_migrations WHERE version_id > 4")
	if _, err := Backup(t.Context(), &c.loaded.Config, filepath.Join(dir, "usher.backup"), io.Discard); err == nil || !strings.Contains(err.Error(), "usher migrate") {
		t.Errorf("of an old schema: %v", err)
	}
	empty()
	if _, err := CheckBackup(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
}
