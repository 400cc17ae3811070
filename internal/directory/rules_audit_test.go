package directory_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// addAuditRules are the rows of the policy matrix about audits.
func addAuditRules(rules map[string]methodRule) {
	operator := func(scope directory.ScopeSet, call func(w *world, c *directory.Call) error) methodRule {
		return methodRule{adminRank, scope, false, true, directory.ReasonRankTooLow, noPreparation(call)}
	}
	rules["VerifyChain"] = operator(directory.ScopeEvents, func(w *world, c *directory.Call) error {
		return second(w.svc.VerifyChain(w.ctx, c, nil))
	})
	rules["MakeCheckpoints"] = operator(directory.ScopeEvents, func(w *world, c *directory.Call) error {
		return second(w.svc.MakeCheckpoints(w.ctx, c, nil))
	})
	rules["ExportEvents"] = operator(directory.ScopeEvents, func(w *world, c *directory.Call) error {
		return w.svc.ExportEvents(w.ctx, c, time.Time{}, time.Time{}, func(*directory.Event) error { return nil })
	})
	rules["RestartChain"] = operator(directory.ScopeTenant, func(w *world, c *directory.Call) error {
		return second(w.svc.RestartChain(w.ctx, c, "restored"))
	})
	rules["LatestCheckpoint"] = methodRule{readerRank, directory.ScopeEvents, false, false, directory.ReasonScopeMissing, noPreparation(func(w *world, c *directory.Call) error {
		return second(w.svc.LatestCheckpoint(w.ctx, c))
	})}
}

// audit verifies the tenant's chain.
func (f *fixture) audit(checkpoints ...directory.Checkpoint) directory.AuditReport {
	f.t.Helper()
	return must(f.svc.VerifyChain(f.ctx, f.sys(), checkpoints))(f.t)
}

// wantWhole fails unless nothing is wrong with the tenant's chain.
func (f *fixture) wantWhole(checkpoints ...directory.Checkpoint) directory.AuditReport {
	f.t.Helper()
	report := f.audit(checkpoints...)
	if report.Broken != 0 {
		f.t.Errorf("broken at %d: %s", report.Broken, report.Problem)
	}
	return report
}

// wantBroken fails unless the chain is broken at a position, for a reason that the
// words are of.
func (f *fixture) wantBroken(position int64, words string, checkpoints ...directory.Checkpoint) {
	f.t.Helper()
	if report := f.audit(checkpoints...); report.Broken != position || !strings.Contains(report.Problem, words) {
		f.t.Errorf("broken at %d (%q), want at %d, because %q", report.Broken, report.Problem, position, words)
	}
}

// point is a checkpoint of the chain as it is.
func (f *fixture) point() directory.Checkpoint {
	f.t.Helper()
	c := must(f.svc.LatestCheckpoint(f.ctx, f.sys()))(f.t)
	check(f.t, c.Verify(publicOf(checkpointKey(1))))
	return c
}

// tamper changes the database behind the server's back.
func (f *fixture) tamper(statements ...string) {
	f.t.Helper()
	db, err := sql.Open("sqlite", "file:"+f.path+"?_pragma=busy_timeout(5000)")
	check(f.t, err)
	for _, statement := range statements {
		_, err := db.ExecContext(f.ctx, statement)
		check(f.t, err)
	}
	check(f.t, db.Close())
}

// plainEvents writes so many events.
func (f *fixture) plainEvents(count int) {
	f.t.Helper()
	for left := count; left > 0; left -= 100 {
		check(f.t, f.store.Update(f.ctx, func(tx directory.Tx) error {
			var errs []error
			for i := range min(left, 100) {
				errs = append(errs, tx.InsertEvent(f.ctx, directory.Event{Tenant: f.tenant.No, ID: f.unique("event"), Type: directory.EventUserUpdated,
					Door: directory.DoorCLI, Actor: "system:test", Time: f.clock.now(), Salt: []byte("sixteen bytes...") /* any will do */, Payload: fmt.Appendf(nil, `{"changes":{"n":[0,%d]}}`, i)}))
			}
			return errors.Join(errs...)
		}))
	}
}

