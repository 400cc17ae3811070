package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// look is a look-up with what its plan may and must have.
type look struct {
	name string
	sort bool   // of the few rows that belong to one owner
	uses string // the index of SQLite that must be used
	// hints is how many statements come before the one that matters.
	hints int
	run   func(ctx context.Context, r *reader) error
}

// hot are the look-ups that requests wait for. None may read a table from one
// end to the other, and none but those marked may sort.
var hot = []look{
	{name: "UserByNumber", run: func(ctx context.Context, r *reader) error { _, err := r.UserByNumber(ctx, 1, 1); return err }},
	{name: "UserByID", run: func(ctx context.Context, r *reader) error { _, err := r.UserByID(ctx, 1, "x"); return err }},
	{name: "UserByHandle", run: func(ctx context.Context, r *reader) error {
		_, _, err := r.UserByHandle(ctx, 1, directory.SpaceLogin, "x")
		return err
	}},
	{name: "InSubtree", run: func(ctx context.Context, r *reader) error { _, err := r.InSubtree(ctx, 1, 1, 1); return err }},
	{name: "UserTotal", run: func(ctx context.Context, r *reader) error {
		_, err := r.UserTotal(ctx, 1, 1, directory.LivingStates)
		return err
	}},
	{name: "page of a company", run: users(directory.UserQuery{Company: 1, After: 5, Limit: 30})},
	{name: "page of active users", run: users(directory.UserQuery{Company: 1, States: directory.StatesOf(directory.StateActive), Limit: 30})},
	{name: "page of the tenant", run: users(directory.UserQuery{Skip: 10, Limit: 30})},
	{name: "page of those of the tenant who are not active", run: users(directory.UserQuery{
		States: directory.StatesOf(directory.StateStaged, directory.StateInactive, directory.StateDeleted), Skip: 10, Limit: 30})},
	{name: "search", run: users(directory.UserQuery{Company: 1, Terms: []string{"anna", "k"}, Limit: 30})},
	{name: "search with a total", run: usersOnce(directory.UserQuery{Company: 1, Terms: []string{"anna", "k"}, Limit: 30, WantTotal: true})},
	{name: "search for long words with a total", run: usersOnce(directory.UserQuery{Company: 1, Terms: []string{"annabel"}, Limit: 30, WantTotal: true})},
	{name: "e-mail equals", uses: "users_email (tenant=? AND email_key=?", run: users(directory.UserQuery{Filter: directory.Text{Field: directory.FieldEmail, Value: "Anna@example.com"}, Limit: 30})},
	{name: "user name begins, among others", run: users(directory.UserQuery{Limit: 30, Filter: directory.And{
		directory.Is{Field: directory.FieldLocked}, directory.Text{Field: directory.FieldUserName, Op: directory.OpPrefix, Value: "anna"}}})},
	{name: "user name equals", uses: "users_user_name (tenant=? AND user_name_key=?", run: users(directory.UserQuery{
		Company: 1, Filter: directory.Text{Field: directory.FieldUserName, Value: "Anna"}, Limit: 30})},
	{name: "user name equals, among others", uses: "users_user_name (tenant=? AND user_name_key=?", run: users(directory.UserQuery{Limit: 30, Filter: directory.And{
		directory.InState{States: directory.LivingStates}, directory.Text{Field: directory.FieldUserName, Value: "anna"}}})},
	{name: "family name equals", uses: "users_family_name (tenant=? AND family_name_key=?", run: users(directory.UserQuery{
		Filter: directory.Text{Field: directory.FieldFamilyName, Value: "Anna"}, After: 5, Limit: 30})},
	{name: "external id equals", uses: "INTEGER PRIMARY KEY (rowid=?)", run: users(directory.UserQuery{
		Filter: directory.External{Credential: "c", Value: "x"}, Limit: 30})},
	{name: "external id equals, in order of a name", sort: true, uses: "INTEGER PRIMARY KEY (rowid=?)", run: users(directory.UserQuery{
		Sort: directory.FieldUserName, Filter: directory.External{Credential: "c", Value: "x"}, Limit: 30})},
	{name: "external id begins", uses: "x USING PRIMARY KEY (tenant=? AND space=?)", run: users(directory.UserQuery{
		Filter: directory.External{Credential: "c", Op: directory.OpPrefix, Value: "x"}, Limit: 30})},
	{name: "page by user name", uses: "users_user_name (tenant=?)", run: users(directory.UserQuery{Sort: directory.FieldUserName, Limit: 30})},
	{name: "next page by user name", uses: "users_user_name (tenant=? AND (user_name_key,number)>(?,?))", run: users(directory.UserQuery{
		Sort: directory.FieldUserName, After: 5, AfterValue: "anna", Limit: 30})},
	{name: "next page by e-mail in falling order", uses: "users_email (tenant=? AND (email_key,number)<(?,?))", run: users(directory.UserQuery{
		Sort: directory.FieldEmail, After: 5, AfterValue: "", Limit: 30, Descending: true})},
	{name: "page by family name with a filter", uses: "users_family_name (tenant=?)", run: users(directory.UserQuery{
		Sort: directory.FieldFamilyName, Filter: directory.Is{Field: directory.FieldLocked}, Limit: 30})},
	{name: "page of a small company by user name", sort: true, hints: 2, run: users(directory.UserQuery{Company: 1, Sort: directory.FieldUserName, Limit: 30})},
	{name: "client user id equals", run: users(directory.UserQuery{Filter: directory.Text{Field: directory.FieldClientUserID, Value: "c1"}, Limit: 30})},
	{name: "id equals", run: users(directory.UserQuery{Filter: directory.Text{Field: directory.FieldID, Value: "c1"}, Limit: 30})},
	{name: "changed since", run: users(directory.UserQuery{Filter: directory.When{Field: directory.FieldUpdatedAt, Order: directory.Greater, Value: time.Unix(0, 0)}, Limit: 30})},
	{name: "AuthenticateKey", run: func(ctx context.Context, r *reader) error {
		_, err := r.AuthenticateKey(ctx, []byte("x"))
		return err
	}},
	{name: "KeyAndUser", run: func(ctx context.Context, r *reader) error { _, _, err := r.KeyAndUser(ctx, []byte("x"), 1); return err }},
	{name: "KeyAndUserByID", uses: "users_id (tenant=? AND id=?)", run: func(ctx context.Context, r *reader) error {
		_, _, err := r.KeyAndUserByID(ctx, []byte("x"), "x")
		return err
	}},
	{name: "Answer", run: func(ctx context.Context, r *reader) error { _, err := r.Answer(ctx, 1, "x", []byte("x")); return err }},
	{name: "SweepAnswers", run: ended(oldAnswersSQL)},
	{name: "UserTokens", sort: true, run: func(ctx context.Context, r *reader) error {
		_, err := r.UserTokens(ctx, 1, 1, time.Unix(1, 0))
		return err
	}},
	{name: "FindEvents", run: func(ctx context.Context, r *reader) error {
		_, err := r.FindEvents(ctx, 1, directory.EventSelection{User: 1, After: 5, Limit: 10, Scan: 100})
		return err
	}},
	{name: "FindEvents by origin, the newest first", uses: "events_position (tenant=? AND position=?)", run: finding(directory.EventSelection{
		Origin: "x", Type: "y", Before: 9, Limit: 10, Scan: 100, Descending: true})},
	{name: "FindEvents without a key", uses: "events_position (tenant=? AND position>? AND position<?)", run: finding(directory.EventSelection{
		From: time.Unix(1, 0), After: 5, Limit: 10, Scan: 100})},
	{name: "FindEvents without a key, the newest first", uses: "events_position (tenant=? AND position>? AND position<?)", run: finding(directory.EventSelection{
		Limit: 10, Scan: 100, Descending: true})},
	{name: "EventPeriod", run: func(ctx context.Context, r *reader) error {
		_, _, err := r.EventPeriod(ctx, 1, time.Unix(1, 0), time.Unix(2, 0))
		return err
	}},
	{name: "ChainHead", run: func(ctx context.Context, r *reader) error { _, err := r.ChainHead(ctx, 1); return err }},
	{name: "ChainHeads", run: func(ctx context.Context, r *reader) error { _, err := r.ChainHeads(ctx, 1, 10); return err }},
	{name: "indexedEvents", uses: "events_position (tenant=? AND position>? AND position<?)", run: func(ctx context.Context, r *reader) error {
		_, err := (&tx{*r}).indexedEvents(ctx, 1, 5, 10, 10)
		return err
	}},
	{name: "reasons of a user's events", uses: "events_position (tenant=? AND position=?)", run: func(ctx context.Context, r *reader) error {
		return r.q.query(ctx, reasonsOfSQL, []any{int64(1), int64(7)}, func(*row) {})
	}},
	{name: "GroupMemberRefs", run: func(ctx context.Context, r *reader) error {
		_, err := r.GroupMemberRefs(ctx, 1, 7, 1, 5, 30)
		return err
	}},
	{name: "Roles", run: func(ctx context.Context, r *reader) error { _, err := r.Roles(ctx, 1, 1); return err }},
	{name: "AllRoles", run: func(ctx context.Context, r *reader) error { _, err := r.AllRoles(ctx, 1, 5, 10); return err }},
	{name: "AllLockReasons", run: func(ctx context.Context, r *reader) error { _, err := r.AllLockReasons(ctx, 1, 5, 10); return err }},
	{name: "AllLocations", run: func(ctx context.Context, r *reader) error { _, err := r.AllLocations(ctx, 1, 5, 10); return err }},
	{name: "CompanyInUse", run: func(ctx context.Context, r *reader) error { _, err := r.CompanyInUse(ctx, 1, 1); return err }},
	{name: "LocationInUse", run: func(ctx context.Context, r *reader) error { _, err := r.LocationInUse(ctx, 1, 1); return err }},
	{name: "AuthenticateToken", run: func(ctx context.Context, r *reader) error {
		_, err := r.AuthenticateToken(ctx, []byte("x"), directory.TokenAccess)
		return err
	}},
	{name: "AuthenticateClient", run: func(ctx context.Context, r *reader) error { _, err := r.AuthenticateClient(ctx, "x"); return err }},
	{name: "TenantByHost", run: func(ctx context.Context, r *reader) error { _, err := r.TenantByHost(ctx, "x"); return err }},
	{name: "UserRoles", sort: true, run: func(ctx context.Context, r *reader) error { _, err := r.UserRoles(ctx, 1, 1); return err }},
	{name: "UserGroups", sort: true, run: func(ctx context.Context, r *reader) error { _, err := r.UserGroups(ctx, 1, 1); return err }},
	{name: "UserLocations", run: func(ctx context.Context, r *reader) error { _, err := r.UserLocations(ctx, 1, 1); return err }},
	{name: "Company", run: func(ctx context.Context, r *reader) error { _, err := r.Company(ctx, 1, 1); return err }},
	{name: "CompanyByName", run: func(ctx context.Context, r *reader) error { _, err := r.CompanyByName(ctx, 1, "x"); return err }},
	{name: "LocationByName", run: func(ctx context.Context, r *reader) error { _, err := r.LocationByName(ctx, 1, 1, "x"); return err }},
	{name: "LockReasons", run: func(ctx context.Context, r *reader) error { _, err := r.LockReasons(ctx, 1, 1); return err }},
	{name: "Password", run: func(ctx context.Context, r *reader) error { _, err := r.Password(ctx, 1, 1); return err }},
	{name: "page in falling order", run: users(directory.UserQuery{Company: 1, After: 500, Limit: 30, Descending: true})},
	{name: "page of the tenant in falling order", run: users(directory.UserQuery{Limit: 30, Descending: true})},
	{name: "search in falling order", run: users(directory.UserQuery{Company: 1, Terms: []string{"anna"}, Limit: 30, Descending: true})},
	{name: "page of a group", run: users(directory.UserQuery{GroupNumbers: []int64{7}, After: 5, Limit: 30})},
	{name: "page of a group in falling order", run: users(directory.UserQuery{GroupNumbers: []int64{7}, Limit: 30, Descending: true})},
	{name: "page of groups", sort: true, run: users(directory.UserQuery{GroupNumbers: []int64{7, 8}, Limit: 30})},
	{name: "search in groups", run: users(directory.UserQuery{GroupNumbers: []int64{7, 8}, Terms: []string{"anna"}, Limit: 30})},
	{name: "AuthenticateSession", run: func(ctx context.Context, r *reader) error {
		_, err := r.AuthenticateSession(ctx, []byte("x"))
		return err
	}},
	{name: "AuthenticateSigned", run: func(ctx context.Context, r *reader) error { _, err := r.AuthenticateSigned(ctx, "x", 1); return err }},
	{name: "SigningKeys", run: func(ctx context.Context, r *reader) error { _, err := r.SigningKeys(ctx, 1, 8); return err }},
	{name: "Impersonation", run: func(ctx context.Context, r *reader) error { _, err := r.Impersonation(ctx, "x"); return err }},
	{name: "GroupByID", run: func(ctx context.Context, r *reader) error { _, err := r.GroupByID(ctx, 1, "x"); return err }},
	{name: "GroupByKey", run: func(ctx context.Context, r *reader) error {
		_, err := r.GroupByKey(ctx, 1, directory.GroupPlain, "x")
		return err
	}},
	{name: "Groups", run: groupsOf(directory.GroupSelection{Kind: directory.GroupPlain, Limit: 30})},
	{name: "Groups below none by name", run: groupsOf(directory.GroupSelection{Kind: directory.GroupPlain, Parent: directory.Some(int64(0)), NameKey: "x", Limit: 30})},
	{name: "Groups of a member", run: groupsOf(directory.GroupSelection{Kind: directory.GroupPlain, Member: 1, Limit: 30})},
	{name: "GroupMembers", run: func(ctx context.Context, r *reader) error { _, err := r.GroupMembers(ctx, 1, 7, 5, 30); return err }},
	{name: "GroupSize", run: func(ctx context.Context, r *reader) error { _, err := r.GroupSize(ctx, 1, 7); return err }},
	{name: "RoleMemberRefs", run: func(ctx context.Context, r *reader) error {
		_, err := r.RoleMemberRefs(ctx, 1, 7, 0, 5, 30)
		return err
	}},
	{name: "RoleMembers", run: func(ctx context.Context, r *reader) error { _, err := r.RoleMembers(ctx, 1, 7, 5, 30); return err }},
	{name: "Holds", sort: true, run: func(ctx context.Context, r *reader) error { _, err := r.Holds(ctx, 1, 1); return err }},
	{name: "CompanyByID", run: func(ctx context.Context, r *reader) error { _, err := r.CompanyByID(ctx, 1, "x"); return err }},
	{name: "LocationByID", run: func(ctx context.Context, r *reader) error { _, err := r.LocationByID(ctx, 1, "x"); return err }},
	{name: "Locations", run: func(ctx context.Context, r *reader) error { _, err := r.Locations(ctx, 1, 1); return err }},
	{name: "JobsDue and ClaimJobs", run: func(ctx context.Context, r *reader) error {
		_, err := r.JobsDue(ctx, directory.JobMail, time.Unix(1, 0))
		return err
	}},
	{name: "Job", run: func(ctx context.Context, r *reader) error { _, err := r.Job(ctx, 1, "x", time.Unix(1, 0)); return err }},
	{name: "Jobs", uses: "jobs_listed (tenant=?)", run: jobs(directory.JobSelection{})},
	{name: "Jobs, a later page", uses: "jobs_listed (tenant=? AND (created_at,id)<(?,?))", run: jobs(directory.JobSelection{BeforeTime: time.Unix(1, 0), BeforeID: "x"})},
	{name: "Jobs of a state", uses: "jobs_by_state (tenant=? AND state=?", run: jobs(directory.JobSelection{State: directory.JobFailed, BeforeTime: time.Unix(1, 0), BeforeID: "x"})},
	{name: "Jobs that run", uses: "jobs_by_state (tenant=? AND state=?", run: jobs(directory.JobSelection{State: directory.JobRunning})},
	{name: "Jobs of a kind", uses: "jobs_by_kind (tenant=? AND kind=?", run: jobs(directory.JobSelection{Kind: directory.JobMail})},
	{name: "Jobs of a user", sort: true, uses: "jobs_user (tenant=? AND number>? AND number<?)", run: jobs(directory.JobSelection{User: 1, State: directory.JobFailed})},
	{name: "DeletedUsers", uses: "users_deleted (tenant=? AND (deleted_at,number)>(?,?) AND deleted_at<?)", run: func(ctx context.Context, r *reader) error {
		_, err := r.DeletedUsers(ctx, 1, time.Unix(9, 0), time.Unix(1, 0), 5, 10)
		return err
	}},
	{name: "SweepPayloads", uses: "jobs_payloads", run: ended(oldPayloadsSQL)},
	{name: "SweepTokens", run: ended(endedTokensSQL)},
	{name: "SweepImpersonations", run: ended(endedImpersonationsSQL)},
	{name: "SweepJobs", uses: "jobs_ended", run: ended(closedJobsSQL)},
	{name: "SweepSigningKeys", run: ended(replacedKeysSQL)},
	{name: "Events", run: func(ctx context.Context, r *reader) error { _, err := r.Events(ctx, 1, 5, 10); return err }},
	{name: "DeliveriesDue", uses: "webhook_deliveries_due", run: func(ctx context.Context, r *reader) error { _, err := r.DeliveriesDue(ctx, 1, "x", 10); return err }},
	{name: "Deliveries", run: func(ctx context.Context, r *reader) error {
		_, err := r.Deliveries(ctx, 1, "x", directory.DeliveryDead, 5, 10)
		return err
	}},
	{name: "UsersWaiting", uses: "webhook_deliveries_user", run: func(ctx context.Context, r *reader) error { _, err := r.UsersWaiting(ctx, 1, "x"); return err }},
	{name: "Pool", run: func(ctx context.Context, r *reader) error { _, err := r.Pool(ctx, 1, "x"); return err }},
}

