package app

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// healthy is a database of an engine with the sample directory and a little of
// everything that it does not have, and the settings for it.
func healthy(t *testing.T, engine string) *config.Loaded {
	t.Helper()
	l := &config.Loaded{Config: config.Default(), Origins: map[string]config.Origin{}}
	l.Demo, l.SecretKey, l.MailDir = true, config.Secret(base64.StdEncoding.EncodeToString(make([]byte, 32))), t.TempDir()
	l.Database = "sqlite:" + t.TempDir() + "/usher.db"
	if engine == "postgres" {
		l.Database = pgtest.Migrated(t, func(ctx context.Context, dsn string) error { return store.Migrate(ctx, dsn, store.Options{}) })
	}
	if engine == "postgres" {
		// It is not among what usher needs; where it is, the indexes are verified.
		(&damage{}).run(t, l.Database, "CREATE EXTENSION amcheck")
	}
	a, err := New(t.Context(), l.Config, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	err = furnishMore(t.Context(), a.service)
	if err := errors.Join(err, a.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), l.Database, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []directory.TenantNo{1, 2} {
		err = errors.Join(err, db.Seal(t.Context(), tenant), db.Update(t.Context(), func(tx directory.Tx) error {
			_, err := tx.IndexEvents(t.Context(), tenant, 10_000)
			return err
		}))
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return l
}

// furnishMore makes what the sample directory has none of: an erased user, a second
// tenant, holds, a webhook, and users who have moved and changed.
func furnishMore(ctx context.Context, s *directory.Service) error {
	call := func() *directory.Call { return directory.System(1, "test") }
	other, err := s.CreateTenant(ctx, directory.System(0, "test"), directory.Tenant{Name: "other", Hosts: []string{"other.example.com"}}, directory.Company{})
	if err != nil {
		return err
	}
	if _, err := s.CreateUser(ctx, directory.System(other.No, "test"), directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some("zoe")}}); err != nil {
		return err
	}
	var numbers []int64
	for _, name := range []string{"anna", "bert", "carl"} {
		u, err := s.CreateUser(ctx, call(), directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some(name), GivenName: directory.Some("Ünal"),
			Email: directory.Some(name + "@example.com"), LicenceType: directory.Some("regular")}})
		if err != nil {
			return err
		}
		numbers = append(numbers, u.Number)
	}
	if _, err := s.Deactivate(ctx, call(), directory.ByNumber(numbers[0])); err != nil {
		return err
	}
	if _, err := s.DeleteUser(ctx, call(), directory.ByNumber(numbers[1])); err != nil {
		return err
	}
	if err := s.PurgeUser(ctx, call(), directory.ByNumber(numbers[1])); err != nil {
		return err
	}
	_, _, err = s.CreateWebhook(ctx, call(), directory.NewWebhook{Name: "payroll", URL: "https://payroll.example.com/in"})
	return err
}