// A chain of several pages verifies to its end, and checkpoints say how far they
// cover it.
func TestRulesAuditOfAWholeChain(t *testing.T) {
	f := newFixture(t)
	first := f.point()
	f.plainEvents(2100)
	f.clock.advance(time.Hour)
	second := f.point()
	f.someone()
	report := f.wantWhole(first, second)
	want := directory.AuditReport{Tenant: f.tenant.No, Name: "acme", Events: f.mark(), First: 1, Last: f.mark(), Checkpoints: 2,
		Covered: second.Position, CoveredAt: second.Time}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if second.Position != first.Position+2100 || !second.Time.Equal(f.clock.now()) {
		t.Errorf("the checkpoint is %+v, after %+v", second, first)
	}
	other := first
	other.TenantID, other.Hash = "0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31", second.Hash
	f.wantWhole(other)
	other.TenantID = first.TenantID
	f.wantBroken(other.Position, "another hash", second, other)
}

// An audit beside writers and purges never sees anything wrong.
func TestRulesAuditBesideWriters(t *testing.T) {
	f := newFixture(t)
	f.plainEvents(1500)
	ctx, stop := context.WithCancel(f.ctx)
	var writers sync.WaitGroup
	for i := range 3 {
		writers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				u, err := f.svc.CreateUser(f.ctx, f.sys(), newUser(fmt.Sprintf("writer-%d-%d", i, n)))
				if err == nil {
					_, err = f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(u.Number))
				}
				if err == nil {
					err = f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(u.Number))
				}
				if err != nil {
					t.Errorf("a writer: %v", err)
					return
				}
			}
		})
	}
	erased := int64(0)
	for round := 0; round < 20 || erased == 0 && !t.Failed(); round++ {
		erased = f.wantWhole().Erased
	}
	stop()
	writers.Wait()
	if report := f.wantWhole(); report.Last != f.mark() || report.Erased == 0 {
		t.Errorf("afterwards: %+v, the last event is at %d", report, f.mark())
	}
}

// What was erased because its user was purged leaves the chain whole; the same of
// a living user does not, and neither does a part of the contents.
func TestRulesAuditOfErasure(t *testing.T) {
	f := newFixture(t)
	gone, living := f.someone(), f.someone()
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	point := f.point()
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))
	f.someone()
	if report := f.wantWhole(point); report.Erased < 2 {
		t.Errorf("%d events are erased", report.Erased)
	}
	var about []directory.Event
	for _, e := range f.events(0) {
		if e.User == living.Number {
			about = append(about, e)
		}
	}
	at := about[0].Position
	f.tamper("CREATE TABLE kept AS SELECT * FROM events")
	restore := []string{"DELETE FROM events", "INSERT INTO events SELECT * FROM kept"}
	for what, change := range map[string]string{
		"but no purge of user": "salt = NULL, payload = NULL, reason = ''",
		"a part of":            "salt = NULL, payload = NULL, reason = 'x'",
		"a part":               "salt = NULL, reason = ''",
		"contents":             "payload = NULL",
		"not those":            "reason = 'x'",
	} {
		f.tamper(fmt.Sprintf("UPDATE events SET %s WHERE position = %d", change, at))
		f.wantBroken(at, what, point)
		f.tamper(restore...)
	}
	f.wantWhole(point)
}