func users(q directory.UserQuery) func(context.Context, *reader) error {
	return func(ctx context.Context, r *reader) error {
		_, err := r.Users(ctx, 1, q)
		return err
	}
}

func finding(q directory.EventSelection) func(context.Context, *reader) error {
	return func(ctx context.Context, r *reader) error {
		_, err := r.FindEvents(ctx, 1, q)
		return err
	}
}

// changing are changes of events, which must not read a table either.
var changing = map[string][]any{
	eraseIndexedSQL: {int64(1), int64(7)},
	eraseLaterSQL:   {int64(1), int64(7), int64(5)},
	trimEventsSQL:   {int64(1), int64(5), int64(9)},
	trimKeysSQL:     {int64(1), int64(2), int64(3), int64(9)},
}

// ended looks for what a sweep removes.
func ended(sql string) func(context.Context, *reader) error {
	return func(ctx context.Context, r *reader) error {
		return r.q.query(ctx, sql, []any{int64(1), int64(500)}, func(*row) {})
	}
}

func jobs(q directory.JobSelection) func(context.Context, *reader) error {
	return func(ctx context.Context, r *reader) error {
		q.Now, q.Limit = time.Unix(5, 0), 30
		_, err := r.Jobs(ctx, 1, q)
		return err
	}
}

