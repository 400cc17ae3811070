package directory_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// listing is a cheap call, and the quota that it was told.
func (f *fixture) listing(call *directory.Call) (directory.Quota, error) {
	_, err := f.svc.Users(f.ctx, call, directory.UserQuery{Limit: 1})
	return call.Quota, err
}

// A tenant's quota at a door counts down, refuses with the time to wait, and
// starts again with the next minute; other doors have their own.
func TestRulesRequestLimit(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) {
		t.Settings.RequestsPerMinute = map[string]int{"canonical": 3}
	})
	one, two, weak := f.key(readerRank), f.key(readerRank), f.key(selfRank)
	f.clock.advance(20 * time.Second)
	reset := start.Add(time.Minute)
	for i, key := range []string{one, two, weak} { // a call that the policy refuses counts too
		got, err := f.listing(f.as(key))
		if want := (directory.Quota{Limit: 3, Remaining: 2 - i, Reset: reset}); !cmp.Equal(got, want) {
			t.Errorf("call %d: quota %+v, want %+v", i, got, want)
		}
		if refused := err != nil; refused != (key == weak) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	dump := f.dump()
	for range 3 {
		got, err := f.listing(f.as(one))
		wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyRequests)
		if retry := directory.AsError(err).Retry; retry != 40*time.Second || !cmp.Equal(got, directory.Quota{Limit: 3, Reset: reset}) {
			t.Errorf("over the limit: try again in %v, quota %+v", retry, got)
		}
		_, err = f.svc.CreateUser(f.ctx, f.as(one), newUser("late"))
		wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyRequests)
	}
	f.wantUnchanged(dump, "a call over the limit")
	if got, err := f.listing(f.through(directory.DoorEncore, one)); err != nil || got.Limit != directory.DefaultRequestsPerMinute || got.Remaining != got.Limit-1 {
		t.Errorf("another door: quota %+v, error %v", got, err)
	}
	f.clock.advance(40*time.Second - time.Microsecond)
	_, err := f.listing(f.as(one))
	wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyRequests)
	f.clock.advance(time.Microsecond)
	if got, err := f.listing(f.as(one)); err != nil || !cmp.Equal(got, directory.Quota{Limit: 3, Remaining: 2, Reset: reset.Add(time.Minute)}) {
		t.Errorf("the next minute: quota %+v, error %v", got, err)
	}
}

// The grants count against the tenant's limit like any call.
func TestRulesRequestLimitOfGrants(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.RequestsPerMinute = map[string]int{"iqmetrix": 2} })
	u, client := f.someone(withPassword), f.client()
	pair := must(f.grant(client, u.UserName, password))(t)
	must(f.refresh(client, pair.Refresh))(t)
	_, err := f.grant(client, u.UserName, password)
	wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyRequests)
	_, err = f.refresh(client, pair.Refresh)
	wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyRequests)
}

// Two tenants do not share a limit, and the system has none.
func TestRulesRequestLimitByTenant(t *testing.T) {
	f := newFixture(t)
	strict := directory.Settings{RequestsPerMinute: map[string]int{"canonical": 1}}
	other := f.in(f.newTenant("umbrella", strict))
	f.settings(func(t *directory.Tenant) { t.Settings = strict })
	mine, theirs := f.key(readerRank), other.key(readerRank)
	for _, key := range []string{mine, theirs} {
		if _, err := f.listing(f.as(key)); err != nil {
			t.Errorf("the first call: %v", err)
		}
		_, err := f.listing(f.as(key))
		wantError(t, err, directory.CodeRateLimited, directory.ReasonTooManyRequests)
	}
	for range 3 {
		if _, err := f.listing(f.sys()); err != nil {
			t.Errorf("the operator: %v", err)
		}
	}
}

// A caller without a valid credential is counted by its address, so that the
// numbers it is told are true.
func TestRulesRequestLimitOfStrangers(t *testing.T) {
	f := newFixture(t)
	closed := f.key(readerRank, func(in *directory.NewCredential) { in.Doors = directory.DoorSet(directory.DoorSCIM) })
	calls := []*directory.Call{f.as(""), f.as("nobody-nobody-nobody"), f.as(closed)}
	for i, call := range calls {
		got, err := f.listing(call)
		want := directory.Quota{Limit: directory.DefaultRequestsPerMinute, Remaining: directory.DefaultRequestsPerMinute - i - 1, Reset: start.Add(time.Minute)}
		if directory.CodeOf(err) != directory.CodeUnauthenticated || !cmp.Equal(got, want) {
			t.Errorf("stranger %d: quota %+v, want %+v, error %v", i, got, want, err)
		}
	}
	elsewhere := f.as("")
	elsewhere.Addr = "198.51.100.9"
	if got, _ := f.listing(elsewhere); got.Remaining != directory.DefaultRequestsPerMinute-1 {
		t.Errorf("another address: quota %+v", got)
	}
	call := f.through(directory.DoorIQmetrix, "")
	call.Addr = "198.51.100.10"
	_, err := f.svc.PasswordGrant(f.ctx, call, directory.Grant{ClientID: "nobody"})
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonClientInvalid)
	if call.Quota.Remaining != directory.DefaultRequestsPerMinute-1 {
		t.Errorf("an unknown client: quota %+v", call.Quota)
	}
}
