package directory_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// A reason serves the users of its company and of every company below it.
func TestRulesLockReasonScope(t *testing.T) {
	f := newFixture(t)
	a, b := f.company("A", f.root), f.company("B", f.root)
	below := f.company("Below A", a)
	reasons := map[string]directory.LockReason{"root": f.lockReason(f.root), "a": f.lockReason(a), "b": f.lockReason(b), "below": f.lockReason(below)}
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	foreign := other.lockReason(other.root).Number
	for company, serves := range map[int64][]string{f.root: {"root"}, a: {"root", "a"}, below: {"root", "a", "below"}, b: {"root", "b"}} {
		ref := directory.ByNumber(f.someone(withCompany(company)).Number)
		allowed := map[string]bool{}
		for _, name := range serves {
			allowed[name] = true
		}
		for name, reason := range reasons {
			dump := f.dump()
			u, err := f.svc.Lock(f.ctx, f.sys(), ref, reason.Number)
			if !allowed[name] {
				wantError(t, err, directory.CodeNotFound, directory.ReasonLockReasonNotFound)
				f.wantUnchanged(dump, "a reason that does not serve")
				continue
			}
			if err != nil || !u.Locked || u.LockReason != reason.Number {
				t.Errorf("company %d, reason %s: locked %t for %d, error %v", company, name, u.Locked, u.LockReason, err)
			}
		}
		for _, number := range []int64{-1, 987_654, directory.MaxNumber + 1, foreign} {
			_, err := f.svc.Lock(f.ctx, f.sys(), ref, number)
			wantError(t, err, directory.CodeNotFound, directory.ReasonLockReasonNotFound)
		}
	}
}

// A second lock replaces the reason and is an event, but the sessions ended
// with the first; the same reason again changes nothing.
func TestRulesLockReasonReplaced(t *testing.T) {
	f := newFixture(t)
	u, one, two := f.someone(), f.lockReason(f.root), f.lockReason(f.root)
	ref, mark := directory.ByNumber(u.Number), f.mark()
	first := must(f.svc.Lock(f.ctx, f.sys(), ref, one.Number))(t)
	second := must(f.svc.Lock(f.ctx, f.sys(), ref, two.Number))(t)
	if first.AuthEpoch != u.AuthEpoch+1 || second.AuthEpoch != first.AuthEpoch || second.Version != first.Version+1 {
		t.Errorf("epochs %d %d %d, versions %d %d", u.AuthEpoch, first.AuthEpoch, second.AuthEpoch, first.Version, second.Version)
	}
	dump := f.dump()
	must(f.svc.Lock(f.ctx, f.sys(), ref, two.Number))(t)
	f.wantUnchanged(dump, "the same lock again")
	must(f.svc.Lock(f.ctx, f.sys(), ref, 0))(t)
	f.wantEvents(mark, directory.EventUserLocked, directory.EventUserLocked, directory.EventUserLocked)
	status := must(f.svc.LockStatus(f.ctx, f.sys(), ref))(t)
	if diff := cmp.Diff(directory.LockStatus{Locked: true}, status); diff != "" {
		t.Errorf("lock without a reason (-want +got):\n%s", diff)
	}
}

// A deleted reason leaves the lock, which says nothing from then on.
func TestRulesLockReasonDeleted(t *testing.T) {
	f := newFixture(t)
	u, reason := f.someone(withPassword), f.lockReason(f.root)
	ref, client := directory.ByNumber(u.Number), f.client()
	must(f.svc.Lock(f.ctx, f.sys(), ref, reason.Number))(t)
	if got := must(f.svc.LockStatus(f.ctx, f.sys(), ref))(t); got.Reason != reason {
		t.Errorf("the lock's reason is %+v, want %+v", got.Reason, reason)
	}
	_, err := f.grant(client, u.UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginLocked)
	if got := directory.AsError(err).Message; got != reason.Description {
		t.Errorf("the locked-out user is told %q, want %q", got, reason.Description)
	}
	_, err = f.grant(client, u.UserName, otherPass)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed) // the text is for who knows the password

	check(t, f.svc.DeleteLockReason(f.ctx, f.sys(), f.root, reason.Number))
	if diff := cmp.Diff(directory.LockStatus{Locked: true}, must(f.svc.LockStatus(f.ctx, f.sys(), ref))(t)); diff != "" {
		t.Errorf("after the reason was deleted (-want +got):\n%s", diff)
	}
	_, err = f.grant(client, u.UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginLocked)
	must(f.svc.Unlock(f.ctx, f.sys(), ref))(t)
	must(f.grant(client, u.UserName, password))(t)
	if got := f.stored(u.Number); got.Locked || got.LockReason != 0 {
		t.Errorf("unlocked: locked %t for reason %d", got.Locked, got.LockReason)
	}
}