func groupsOf(q directory.GroupSelection) func(context.Context, *reader) error {
	return func(ctx context.Context, r *reader) error {
		_, err := r.Groups(ctx, 1, q)
		return err
	}
}

// usersOnce is users in a snapshot.
func usersOnce(q directory.UserQuery) func(context.Context, *reader) error {
	return func(ctx context.Context, r *reader) error {
		r.snapshot = r.e.searchGlance != nil
		_, err := r.Users(ctx, 1, q)
		return err
	}
}

// plans calls fn with the plan of each statement of the hot look-ups.
// Before the text of a plan's row stand skip numbers.
func plans(t *testing.T, e *engine, q querier, explain string, skip int, fn func(t *testing.T, l look, sql, plan string)) {
	for _, h := range hot {
		t.Run(h.name, func(t *testing.T) {
			rec := &recorder{querier: q}
			if err := h.run(t.Context(), &reader{e: e, q: rec}); err != nil && !errors.Is(err, directory.ErrNotFound) {
				t.Fatal(err)
			}
			if len(rec.sql) != 1+h.hints {
				t.Fatalf("%d statements, want %d", len(rec.sql), 1+h.hints)
			}
			var plan []string
			err := q.query(t.Context(), explain+rec.sql[h.hints], rec.args[h.hints], func(r *row) {
				for range skip {
					r.int()
				}
				plan = append(plan, r.text())
			})
			if err != nil {
				t.Fatal(err)
			}
			fn(t, h, rec.sql[h.hints], strings.Join(plan, "\n"))
		})
	}
}

