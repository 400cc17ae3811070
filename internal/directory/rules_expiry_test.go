package directory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// expire does the jobs of dates that have come, and returns what each said.
func (f *fixture) expire(want int) (errs []error) {
	f.t.Helper()
	jobs := f.claimKind(directory.JobExpiry)
	if len(jobs) != want {
		f.t.Fatalf("%d jobs are due, want %d", len(jobs), want)
	}
	for _, j := range jobs {
		err := f.svc.Expire(f.ctx, directory.System(0, "jobs"), j)
		if err == nil {
			check(f.t, f.svc.FinishJob(f.ctx, f.sys(), j))
		} else {
			check(f.t, f.svc.RetryJob(f.ctx, f.sys(), j, f.clock.now(), err.Error()))
		}
		errs = append(errs, err)
	}
	return errs
}

// redated changes the dates of a user.
func (f *fixture) redated(number int64, p directory.UserPatch) {
	f.t.Helper()
	must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(number), p, directory.UpdateOptions{}))(f.t)
}

// withValidFrom sets from when a new user is valid.
func withValidFrom(at time.Time) func(*directory.NewUser) {
	return func(in *directory.NewUser) { in.Fields.ValidFrom = directory.Some(at) }
}

// When expires_at comes the user becomes inactive by itself: its seat is free and
// its sessions end.
func TestRulesExpiry(t *testing.T) {
	f := newFixture(t)
	f.setPool(1)
	u := f.someone(withPassword, withLicence, withExpiry(start.Add(time.Hour)))
	pair := must(f.grant(f.client(), u.UserName, password))(t)
	if j := f.onlyJob(u.Number); !j.RunAt.Equal(start.Add(time.Hour)) || j.Kind != directory.JobExpiry || j.State != directory.JobWaiting {
		t.Errorf("the job is %+v", j)
	}
	f.clock.advance(time.Hour - time.Microsecond)
	f.expire(0)
	if !f.alive(pair.Access, u.Number) {
		t.Error("the session ended early")
	}
	f.clock.advance(time.Microsecond)
	mark := f.mark()
	check(t, errors.Join(f.expire(1)...))
	after := f.stored(u.Number)
	if after.State != inactive || after.Version != u.Version+1 || after.AuthEpoch == u.AuthEpoch || f.pool(licence).Used != 0 {
		t.Errorf("the user is %+v", after)
	}
	f.wantEvents(mark, directory.EventUserDeactivated)
	if e := f.events(mark)[0]; e.Actor != "system:expiry" || e.Door.String() != "server" || e.Reason != "expires_at has come" || e.User != u.Number {
		t.Errorf("the event is %+v", e)
	}
	if f.alive(pair.Access, u.Number) {
		t.Error("the session goes on")
	}
	if j := f.onlyJob(u.Number); j.State != directory.JobDone {
		t.Errorf("the job is %s", j.State)
	}
}

// When valid_from comes a staged user becomes active, if a seat is free.
func TestRulesValidFrom(t *testing.T) {
	f := newFixture(t)
	f.setPool(0)
	u := f.someone(withLicence, withState(staged), withValidFrom(start.Add(time.Hour)), withExpiry(start.Add(3*time.Hour)))
	if jobs := f.jobsOf(u.Number); len(jobs) != 2 {
		t.Fatalf("jobs %+v", jobs)
	}
	f.clock.advance(time.Hour)
	wantError(t, f.expire(1)[0], directory.CodeExhausted, directory.ReasonSeatNotEntitled)
	f.setPool(1)
	mark := f.mark()
	check(t, f.expire(1)[0])
	if got := f.stored(u.Number); got.State != active || got.Seat == 0 {
		t.Errorf("the user is %+v", got)
	}
	f.wantEvents(mark, directory.EventUserActivated)
	if e := f.events(mark)[0]; e.Reason != "valid_from has come" {
		t.Errorf("the reason is %q", e.Reason)
	}
	f.clock.advance(2 * time.Hour)
	check(t, f.expire(1)[0])
	if got := f.stored(u.Number); got.State != inactive {
		t.Errorf("the user is %s", got.State)
	}
}

// A staged user both of whose dates have come never becomes active.
func TestRulesExpiryWins(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withState(staged), withValidFrom(start.Add(time.Hour)), withExpiry(start.Add(2*time.Hour)))
	f.clock.advance(3 * time.Hour)
	mark := f.mark()
	check(t, errors.Join(f.expire(2)...))
	f.wantEvents(mark, directory.EventUserDeactivated)
	if got := f.stored(u.Number); got.State != inactive {
		t.Errorf("the user is %s", got.State)
	}
}

