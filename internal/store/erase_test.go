package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// The marks by which rows of the erased user are told from all others.
const (
	erasedMark   = "zzyzx"
	erasedNumber = 987_654_321
)

// TestEraseLeavesNoRow looks into every table of the database, below the
// interface that would hide an orphan: erasing somebody is a promise.
func TestEraseLeavesNoRow(t *testing.T) {
	eachEngine(t, func(t *testing.T, database string) {
		db := open(t, database, store.Options{})
		no := insertTenant(t, db)
		update(t, db, func(ctx context.Context, tx directory.Tx) error { return writeMarked(ctx, tx, no) })
		update(t, db, func(ctx context.Context, tx directory.Tx) error { return endMarked(ctx, tx, no) })
		update(t, db, func(ctx context.Context, tx directory.Tx) error {
			return tx.InsertUser(ctx, plainUser(no, 1))
		})
		if found := marked(t, database, no); len(found) < 20 {
			t.Fatalf("before the erasure only these tables show the user: %v", found)
		}
		update(t, db, func(ctx context.Context, tx directory.Tx) error {
			u, err := tx.LockUser(ctx, no, erasedNumber)
			return errors.Join(err, tx.DeleteUser(ctx, u))
		})
		if found := marked(t, database, no); len(found) != 0 {
			t.Errorf("after the erasure these tables still show the user: %v", found)
		}
	})
}