// changePlans calls fn with the plan of each change.
func changePlans(t *testing.T, q querier, changes map[string][]any, explain string, skip int, fn func(sql, plan string)) {
	for sql, args := range changes {
		var plan []string
		err := q.query(t.Context(), explain+sql, args, func(r *row) {
			for range skip {
				r.int()
			}
			plan = append(plan, r.text())
		})
		if err != nil {
			t.Fatal(err)
		}
		fn(sql, strings.Join(plan, "\n"))
	}
}

// scans are reads of a whole table or index. A co-routine (k) is the page that
// the plan has found by then, and keys that sign (k too) are as few as tenants;
// the search index has a constraint after its number.
var scans = regexp.MustCompile(`(?m)^SCAN (?:[^ks]\S*|\w\w+)`)

func TestSQLitePlans(t *testing.T) {
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := openSQLiteConn(sqliteDSN(db.Store.(*sqliteDB).path, sqliteReader))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.close()
	plans(t, db.engine, conn, "EXPLAIN QUERY PLAN ", 3, func(t *testing.T, l look, sql, plan string) {
		// The keys of a look-up of many are read from one end to the other.
		if scans.MatchString(strings.ReplaceAll(plan, "SCAN json_each ", "")) || !l.sort && strings.Contains(plan, "USE TEMP B-TREE") {
			t.Errorf("%s\n%s", sql, plan)
		}
		if !strings.Contains(plan, l.uses) {
			t.Errorf("it should use %s:\n%s\n%s", l.uses, sql, plan)
		}
		if l.name == "changed since" && !strings.Contains(plan, "USING INTEGER PRIMARY KEY") {
			t.Errorf("it should walk a range of the row ids:\n%s", plan)
		}
		if strings.Contains(sql, "user_search") && !strings.Contains(plan, "SCAN s VIRTUAL TABLE INDEX") {
			t.Errorf("the search index is not used:\n%s", plan)
		}
	})
	changePlans(t, conn, changing, "EXPLAIN QUERY PLAN ", 3, func(sql, plan string) {
		if scans.MatchString(plan) {
			t.Errorf("%s\n%s", sql, plan)
		}
	})
}

