package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// sweep removes what has ended and compares how much that was.
func (f *fixture) sweep(want int) {
	f.t.Helper()
	mark := f.mark()
	if n := must(f.svc.Sweep(f.ctx, directory.System(0, "sweep")))(f.t); n != want {
		f.t.Errorf("the sweep removed %d rows, want %d", n, want)
	}
	f.wantEvents(mark)
}

// rows are the numbers of rows of tables.
func (f *fixture) rows(tables ...string) (counts []int) {
	f.t.Helper()
	dump := f.dump(tables...)
	for _, table := range tables {
		counts = append(counts, strings.Count(dump[table], "created_at=")) // a sealed text may hold a newline
	}
	return counts
}

// wantRows fails unless tables have so many rows.
func (f *fixture) wantRows(want int, tables ...string) {
	f.t.Helper()
	for i, n := range f.rows(tables...) {
		if n != want {
			f.t.Errorf("%s has %d rows, want %d", tables[i], n, want)
		}
	}
}

// What has ended goes a day later, of every kind and every tenant.
func TestRulesSweepEnded(t *testing.T) {
	f := newFixture(t)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	for _, in := range []*fixture{f, other} {
		u := in.someone(withPassword)
		must(in.grant(in.client(), u.UserName, password))(t) // an access and a refresh token
		in.resetToken(u)
		in.connected(in.apiUser(directory.RankReader))
	}
	f.wantRows(8, "tokens")
	made := f.clock.now()
	for _, step := range []struct {
		what  string
		stays time.Duration
	}{
		{"access tokens", directory.AccessLifetime + directory.EndedKept},
		{"API sessions", directory.SessionLifetime + directory.EndedKept},
		{"reset tokens", directory.ResetLifetime + directory.EndedKept},
		{"refresh tokens", directory.RefreshLifetime + directory.EndedKept},
		{"messages", directory.JobsKept},
	} {
		t.Log(step.what)
		f.clock.advance(made.Add(step.stays).Sub(f.clock.now()))
		f.sweep(0)
		f.clock.advance(time.Microsecond)
		f.sweep(2) // one of each tenant
	}
	f.wantRows(0, "tokens")
	f.wantRows(4, "jobs") // of two tenants those that never end
}

// A key goes when the tenant has a newer one and all that it signed is over.
func TestRulesSweepSigningKeys(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	first := must(f.signIn(u.UserName, password))(t)
	f.clock.advance(directory.SigningKeyLifetime - time.Microsecond)
	f.sweep(0)
	second := must(f.signIn(u.UserName, password))(t)
	f.wantRows(1, "signing_keys")
	f.clock.advance(time.Microsecond)
	third := must(f.signIn(u.UserName, password))(t)
	f.wantRows(2, "signing_keys")
	wantRefused(t, "the first", f.reads(f.signed(first), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialExpired)
	for _, token := range []string{second, third} {
		check(t, f.reads(f.signed(token), u.Number))
	}
	f.clock.advance(directory.SignedTokenLifetime + directory.EndedKept)
	f.sweep(0)
	f.clock.advance(time.Microsecond)
	f.sweep(1)
	last := must(f.signIn(u.UserName, password))(t)
	f.wantRows(1, "signing_keys")
	check(t, f.reads(f.signed(last), u.Number))
}

// An impersonation and a closed job stay for their time; open jobs stay.
func TestRulesSweepJobs(t *testing.T) {
	f := newFixture(t)
	must(f.impersonate(f.ranked(adminRank), f.someone()))(t)
	for range 3 {
		check(t, f.svc.GeneratePassword(f.ctx, f.sys(), directory.ByNumber(f.someone().Number)))
	}
	jobs := f.claim("one", 2)
	check(t, f.svc.FinishJob(f.ctx, f.sys(), jobs[0]))
	check(t, f.svc.AbandonJob(f.ctx, f.sys(), jobs[1], "x"))
	f.clock.advance(directory.ImpersonationLifetime + directory.EndedKept)
	f.sweep(0)
	f.clock.advance(time.Microsecond)
	f.sweep(1)
	f.wantRows(0, "impersonations")
	f.clock.advance(directory.PayloadsKept - directory.ImpersonationLifetime - directory.EndedKept - time.Microsecond)
	f.sweep(0)
	f.clock.advance(time.Microsecond)
	f.sweep(1) // the payload of the one that was given up
	f.clock.advance(directory.JobsKept - directory.PayloadsKept - time.Microsecond)
	f.sweep(0)
	f.clock.advance(time.Microsecond)
	f.sweep(2)
	f.wantRows(1+2, "jobs") // and those that the tenant always has
}

// A sweep goes on until nothing is left, in transactions of a few rows.
func TestRulesSweepInSteps(t *testing.T) {
	f := newFixture(t)
	const rows, most = 1200, 500
	err := f.store.Update(f.ctx, func(tx directory.Tx) error {
		for i := range int64(rows) {
			hash := []byte("expired " + itoa(i))
			if err := tx.InsertToken(f.ctx, directory.Token{Tenant: f.tenant.No, Hash: hash, Kind: directory.TokenAccess, User: 1}); err != nil {
				return err
			}
		}
		return nil
	})
	check(t, err)
	watched := &writes{Store: f.store}
	f.svc = directory.New(watched, directory.Options{Now: f.clock.now})
	f.sweep(rows)
	if n := watched.n.Load(); n != 1+rows/most+1 { // the first notes the seats of the day
		t.Errorf("%d transactions", n)
	}
	f.wantRows(0, "tokens")
	call := directory.System(0, "sweep")
	call.Reason = "x"
	if _, err := f.svc.Sweep(f.ctx, f.as(f.key(ownerRank))); directory.CodeOf(err) != directory.CodeForbidden {
		t.Errorf("an owner's key: error %v", err)
	}
}

// Sweeps of several servers at once harm nobody.
func TestRulesSweepRace(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	for range 4 {
		must(f.grant(f.client(), u.UserName, password))(t)
	}
	f.clock.advance(400 * 24 * time.Hour)
	fresh := must(f.grant(f.client(), u.UserName, password))(t)
	ways := make([]func() error, 6)
	for i := range ways {
		ways[i] = func() error {
			_, err := f.svc.Sweep(f.ctx, directory.System(0, "sweep"))
			return err
		}
	}
	if won, refused := race(ways); won != len(ways) {
		t.Errorf("%d succeeded: %v", won, refused)
	}
	f.wantRows(2, "tokens")
	check(t, f.reads(f.through(directory.DoorIQmetrix, fresh.Access), u.Number))
}