// deepFindings are the findings of the deep part, and those of the history and the
// counters that are not OK.
func deepFindings(t *testing.T, l *config.Loaded) (bad, good []Finding) {
	t.Helper()
	list, err := Examine(t.Context(), l, DoctorOptions{Logger: slog.New(slog.DiscardHandler), Now: time.Now, Deep: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		switch {
		case f.Check == "history" && f.Level == LevelFail, f.Check == "counters" && f.Level == LevelFail:
			bad = append(bad, f)
		case !strings.HasPrefix(f.Check, "deep"):
		case f.Level == LevelOK:
			good = append(good, f)
		default:
			bad = append(bad, f)
		}
	}
	return bad, good
}

// damage is one way in which a database contradicts itself.
type damage struct {
	name string
	sql  []string // what is done, on either engine, or else on one
	only string
	want string // what the finding says
}

// A user of the sample directory, and its row id.
const (
	someone    = "2576"
	someoneRid = "(1 << 40) + 2576"
)

// damages are all of them. Statements that name :rid get the row id of someone.
var damages = []damage{
	{"seat counter", []string{"UPDATE licence_shards SET used = used + 1 WHERE shard = 0"}, "", "pools whose seats in use are not those of their users"},
	{"seat taken twice", []string{"UPDATE users SET seat = 0 WHERE rid = (SELECT min(rid) FROM users WHERE seat <> 0)"}, "", "users that hold a seat and should not"},
	{"pool total", []string{"UPDATE licence_pools SET total = total + 1"}, "", "pools whose parts are not the pool"},
	{"pool gone", []string{"DELETE FROM licence_pools WHERE type = 'regular'"}, "", "seats of a pool that does not exist"},
	{"handle elsewhere", []string{"UPDATE identifiers SET rid = :rid WHERE tenant = 2"}, "", "handles that lead to a user who does not have them"},
	{"handle gone", []string{"DELETE FROM identifiers WHERE rid = (SELECT max(rid) FROM users WHERE tenant = 1 AND state = 1)"}, "", "users who cannot be found by what they are called"},
	{"handle of nobody", []string{"INSERT INTO identifiers (tenant, space, key, rid, kinds) VALUES (1, 'login', 'nobody', :rid + 4444444, 1)"}, "", "handles that lead to a user who does not have them"},
	{"handle kinds", []string{"UPDATE identifiers SET kinds = kinds + 1 WHERE rid = :rid"}, "", "handles that are held as something else"},
	{"handle of another tenant", []string{"UPDATE identifiers SET tenant = 2 WHERE rid = (SELECT min(rid) FROM users WHERE state = 1)"}, "", "identifiers of another tenant than their user"},
	{"folded name", []string{"UPDATE users SET user_name_key = 'x' WHERE rid = :rid"}, "", "users that are filtered and sorted as if they were called another"},
	{"state code", []string{"UPDATE users SET state = 9 WHERE rid = :rid"}, "", "users in a state that there is not"},
	{"key of a user", []string{"UPDATE users SET number = number + 70000000 WHERE rid = :rid"}, "", "users whose key is not their tenant and number"},
	{"name changed", []string{"UPDATE users SET given_name = 'Zzyzx', given_name_key = 'zzyzx' WHERE rid = :rid"}, "", "users whose search text is another"},
	{"search text gone", []string{"DELETE FROM user_search WHERE rowid = :rid"}, "sqlite", "users whom no search finds"},
	{"search text gone", []string{"DELETE FROM user_search WHERE rid = :rid"}, "postgres", "users whom no search finds"},
	{"search text of nobody", []string{"INSERT INTO user_search (rowid, grams) VALUES (:rid + 4444444, 'abc')"}, "sqlite", "search texts of users that do not exist"},
	{"search text of nobody", []string{"INSERT INTO user_search (rid, tenant, document) VALUES (:rid + 4444444, 1, 'abc')"}, "postgres", "search texts of users that do not exist"},
	{"search text of another tenant", []string{"UPDATE user_search SET tenant = 2 WHERE rid = :rid"}, "postgres", "users whose search text is another"},
	{"version", []string{"UPDATE users SET version = version + 1 WHERE rid = :rid"}, "", "users whose version is not that of their last event"},
	{"user gone", []string{"DELETE FROM users WHERE rid = (SELECT max(rid) FROM users WHERE tenant = 1 AND state = 1)"}, "", "users who are gone, and no purge says so"},
	{"user from nowhere", []string{"INSERT INTO users SELECT :rid + 4444444, 'x', tenant, number + 4444444, state, locked, lock_reason, must_change_password, valid_from, expires_at, company, rank, seat, auth_epoch, version, door_version, created_at, updated_at, deleted_at, 'x', '', 0, '', '', '', '', '', '', '', '', '', '', '', '', 'x', '', '', '', '', '' FROM users WHERE rid = :rid"}, "", "users of whom no event says anything"},
	{"event changed", []string{"UPDATE events SET actor = 'mallory' WHERE position = 3"}, "", "is broken at position 3"},
	{"event gone", []string{"DELETE FROM events WHERE position = 3 AND tenant = 1"}, "", "is broken at position 3"},
	{"end of the chain", []string{"UPDATE chain_heads SET position = position - 1"}, "", "is broken"},
	{"end of the chain gone", []string{"DELETE FROM chain_heads"}, "", "chains of events without an end"},
	{"event index", []string{"DELETE FROM event_keys WHERE position = 3"}, "", "indexes of events that are not those of the events"},
	{"event index moved", []string{"UPDATE event_keys SET position = 4000 WHERE position = 3"}, "", "indexes of events that are not those of the events"},
	{"event index ahead", []string{"UPDATE event_index SET position = 400000"}, "", "indexes of events that go on behind the last event"},
	{"hours of events", []string{"UPDATE event_hours SET last = last + 1"}, "", "hours of events that are not those of the events"},
	{"counter of numbers", []string{"UPDATE numbers SET next = 2 WHERE kind = 'user' AND tenant = 1"}, "", "counters that would give a number again"},
	{"counter of companies", []string{"UPDATE numbers SET next = 1 WHERE kind = 'company'"}, "", "counters that would give a number again"},
	{"counter of tenants", []string{"UPDATE numbers SET next = 1 WHERE tenant = 0"}, "", "counters that would give a number again"},
	{"erased and there", []string{"UPDATE purged SET number = 2576"}, "", "users whose number or id was somebody else's"},
	{"total of a company", []string{"UPDATE company_totals SET n = n + 1 WHERE company <> 0"}, "", "totals of companies that are not those of their lists"},
	{"total of a tenant", []string{"UPDATE company_totals SET n = n + 1 WHERE company = 0"}, "", "totals of tenants that are not those of their users"},
	{"list of a company", []string{"DELETE FROM user_company WHERE number = " + someone}, "", "users who are missing in the list of a company"},
	{"list of another company", []string{"INSERT INTO user_company (tenant, ancestor, state, number) SELECT 1, 2, state, number FROM users WHERE rid = :rid"}, "", "entries in the list of a company to which the user does not belong"},
	{"company of a user", []string{"UPDATE users SET company = 77777 WHERE rid = (SELECT max(rid) FROM users WHERE tenant = 1 AND state = 1)"}, "", "users of a company that does not exist"},
	{"place in the tree", []string{"UPDATE companies SET path = '7/' || path WHERE number = 1"}, "", "companies whose place in the tree contradicts the company above them"},
	{"name of a company", []string{"UPDATE companies SET name_key = 'x' WHERE number = 1 AND tenant = 1"}, "", "names of companies that are looked up as another"},
	{"company of a location", []string{"UPDATE locations SET company = 77777 WHERE number = 14202"}, "", "locations of a company that does not exist"},
	{"company of a role", []string{"UPDATE roles SET company = 77777 WHERE number = 1"}, "", "roles of a company that does not exist"},
	{"role given", []string{"UPDATE user_roles SET role = 77777 WHERE number = 1"}, "", "roles given that do not exist"},
	{"location given", []string{"INSERT INTO user_locations (rid, location) VALUES (:rid, 77777)"}, "", "locations of users that do not exist in their tenant"},
	{"group gone", []string{"DELETE FROM groups"}, "", "memberships in a group that does not exist"},
	{"group of another tenant", []string{"UPDATE group_members SET tenant = 2"}, "", "group_members of another tenant than their user"},
	{"tenant gone", []string{"DELETE FROM tenants WHERE no = 2"}, "", "rows of a tenant that does not exist"},
	{"default company", []string{"UPDATE tenants SET default_company = 77777 WHERE no = 1"}, "", "default companies that do not exist"},
	{"owner", []string{"UPDATE tenants SET owner = 77777 WHERE no = 1"}, "", "account owners that are not active users"},
	{"host", []string{"UPDATE tenant_hosts SET tenant = 1"}, "", "hosts of tenants that lead elsewhere"},
	{"password of nobody", []string{"INSERT INTO passwords (rid, hash, set_at, failures, last_login) VALUES (:rid + 4444444, '', 0, 0, 0)"}, "", "passwords of users that do not exist"},
	{"hold of nobody", []string{"INSERT INTO holds (tenant, number, kind, source, ref, created_at) VALUES (1, 4444444, 'legal', 'x', '', 0)"}, "", "holds of users that do not exist"},
	{"second factor of nobody", []string{"INSERT INTO second_factors (tenant, number, secret, created_at, last_step, failures, failed_at, rank) VALUES (1, 4444444, '', 0, 0, 0, 0, 0)"}, "postgres", "second_factors of users that do not exist"},
	{"recovery code without factor", []string{"INSERT INTO recovery_codes (tenant, number, hash) VALUES (1, 2576, x'00')"}, "sqlite", "recovery codes without a second factor"},
	{"token of a later epoch", []string{"INSERT INTO tokens (hash, tenant, rid, kind, session, client, door, epoch, created_at, expires_at) VALUES (x'00', 1, :rid, 0, '', '', 1, 99, 0, 0)"}, "sqlite", "sign-ins that are newer than their user's last sign-out"},
	{"token of another tenant", []string{"INSERT INTO tokens (hash, tenant, rid, kind, session, client, door, epoch, created_at, expires_at) VALUES ('x', 2, :rid, 0, '', '', 1, 0, 0, 0)"}, "postgres", "tokens of another tenant than their user"},
	{"credential of a company", []string{"UPDATE credentials SET root = 77777"}, "", "credentials bound to a company that does not exist"},
	{"delivery of nothing", []string{"INSERT INTO webhook_deliveries (tenant, webhook, position, event, type, number, state, attempts, next_at, last_error, last_status, created_at) VALUES (1, 'x', 1, 'x', 'x', 0, 0, 0, 0, '', 0, 0)"}, "", "webhook_deliveries of what does not exist"},
	{"endpoint ahead", []string{"UPDATE webhooks SET position = 400000"}, "", "endpoints that are ahead of the events"},
	{"job about nobody", []string{"INSERT INTO jobs (tenant, id, kind, number, state, run_at, attempts, lease_owner, lease_until, payload, result, created_at) SELECT 1, 'x', 'expiry', 4444444, 0, 0, 0, '', 0, salt, '', 0 FROM events WHERE position = 2 AND tenant = 1"}, "", "jobs to be done about users that do not exist"},
	{"job state", []string{"INSERT INTO jobs (tenant, id, kind, number, state, run_at, attempts, lease_owner, lease_until, payload, result, created_at) SELECT 1, 'x', 'expiry', 0, 7, 0, 0, '', 0, salt, '', 0 FROM events WHERE position = 2 AND tenant = 1"}, "", "jobs in a state that there is not"},
}

// A directory that is well has no finding, and each way in which it can contradict
// itself is found, on both engines. A copy of a database costs PostgreSQL more than
// SQLite: there damages of different kinds share one.
func TestDeepExamination(t *testing.T) {
	for engine, copies := range map[string]int{"sqlite": len(damages), "postgres": 8} {
		t.Run(engine, func(t *testing.T) {
			l := healthy(t, engine)
			bad, good := deepFindings(t, l)
			if len(bad) > 0 || len(good) != 11 || good[0].Seen == "0 indexes" || strings.Contains(good[0].Seen, "nothing") {
				t.Fatalf("a directory that is well: %+v, %+v", good, bad)
			}
			undo := original(t, l.Database)
			list := slices.DeleteFunc(slices.Clone(damages), func(d damage) bool { return d.only != "" && d.only != engine })
			for first := range min(copies, len(list)) {
				hurt := *l
				hurt.Database = undo(t)
				for i := first; i < len(list); i += copies {
					list[i].do(t, hurt.Database)
				}
				bad, _ := deepFindings(t, &hurt)
				for i := first; i < len(list); i += copies {
					list[i].found(t, bad)
				}
			}
		})
	}
}

// do damages a database.
func (d *damage) do(t *testing.T, database string) {
	t.Helper()
	for _, statement := range d.sql {
		if d.run(t, database, statement) == 0 {
			t.Fatalf("%s: nothing was damaged", statement)
		}
	}
}

// run runs a statement below the program, and returns how many rows it touched.
func (d *damage) run(t *testing.T, database, statement string) int64 {
	t.Helper()
	driver, dsn, rid := "pgx", database, "(CAST(1 AS BIGINT) << 40) + 2576"
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn, rid = "sqlite", path, someoneRid
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.ExecContext(t.Context(), strings.ReplaceAll(statement, ":rid", rid))
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// found requires the finding, with examples and a remedy.
func (d *damage) found(t *testing.T, bad []Finding) {
	t.Helper()
	for _, f := range bad {
		if strings.Contains(f.Seen, "Bates") || f.Remedy == "" {
			t.Errorf("a finding names a person, or has no remedy: %+v", f)
		}
		if strings.Contains(f.Seen, d.want) {
			return
		}
	}
	t.Errorf("%s: nobody saw %q: %+v", d.name, d.want, bad)
}

// original keeps a database, and makes copies of it.
func original(t *testing.T, database string) func(testing.TB) string {
	t.Helper()
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return func(t testing.TB) string {
			work := filepath.Join(t.TempDir(), "usher.db")
			if err := os.WriteFile(work, text, 0o600); err != nil {
				t.Fatal(err)
			}
			return "sqlite:" + work
		}
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	base, admin := strings.TrimPrefix(u.Path, "/"), *u
	admin.Path = "/postgres"
	db, err := sql.Open("pgx", admin.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // of a cluster that goes away with the tests
	work := *u
	work.Path = "/" + base + "_work"
	return func(t testing.TB) string {
		for _, statement := range []string{"DROP DATABASE IF EXISTS " + base + "_work WITH (FORCE)", "CREATE DATABASE " + base + "_work TEMPLATE " + base} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		return work.String()
	}
}