// A database that lost what a checkpoint knows is broken until the operator says,
// signed, that its history goes on from there. Earlier checkpoints stay good for
// what they cover.
func TestRulesAuditAfterARestore(t *testing.T) {
	f := newFixture(t)
	f.someone()
	early := f.point()
	last := early.Position
	f.tamper("CREATE TABLE kept AS SELECT * FROM events", "CREATE TABLE kept_heads AS SELECT * FROM chain_heads")
	f.someone()
	f.someone()
	late := f.point()
	restore := []string{"DELETE FROM events", "INSERT INTO events SELECT * FROM kept", "DELETE FROM chain_heads", "INSERT INTO chain_heads SELECT * FROM kept_heads"}
	f.reopened(restore...)
	f.wantBroken(last+1, fmt.Sprintf("knows position %d, the chain ends at %d", late.Position, last), early, late)

	c := must(f.svc.RestartChain(f.ctx, f.sys(), "restored the backup of Sunday"))(t)
	f.wantBroken(late.Position, "", early, late) // not signed, not heard: the file does not have it
	if c.Position != last+1 || c.Restart != "restored the backup of Sunday" || c.Epoch <= late.Epoch {
		t.Errorf("the checkpoint of the restart: %+v", c)
	}
	f.someone()
	f.someone()
	f.someone()
	next := f.point()
	report := f.wantWhole(early, late, c, next)
	if report.Checkpoints != 3 || report.Covered != next.Position || next.Epoch != c.Epoch {
		t.Errorf("%+v", report)
	}
	lost := late
	lost.Position = early.Position
	f.wantBroken(early.Position, "another hash", lost, c)
	restarted := f.lastEventOf(directory.EventFeedRestarted)
	if restarted.Reason != "restored the backup of Sunday" || !strings.Contains(string(restarted.Payload), fmt.Sprintf(`"epoch":[0,%d]`, c.Epoch)) {
		t.Errorf("the event: %+v", restarted)
	}
	f.tamper("UPDATE chain_heads SET epoch = epoch + 1")
	f.wantBroken(next.Position, "its last restart or checkpoint says", early, late, c)
	f.tamper("UPDATE chain_heads SET epoch = 0")
	f.wantBroken(next.Position, "its last restart or checkpoint says", early)
	f.tamper(restore...)
	f.wantBroken(last+1, "the chain ends at", early, c)
	early.Epoch = c.Epoch
	f.wantBroken(last, "a later history", early)
	for _, why := range []string{"", strings.Repeat("x", 501), "\xff"} {
		_, err := f.svc.RestartChain(f.ctx, f.sys(), why)
		wantRefused(t, why, err, directory.CodeInvalid, directory.ReasonFieldLength)
	}
}

// reopened is what a restart of the server over another database does.
func (f *fixture) reopened(statements ...string) {
	f.t.Helper()
	check(f.t, f.store.Close())
	f.tamper(statements...)
	db, err := store.Open(f.ctx, "sqlite:"+f.path, store.Options{Migrate: true})
	check(f.t, err)
	f.t.Cleanup(func() { check(f.t, db.Close()) })
	f.store = db
	f.svc = directory.New(db, directory.Options{Now: f.clock.now, Sealer: testSealer(f.t), CheckpointKey: checkpointKey(1)})
}

// lastEventOf is the tenant's newest event of a type.
func (f *fixture) lastEventOf(kind directory.EventType) (last directory.Event) {
	f.t.Helper()
	for _, e := range f.events(0) {
		if e.Type == kind {
			last = e
		}
	}
	return last
}

// What stands beside the chain is seen: events behind its end, before its
// beginning, twice, and copies that wait for a position.
func TestRulesAuditOfStrayEvents(t *testing.T) {
	f := newFixture(t)
	f.plainEvents(10)
	last := f.mark()
	f.tamper("CREATE TABLE kept AS SELECT * FROM events", "CREATE TABLE kept_heads AS SELECT * FROM chain_heads")
	restore := []string{"DELETE FROM events", "INSERT INTO events SELECT * FROM kept", "DELETE FROM chain_heads", "INSERT INTO chain_heads SELECT * FROM kept_heads"}
	copied := func(position string) string {
		return fmt.Sprintf("CREATE TEMP TABLE one AS SELECT * FROM kept WHERE position = 5; UPDATE one SET seq = NULL, position = %s; INSERT INTO events SELECT * FROM one", position)
	}
	for _, c := range []struct {
		statement string
		broken    int64
		words     string
	}{
		{copied(fmt.Sprint(last + 1)), last + 1, "behind the end"},
		{copied("0"), 1, "retention has removed"},
		{copied("-3"), 1, "retention has removed"},
		{copied("NULL"), last + 1, "a copy of the one at position 5"},
		{"DROP INDEX events_position; " + copied("7"), 7, ""},
		{"UPDATE chain_heads SET position = position - 1", last, "behind the end"},
		{"UPDATE chain_heads SET position = position + 1", last + 1, "is missing"},
		{"UPDATE chain_heads SET hash = x'00'", last, "another hash"},
		{"UPDATE chain_heads SET base_hash = x'00'", 1, ""},
		{"UPDATE chain_heads SET base = 3, base_hash = (SELECT hash FROM events WHERE position = 3)", 1, "retention has removed"},
		{"UPDATE chain_heads SET base = 3, base_hash = (SELECT hash FROM events WHERE position = 3); DELETE FROM events WHERE position <= 3", 4, "the last record of retention says 0"},
		{"DELETE FROM events WHERE position > 8", 9, "all behind it"},
		{"DELETE FROM chain_heads", 1, "behind the end"},
		{"DELETE FROM events WHERE position = 5", 5, "is missing"},
	} {
		f.tamper(c.statement)
		if report := f.audit(); report.Broken != c.broken || !strings.Contains(report.Problem, c.words) {
			t.Errorf("%s: broken at %d (%q), want at %d, because %q", c.statement, report.Broken, report.Problem, c.broken, c.words)
		}
		f.tamper(restore...)
		f.wantWhole()
	}
}