// Lock reasons belong to one company: names are unique there, and another
// company's path does not reach them.
func TestRulesLockReasonOwner(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	reason := f.lockReason(a)
	same := directory.LockReason{Company: a, Name: " " + reason.Name + " ", Description: "d"}
	_, err := f.svc.CreateLockReason(f.ctx, f.sys(), same)
	wantError(t, err, directory.CodeConflict, directory.ReasonLockReasonTaken)
	same.Company = f.root
	must(f.svc.CreateLockReason(f.ctx, f.sys(), same))(t)

	_, err = f.svc.LockReason(f.ctx, f.sys(), f.root, reason.Number)
	wantError(t, err, directory.CodeNotFound, directory.ReasonLockReasonNotFound)
	wantError(t, f.svc.DeleteLockReason(f.ctx, f.sys(), f.root, reason.Number), directory.CodeNotFound, directory.ReasonLockReasonNotFound)
	moved := reason
	moved.Company = f.root
	_, err = f.svc.UpdateLockReason(f.ctx, f.sys(), moved)
	wantError(t, err, directory.CodeNotFound, directory.ReasonLockReasonNotFound)

	list := must(f.svc.LockReasons(f.ctx, f.sys(), a))(t)
	if diff := cmp.Diff([]directory.LockReason{reason}, list); diff != "" {
		t.Errorf("the company's own reasons (-want +got):\n%s", diff)
	}
	dump := f.dump()
	must(f.svc.UpdateLockReason(f.ctx, f.sys(), reason))(t)
	f.wantUnchanged(dump, "the same text again")
	reason.Description = "changed"
	mark := f.mark()
	must(f.svc.UpdateLockReason(f.ctx, f.sys(), reason))(t)
	f.wantEvents(mark, directory.EventLockReasonUpdated)
	_, err = f.svc.UpdateLockReason(f.ctx, f.sys(), directory.LockReason{Company: a, Number: reason.Number})
	if got := fieldReasons(err); !cmp.Equal(got, []string{"name field.required", "description field.required"}) {
		t.Errorf("an empty reason: %v", got)
	}
}

// So many wrong passwords in a row lock the user, by the system and not by
// whoever guessed; a right one in between starts again.
func TestRulesMaxFailedLogins(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.MaxFailedLogins = 3 })
	u, client := f.someone(withPassword), f.client()
	wrong := func() error { _, err := f.grant(client, u.Email, otherPass); return err }
	pair := must(f.grant(client, u.UserName, password))(t)
	for range 2 {
		wantError(t, wrong(), directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	}
	must(f.grant(client, u.UserName, password))(t)
	for range 2 {
		wantError(t, wrong(), directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	}
	if got := f.stored(u.Number); got.Locked || !f.alive(pair.Access, u.Number) || got.Version != u.Version {
		t.Fatalf("locked %t before the third wrong password in a row", got.Locked)
	}
	mark := f.mark()
	wantError(t, wrong(), directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	f.wantEvents(mark, directory.EventUserLocked)
	if e := f.events(mark)[0]; e.Actor != "system:failed-logins" || e.Door != directory.DoorIQmetrix || e.RequestID != requestID ||
		e.Reason != "3 wrong passwords in a row" {
		t.Errorf("the lock was written as %+v", e)
	}
	if f.alive(pair.Access, u.Number) || !f.stored(u.Number).Locked {
		t.Error("the sessions of a locked user live on")
	}
	_, err := f.grant(client, u.UserName, password)
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginLocked)
	wantError(t, wrong(), directory.CodeUnauthenticated, directory.ReasonLoginFailed) // counts nothing while locked
	must(f.svc.Unlock(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	for range 2 {
		wantError(t, wrong(), directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	}
	f.clock.advance(time.Minute) // past the limit of attempts
	must(f.grant(client, u.UserName, password))(t)
}

// Without the setting no number of wrong passwords locks anybody.
func TestRulesNoFailedLoginsByDefault(t *testing.T) {
	f := newFixture(t)
	u, client := f.someone(withPassword), f.client()
	dump := f.dump()
	for range 9 {
		_, err := f.grant(client, u.UserName, otherPass)
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonLoginFailed)
	}
	f.wantUnchanged(dump, "a wrong password")
}
