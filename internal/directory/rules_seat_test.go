package directory_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// wantSeats fails unless the pool counts exactly the users who hold a seat,
// which are the active ones of the licence type (invariant 5).
func (f *fixture) wantSeats(want int64) {
	f.t.Helper()
	var holders int64
	after := int64(0)
	for {
		page := must(f.svc.Users(f.ctx, f.sys(), directory.UserQuery{After: after, Limit: 1000, States: directory.StatesOf(staged, active, inactive, deleted)}))(f.t)
		for _, u := range page.Users {
			after = u.Number
			due := u.State == active && u.LicenceType == licence
			if (u.Seat != 0) != (u.State == active && u.LicenceType != "") {
				f.t.Errorf("user %d is %s with licence %q and seat %d", u.Number, u.State, u.LicenceType, u.Seat)
			}
			if due {
				holders++
			}
		}
		if !page.More {
			break
		}
	}
	if used := f.pool(licence).Used; used != want || holders != want {
		f.t.Errorf("%d users hold a seat and the pool counts %d, want %d", holders, used, want)
	}
}

// relicense changes a user's licence type.
func (f *fixture) relicense(u directory.User, to string) error {
	_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{LicenceType: directory.Some(to)}, directory.UpdateOptions{})
	return err
}

// A seat follows the user through its whole life.
func TestRulesSeatLifecycle(t *testing.T) {
	f := newFixture(t)
	f.setPool(3)
	u := f.someone(withLicence)
	ref := directory.ByNumber(u.Number)
	f.wantSeats(1)
	for _, step := range []struct {
		name string
		run  func() error
		want int64
	}{
		{"deactivate", func() error { return acts["deactivate"](f, f.sys(), ref) }, 0},
		{"licence of an inactive user", func() error { return errors.Join(f.relicense(u, ""), f.relicense(u, licence)) }, 0},
		{"activate", func() error { return acts["activate"](f, f.sys(), ref) }, 1},
		{"lock", func() error { return acts["lock"](f, f.sys(), ref) }, 1},
		{"to another type", func() error { return f.relicense(u, "Other") }, 0},
		{"back", func() error { return f.relicense(u, licence) }, 1},
		{"to none", func() error { return f.relicense(u, "") }, 0},
		{"from none", func() error { return f.relicense(u, licence) }, 1},
		{"delete", func() error { return acts["delete"](f, f.sys(), ref) }, 0},
		{"restore", func() error { return acts["restore"](f, f.sys(), ref) }, 0},
		{"activate again", func() error { return acts["activate"](f, f.sys(), ref) }, 1},
		{"delete again", func() error { return acts["delete"](f, f.sys(), ref) }, 0},
		{"purge", func() error { return acts["purge"](f, f.sys(), ref) }, 0},
	} {
		if err := step.run(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		f.wantSeats(step.want)
	}
	if got := f.pool("Other"); got.Used != 0 || got.Total != directory.Unlimited {
		t.Errorf("the other pool is %+v", got)
	}
}

// A full pool, a type that the tenant is not entitled to and a type without a
// pool are three different things; a refusal leaves no seat behind.
func TestRulesSeatRefusals(t *testing.T) {
	f := newFixture(t)
	f.setPool(1)
	holder, waiting := f.someone(withLicence), f.someone(withLicence, withState(staged))
	plain := f.someone()
	tries := map[string]func() error{
		"create": func() error {
			in := newUser(f.unique("refused"))
			withLicence(&in)
			_, err := f.svc.CreateUser(f.ctx, f.sys(), in)
			return err
		},
		"activate":       func() error { return acts["activate"](f, f.sys(), directory.ByNumber(waiting.Number)) },
		"change of type": func() error { return f.relicense(plain, licence) },
	}
	refused := func(reason directory.Reason, used int64) {
		t.Helper()
		for what, try := range tries {
			dump, err := f.dump(), try()
			if directory.CodeOf(err) != directory.CodeExhausted || directory.AsError(err).Reason != reason {
				t.Errorf("%s: error %v, want %s", what, err, reason)
			}
			f.wantUnchanged(dump, what)
		}
		f.wantSeats(used)
	}
	refused(directory.ReasonSeatExhausted, 1)
	f.setPool(0) // below what is used: the holder keeps its seat
	refused(directory.ReasonSeatNotEntitled, 1)
	must(f.svc.Deactivate(f.ctx, f.sys(), directory.ByNumber(holder.Number)))(t)
	refused(directory.ReasonSeatNotEntitled, 0)
	f.setPool(3)
	for what, try := range tries {
		if err := try(); err != nil {
			t.Errorf("%s with free seats: %v", what, err)
		}
	}
	f.wantSeats(3)
}

// A type without a pool is unlimited and counted from its first seat, so that
// a limit that is set later finds what is used.
func TestRulesSeatUnlimited(t *testing.T) {
	f := newFixture(t)
	f.someone(withLicence, withState(staged))
	if got := f.pool(licence); got.Total != -1 {
		t.Fatalf("a staged user made the pool %+v", got)
	}
	f.someone(withLicence)
	f.someone(withLicence)
	if got := f.pool(licence); got.Total != directory.Unlimited {
		t.Errorf("the pool is %+v, want an unlimited one", got)
	}
	f.wantSeats(2)
	f.setPool(2)
	in := newUser("third")
	withLicence(&in)
	_, err := f.svc.CreateUser(f.ctx, f.sys(), in)
	wantError(t, err, directory.CodeExhausted, directory.ReasonSeatExhausted)
}

// A total below what is used takes no seat away, and gives none until enough
// are free again.
func TestRulesSeatShrinkBelowUsed(t *testing.T) {
	f := newFixture(t)
	f.setPool(3)
	a, b := f.someone(withLicence), f.someone(withLicence)
	f.someone(withLicence)
	f.setPool(1)
	f.wantSeats(3)
	for _, u := range []directory.User{a, b} {
		must(f.svc.Deactivate(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
		wantError(t, acts["activate"](f, f.sys(), directory.ByNumber(u.Number)), directory.CodeExhausted, directory.ReasonSeatExhausted)
	}
	f.wantSeats(1)
	f.setPool(2)
	check(t, acts["activate"](f, f.sys(), directory.ByNumber(a.Number)))
	f.wantSeats(2)
}

// A failure after the seat was taken gives it back with everything else.
func TestRulesSeatNoLeak(t *testing.T) {
	f := newFixture(t)
	f.setPool(2)
	holder := f.someone(withLicence)
	in := newUser(holder.UserName)
	withLicence(&in)
	for range 5 {
		_, err := f.svc.CreateUser(f.ctx, f.sys(), in)
		wantError(t, err, directory.CodeConflict, directory.ReasonUserNameTaken)
	}
	back := f.someone(withLicence)
	ref := directory.ByNumber(back.Number)
	for range 3 {
		must(f.svc.Deactivate(f.ctx, f.sys(), ref))(t)
		must(f.svc.Deactivate(f.ctx, f.sys(), ref))(t)
		must(f.svc.Activate(f.ctx, f.sys(), ref))(t)
		must(f.svc.Activate(f.ctx, f.sys(), ref))(t)
	}
	f.wantSeats(2)
}

// Many at once for the last seats: exactly as many win as there are, by every
// way that takes one.
func TestRulesSeatRace(t *testing.T) {
	f := newFixture(t)
	const seats, tries = 5, 24
	f.setPool(seats)
	ways := make([]func() error, 0, tries)
	for i := range tries {
		switch i % 3 {
		case 0:
			in := newUser(f.unique("racer"))
			withLicence(&in)
			ways = append(ways, func() error { _, err := f.svc.CreateUser(f.ctx, f.sys(), in); return err })
		case 1:
			ref := directory.ByNumber(f.someone(withLicence, withState(staged)).Number)
			ways = append(ways, func() error { return acts["activate"](f, f.sys(), ref) })
		default:
			u := f.someone()
			ways = append(ways, func() error { return f.relicense(u, licence) })
		}
	}
	won, refused := race(ways)
	for _, err := range refused {
		wantError(t, err, directory.CodeExhausted, directory.ReasonSeatExhausted)
	}
	if won != seats {
		t.Errorf("%d won, want %d", won, seats)
	}
	f.wantSeats(seats)
}

// race runs all at once and returns how many succeeded, and the errors.
func race(ways []func() error) (won int, refused []error) {
	var wait sync.WaitGroup
	begin, results := make(chan struct{}), make(chan error, len(ways))
	for _, way := range ways {
		wait.Go(func() {
			<-begin
			results <- way()
		})
	}
	close(begin)
	wait.Wait()
	close(results)
	for err := range results {
		if err == nil {
			won++
		} else {
			refused = append(refused, fmt.Errorf("racer: %w", err))
		}
	}
	return won, refused
}

// Two changes of one user at once both happen: neither is lost.
func TestRulesNoLostUpdate(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	var ways []func() error
	for i := range 12 {
		patch := directory.UserPatch{Title: directory.Some(fmt.Sprint("title ", i))}
		if i%2 == 0 {
			patch = directory.UserPatch{GivenName: directory.Some(fmt.Sprint("name ", i))}
		}
		ways = append(ways, func() error {
			_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), patch, directory.UpdateOptions{})
			return err
		})
	}
	if won, refused := race(ways); won != len(ways) {
		t.Fatalf("%d of %d updates succeeded: %v", won, len(ways), refused)
	}
	got := f.stored(u.Number)
	if got.Title == "" || got.GivenName == "" || got.Version != u.Version+12 {
		t.Errorf("title %q, given name %q, version %d", got.Title, got.GivenName, got.Version)
	}
	conditional := make([]func() error, 8)
	for i := range conditional {
		conditional[i] = func() error {
			_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{Title: directory.Some(fmt.Sprint("only ", i))},
				directory.UpdateOptions{IfVersion: directory.Some(got.Version)})
			return err
		}
	}
	won, refused := race(conditional)
	for _, err := range refused {
		wantError(t, err, directory.CodeStale, directory.ReasonVersionMismatch)
	}
	if won != 1 {
		t.Errorf("%d of the updates of one version succeeded, want 1", won)
	}
}