// TestEraseLeavesNoPage: a row that is too long for its page has pages of its own,
// which are freed when it shrinks or goes, long before or without an erasure of
// events.
func TestEraseLeavesNoPage(t *testing.T) {
	database := sqlitePath(t)
	db := open(t, database, store.Options{Migrate: true})
	no := insertTenant(t, db)
	long := plainUser(no, erasedNumber)
	long.Profile.Attributes = map[string]json.RawMessage{"notes": json.RawMessage(`"` + strings.Repeat(erasedMark, 4000) + `"`)}
	update(t, db, func(ctx context.Context, tx directory.Tx) error { return tx.InsertUser(ctx, long) })
	update(t, db, func(ctx context.Context, tx directory.Tx) error {
		before, err := tx.LockUser(ctx, no, erasedNumber)
		short := before
		short.Profile.Attributes = nil
		return errors.Join(err, tx.UpdateUser(ctx, before, short))
	})
	update(t, db, func(ctx context.Context, tx directory.Tx) error {
		u, err := tx.LockUser(ctx, no, erasedNumber)
		return errors.Join(err, tx.DeleteUser(ctx, u), tx.EraseEvents(ctx, no, erasedNumber))
	})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(strings.TrimPrefix(database, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(file, []byte(erasedMark)); n != 0 {
		t.Errorf("the file holds what was erased %d times", n)
	}
}

// writeMarked makes a user with a row of everything that can belong to one.
func writeMarked(ctx context.Context, tx directory.Tx, no directory.TenantNo) error {
	u := plainUser(no, erasedNumber)
	u.GivenName, u.Title = erasedMark, erasedMark
	err0 := tx.InsertGroup(ctx, directory.Group{Tenant: no, Number: 1, ID: uuid.NewString(), Kind: directory.GroupPlain, CreatedAt: noon})
	err0 = errors.Join(err0, tx.InsertLocation(ctx, directory.Location{Tenant: no, Number: 1, ID: uuid.NewString(), Company: 1, Name: "Shop", CreatedAt: noon}))
	_, err1 := tx.AddUserLocation(ctx, no, erasedNumber, 1)
	_, err2 := tx.SetGroupMember(ctx, no, 1, erasedNumber, "", 0)
	_, err3 := tx.InsertHold(ctx, no, directory.Hold{User: erasedNumber, Kind: directory.HoldLegal, Source: erasedMark, Ref: erasedMark, CreatedAt: noon})
	for i, kind := range []directory.TokenKind{directory.TokenRefresh, directory.TokenSession, directory.TokenReset} {
		err3 = errors.Join(err3, tx.InsertToken(ctx, directory.Token{Tenant: no, Hash: []byte(fmt.Sprint(erasedMark, i)), Session: erasedMark,
			Kind: kind, User: erasedNumber, CreatedAt: noon, ExpiresAt: noon}))
	}
	for i, kind := range []directory.JobKind{"open", "closed", "put back"} {
		err3 = errors.Join(err3, tx.InsertJob(ctx, directory.Job{Tenant: no, ID: fmt.Sprint(i), Kind: kind, User: erasedNumber, RunAt: noon,
			Payload: []byte(erasedMark), CreatedAt: noon}))
	}
	return errors.Join(err0, err1, err2, err3,
		tx.InsertImpersonation(ctx, directory.Impersonation{Tenant: no, ID: "1", Admin: erasedNumber, Target: 1, CreatedAt: noon, ExpiresAt: noon}),
		tx.InsertImpersonation(ctx, directory.Impersonation{Tenant: no, ID: "2", Admin: 1, Target: erasedNumber, CreatedAt: noon, ExpiresAt: noon}),
		tx.InsertRole(ctx, directory.Role{Tenant: no, Number: 1, Key: "role"}),
		tx.InsertUser(ctx, u),
		tx.InsertHandle(ctx, no, directory.Handle{Space: directory.SpaceLogin, Key: erasedMark, Kinds: directory.HandleUserName, User: erasedNumber}),
		tx.SetPassword(ctx, no, directory.Password{User: erasedNumber, Hash: erasedMark, SetAt: noon}),
		tx.AddUserRole(ctx, no, directory.RoleAssignment{Number: 1, User: erasedNumber, Role: 1, Company: 1}),
		tx.InsertToken(ctx, directory.Token{Tenant: no, Hash: []byte(erasedMark), Session: erasedMark, Kind: directory.TokenAccess,
			User: erasedNumber, Door: directory.DoorIQmetrix, CreatedAt: noon, ExpiresAt: noon}))
}

// endMarked closes one of the jobs and puts another back, with results that
// name the user.
func endMarked(ctx context.Context, tx directory.Tx, no directory.TenantNo) error {
	closing, err := tx.ClaimJobs(ctx, "closed", "me", noon, noon.Add(time.Minute), 1)
	if err != nil {
		return err
	}
	again, err := tx.ClaimJobs(ctx, "put back", "me", noon, noon.Add(time.Minute), 1)
	if err != nil {
		return err
	}
	_, err1 := tx.CloseJob(ctx, closing[0], directory.JobDone, "no such address: "+erasedMark, noon)
	_, err2 := tx.RetryJob(ctx, again[0], noon, "no answer for "+erasedMark)
	return errors.Join(err1, err2)
}

// TestClosedJobHasNoPayload: what a job carries is secret, and is of no use
// once the job has ended.
func TestClosedJobHasNoPayload(t *testing.T) {
	eachEngine(t, func(t *testing.T, database string) {
		db := open(t, database, store.Options{})
		no := insertTenant(t, db)
		update(t, db, func(ctx context.Context, tx directory.Tx) error {
			return tx.InsertJob(ctx, directory.Job{Tenant: no, ID: "1", Kind: "one", RunAt: noon, Payload: []byte(erasedMark), CreatedAt: noon})
		})
		if found := marked(t, database, no); len(found) != 1 {
			t.Fatalf("the payload of an open job is in %v", found)
		}
		update(t, db, func(ctx context.Context, tx directory.Tx) error {
			jobs, err := tx.ClaimJobs(ctx, "one", "me", noon, noon.Add(time.Minute), 1)
			if err != nil {
				return err
			}
			_, err = tx.CloseJob(ctx, jobs[0], directory.JobDone, "done", noon)
			return err
		})
		if found := marked(t, database, no); len(found) != 0 {
			t.Errorf("the payload of a closed job is in %v", found)
		}
	})
}

// marked lists the tables with a row that holds one of the marks.
func marked(t *testing.T, database string, no directory.TenantNo) []string {
	t.Helper()
	driver, dsn := "pgx", database
	tables := `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn = "sqlite", path
		tables = `SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'`
	}
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	marks := []string{erasedMark, fmt.Sprint(erasedNumber), fmt.Sprint(int64(no)<<40 | erasedNumber)}
	var found []string
	for _, table := range column(t, pool, tables) {
		if table == "numbers" || table == "purged" || strings.HasPrefix(table, "event") {
			continue // counters and spent numbers stay, and so does the history
		}
		for _, row := range column(t, pool, "SELECT * FROM "+table) {
			for _, mark := range marks {
				if strings.Contains(row, mark) {
					found = append(found, fmt.Sprintf("%s (%s)", table, mark))
				}
			}
		}
	}
	return found
}

// column runs a query and returns each row as one text.
func column(t *testing.T, pool *sql.DB, query string) []string {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for rows.Next() {
		values, targets := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(names))
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			texts[i] = fmt.Sprint(v)
		}
		list = append(list, strings.Join(texts, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