// Which changes make a job: those after which a date is to be waited for that was
// not before.
func TestRulesExpiryJobs(t *testing.T) {
	f := newFixture(t)
	at := func(hours int) directory.Opt[time.Time] {
		return directory.Some(start.Add(time.Duration(hours) * time.Hour))
	}
	never := directory.Some(time.Time{})
	u := f.someone()
	steps := []struct {
		what string
		do   func()
		want []int // hours of the jobs so far, the newest first
	}{
		{"no dates", func() {}, nil},
		{"another field", func() { f.redated(u.Number, directory.UserPatch{GivenName: directory.Some("Ada")}) }, nil},
		{"valid_from of one who is active", func() { f.redated(u.Number, directory.UserPatch{ValidFrom: at(1)}) }, nil},
		{"a date", func() { f.redated(u.Number, directory.UserPatch{ExpiresAt: at(2)}) }, []int{2}},
		{"another field beside a date", func() { f.redated(u.Number, directory.UserPatch{GivenName: directory.Some("Eva")}) }, []int{2}},
		{"a later date", func() { f.redated(u.Number, directory.UserPatch{ExpiresAt: at(4)}) }, []int{4, 2}},
		{"inactive", func() { must(f.svc.Deactivate(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t) }, []int{4, 2}},
		{"a date of one who is inactive", func() { f.redated(u.Number, directory.UserPatch{ExpiresAt: at(6)}) }, []int{4, 2}},
		{"active again", func() { must(f.svc.Activate(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t) }, []int{6, 4, 2}},
		{"no date any more", func() { f.redated(u.Number, directory.UserPatch{ExpiresAt: never}) }, []int{6, 4, 2}},
	}
	for _, step := range steps {
		f.clock.advance(time.Second)
		step.do()
		var got []int
		for _, j := range f.jobsOf(u.Number) {
			got = append(got, int(j.RunAt.Sub(start)/time.Hour))
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
	}
	f.clock.advance(9 * time.Hour)
	mark := f.mark()
	check(t, errors.Join(f.expire(3)...)) // all were overtaken
	f.wantEvents(mark)
}

// A date that has passed already is due at once, and whoever does jobs is told.
func TestRulesExpiryAtOnce(t *testing.T) {
	f := newFixture(t)
	heard := 0
	f.svc = directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(t), JobAdded: func() { heard++ }})
	f.someone(withExpiry(start.Add(time.Hour)))
	if heard != 0 {
		t.Errorf("told %d times of a date to come", heard)
	}
	past := f.someone(withExpiry(start.Add(-time.Hour)))
	if j := f.onlyJob(past.Number); heard != 1 || !j.RunAt.Equal(start) {
		t.Errorf("told %d times, and due at %s", heard, j.RunAt)
	}
	check(t, f.expire(1)[0])
	if got := f.stored(past.Number); got.State != inactive {
		t.Errorf("the user is %s", got.State)
	}
}

// A hold keeps the user active until it is released; the job says why.
func TestRulesExpiryHeld(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withExpiry(start.Add(time.Hour)))
	hold := directory.Hold{Kind: directory.HoldOpenOrders, Source: "orders", Ref: "7"}
	check(t, f.svc.PlaceHold(f.ctx, f.sys(), directory.ByNumber(u.Number), hold))
	f.clock.advance(time.Hour)
	wantError(t, f.expire(1)[0], directory.CodeConflict, directory.ReasonUserHeld)
	if j := f.onlyJob(u.Number); j.LastError == "" || j.Attempts != 1 {
		t.Errorf("the job is %+v", j)
	}
	check(t, f.svc.ReleaseHold(f.ctx, f.sys(), directory.ByNumber(u.Number), hold))
	check(t, f.expire(1)[0])
	if got := f.stored(u.Number); got.State != inactive {
		t.Errorf("the user is %s", got.State)
	}
}

// The account owner stays, and the job is given up at once.
func TestRulesExpiryOfTheOwner(t *testing.T) {
	f := newFixture(t)
	owner := f.ranked(ownerRank)
	f.redated(owner.Number, directory.UserPatch{ExpiresAt: directory.Some(start.Add(time.Hour))})
	f.clock.advance(time.Hour)
	err := f.expire(1)[0]
	wantError(t, err, directory.CodeForbidden, directory.ReasonOwnerProtected)
	p, ok := errors.AsType[interface {
		error
		Permanent() bool
	}](err)
	if !ok || !p.Permanent() {
		t.Errorf("it would be tried again: %v", err)
	}
	if got := f.stored(owner.Number); got.State != active {
		t.Errorf("the owner is %s", got.State)
	}
}

// A job about a user who is gone is done.
func TestRulesExpiryOfNobody(t *testing.T) {
	f := newFixture(t)
	j := f.expiring(time.Hour)
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(j.User)))(t)
	f.clock.advance(time.Hour)
	mark := f.mark()
	check(t, f.expire(1)[0])
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(j.User)))
	check(t, f.svc.Expire(f.ctx, f.sys(), j))
	f.wantEvents(mark, directory.EventUserPurged)
}