// The server signs what has grown, and only that.
func TestRulesCheckpointsOfWhatHasGrown(t *testing.T) {
	f := newFixture(t)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	points := must(f.svc.MakeCheckpoints(f.ctx, directory.System(0, "test"), nil))(t)
	known := map[directory.TenantNo]int64{}
	var names []string
	for _, c := range points {
		known[c.Tenant] = c.Position
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"acme", "umbrella"}, names); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if again := must(f.svc.MakeCheckpoints(f.ctx, directory.System(0, "test"), known))(t); len(again) != 0 {
		t.Errorf("nothing has grown, and yet %+v", again)
	}
	other.someone()
	again := must(f.svc.MakeCheckpoints(f.ctx, directory.System(0, "test"), known))(t)
	if len(again) != 1 || again[0].TenantID != other.tenant.ID || again[0].Position != other.mark() || again[0].Key != "" {
		t.Errorf("one has grown: %+v", again)
	}
	known[other.tenant.No] = 1000 // the chain is shorter than that
	if again := must(f.svc.MakeCheckpoints(f.ctx, directory.System(0, "test"), known))(t); len(again) != 0 {
		t.Errorf("a shorter chain: %+v", again)
	}
	bare := directory.New(f.store, directory.Options{Now: f.clock.now})
	_, err := bare.LatestCheckpoint(f.ctx, f.sys())
	wantRefused(t, "without a key", err, directory.CodeUnavailable, directory.ReasonAuditNoKey)
}

// An export has the events of its period, in order, whether they are indexed or not.
func TestRulesExportOfAPeriod(t *testing.T) {
	f := newFixture(t)
	begin, before := f.clock.now(), f.mark()
	for range 6 {
		f.clock.advance(time.Hour)
		f.plainEvents(400)
	}
	for _, c := range []struct {
		from, to    time.Time
		first, last int64 // counted from the first of the plain events
	}{
		{time.Time{}, time.Time{}, 1 - before, 2400},
		{begin.Add(time.Hour), time.Time{}, 1, 2400},
		{begin.Add(2 * time.Hour), begin.Add(4 * time.Hour), 401, 1200},
		{begin.Add(2*time.Hour + 1), begin.Add(3*time.Hour + 1), 801, 1200},
		{time.Time{}, begin, 1, 0},
		{begin.Add(48 * time.Hour), time.Time{}, 1, 0},
	} {
		var got, want []int64
		check(t, f.svc.ExportEvents(f.ctx, f.sys(), c.from, c.to, func(e *directory.Event) error {
			got = append(got, e.Position-before)
			return nil
		}))
		for n := c.first; n <= c.last; n++ {
			want = append(want, n)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v to %v: (-want +got):\n%s", c.from, c.to, diff)
		}
	}
	stop := errors.New("enough")
	if err := f.svc.ExportEvents(f.ctx, f.sys(), begin, time.Time{}, func(*directory.Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("whoever takes them has enough: %v", err)
	}
	wantRefused(t, "backwards", f.svc.ExportEvents(f.ctx, f.sys(), begin, begin, nil), directory.CodeInvalid, directory.ReasonFieldValue)
}
