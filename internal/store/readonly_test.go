package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// addTenant makes a tenant.
func addTenant(t *testing.T, db *DB, name string) {
	t.Helper()
	err := db.Update(t.Context(), func(tx directory.Tx) error {
		_, err := tx.InsertTenant(t.Context(), directory.Tenant{ID: name + "-id", Name: name, Doors: directory.AllDoors, Version: 1})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tenantCount is how many tenants a reader sees.
func tenantCount(t *testing.T, db *DB) (n int) {
	t.Helper()
	err := db.View(t.Context(), func(r directory.Reader) error {
		list, err := r.Tenants(t.Context())
		n = len(list)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A database is read beside the process that owns it, as of each look, and changed
// by nobody else.
func TestReadOnlyBesideTheOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	owner, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	addTenant(t, owner, "first")
	looker, err := Open(t.Context(), "sqlite:"+path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if got := tenantCount(t, looker); got != i+1 {
			t.Errorf("%d tenants, want %d", got, i+1)
		}
		addTenant(t, owner, "next"+strconv.Itoa(i))
	}
	if err := looker.Update(t.Context(), func(directory.Tx) error { return nil }); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Update: %v, want ErrReadOnly", err)
	}
	if err := looker.Seal(t.Context(), 1); err != nil {
		t.Errorf("Seal: %v", err)
	}
	if err := looker.Follow(t.Context(), func(directory.TenantNo, int64) {}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Follow: %v, want ErrReadOnly", err)
	}
	// It stays readable when its owner goes away and comes back.
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	if got := tenantCount(t, looker); got != 4 {
		t.Errorf("without its owner: %d tenants", got)
	}
	owner, err = Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	addTenant(t, owner, "last")
	if got := tenantCount(t, looker); got != 5 {
		t.Errorf("with another owner: %d tenants", got)
	}
	if err := errors.Join(looker.Close(), looker.Close(), owner.Close()); err != nil {
		t.Error(err)
	}
}

// A file that nobody has open is read too, also a copy in a folder that cannot be
// written, and one whose owner was killed before a checkpoint.
func TestReadOnlyWithoutAnOwner(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "usher.db")
	owner, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	addTenant(t, owner, "first")
	killed := filepath.Join(t.TempDir(), "killed.db")
	for _, suffix := range []string{"", "-wal"} { // what a killed process leaves
		text, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(killed+suffix, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, killed} {
		db, err := Open(t.Context(), "sqlite:"+file, Options{ReadOnly: true})
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if got := tenantCount(t, db); got != 1 {
			t.Errorf("%s: %d tenants", file, got)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	sealed := filepath.Join(folder, "sealed.db")
	if err := os.Rename(path, sealed); err != nil {
		t.Fatal(err)
	}
	if !nobodyWrites(sealed) || nobodyWrites(killed) {
		t.Error("who writes is not seen")
	}
	version := int64(0)
	if err := readVersion(context.Background(), sqliteDSN(sealed, "mode=ro&immutable=1&"+sqliteReader), &version); err != nil || version != latestMigration("sqlite") {
		t.Errorf("as on a medium: version %d, %v", version, err)
	}
}

// What cannot be read says why, and nothing is made or migrated.
func TestReadOnlyRefusals(t *testing.T) {
	folder := t.TempDir()
	missing := filepath.Join(folder, "missing.db")
	if _, err := Open(t.Context(), "sqlite:"+missing, Options{ReadOnly: true, Migrate: true}); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNeedsMigration) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
	if _, err := Open(t.Context(), "sqlite:", Options{ReadOnly: true}); err == nil {
		t.Error("no name is a file")
	}
	old := filepath.Join(folder, "old.db")
	db, err := sql.Open("sqlite", "file:"+old)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "CREATE TABLE "+versionTable+" (version_id INTEGER); INSERT INTO "+versionTable+" VALUES (1)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "sqlite:"+old, Options{ReadOnly: true, Migrate: true}); !errors.Is(err, ErrNeedsMigration) {
		t.Errorf("an older schema: %v, want ErrNeedsMigration", err)
	}
	text := filepath.Join(folder, "text.db")
	if err := os.WriteFile(text, []byte("this is a text, and a long one, so that it has a header"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "sqlite:"+text, Options{ReadOnly: true}); err == nil {
		t.Error("a text is no database")
	}
}