func TestPostgresPlans(t *testing.T) {
	db := openTest(t, postgresDSN(t))
	tx, err := db.Store.(*postgresDB).pool.BeginTx(t.Context(), &sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	// On empty tables a scan is the cheapest plan: what remains when scans are
	// dear shows whether there is another.
	for _, off := range []string{"enable_seqscan", "enable_sort", "enable_bitmapscan"} {
		if _, err := tx.Exec("SET LOCAL " + off + " = off"); err != nil {
			t.Fatal(err)
		}
	}
	plans(t, db.engine, sqlQuerier{run: tx}, "EXPLAIN ", 0, func(t *testing.T, l look, sql, plan string) {
		if strings.Contains(plan, "Seq Scan") || !l.sort && strings.Contains(plan, "Sort  (") {
			t.Errorf("%s\n%s", sql, plan)
		}
	})
	changes := maps.Clone(changing)
	changes[unsealedTenantsSQL] = []any{int64(10)}
	changes[anyUnsealedSQL] = []any{int64(1)}
	changes[moveEventsSQL] = []any{int64(1), "{1}", "{1}", "{00}", "{00}"}
	changes[placeEventsSQL] = []any{int64(1), "{1}", "{1}", "{00}", "{00}"}
	changePlans(t, sqlQuerier{run: tx}, changes, "EXPLAIN ", 0, func(sql, plan string) {
		if strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s\n%s", sql, plan)
		}
	})
	t.Run("the search index holds tenant and document", func(t *testing.T) {
		if _, err := tx.Exec("SET LOCAL enable_bitmapscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_sort = on"); err != nil {
			t.Fatal(err)
		}
		var plan []string
		a := args{}
		where, _ := matchTrigrams(&a, 1, []string{"anna"}, nil)
		err := sqlQuerier{run: tx}.query(t.Context(), "EXPLAIN SELECT s.rid FROM user_search s WHERE "+where, a.list, func(r *row) { plan = append(plan, r.text()) })
		text := strings.Join(plan, "\n")
		if err != nil || !regexp.MustCompile(`Index Cond: \(\(tenant = .*\) AND \(document ~~`).MatchString(text) {
			t.Errorf("%v\n%s", err, text)
		}
	})
}
