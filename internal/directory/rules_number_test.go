package directory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// numbered makes a thing with a preset number (0: drawn) and returns its own.
type numbered func(f *fixture, number int64) (int64, error)

// numberedThings are all that have numbers which a client may preset.
var numberedThings = map[string]numbered{
	"user": func(f *fixture, n int64) (int64, error) {
		in := newUser(f.unique("numbered"))
		in.Number = n
		u, err := f.svc.CreateUser(f.ctx, f.sys(), in)
		return u.Number, err
	},
	"company": func(f *fixture, n int64) (int64, error) {
		c, err := f.svc.CreateCompany(f.ctx, f.sys(), directory.Company{Number: n, Name: f.unique("company"), Parent: f.root})
		return c.Number, err
	},
	"location": func(f *fixture, n int64) (int64, error) {
		l, err := f.svc.CreateLocation(f.ctx, f.sys(), directory.Location{Number: n, Name: f.unique("location"), Company: f.root})
		return l.Number, err
	},
	"lock reason": func(f *fixture, n int64) (int64, error) {
		r, err := f.svc.CreateLockReason(f.ctx, f.sys(), directory.LockReason{Number: n, Name: f.unique("reason"), Description: "d", Company: f.root})
		return r.Number, err
	},
	"role": func(f *fixture, n int64) (int64, error) {
		r, err := f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Number: n, Name: f.unique("role")})
		return r.Number, err
	},
	"group": func(f *fixture, n int64) (int64, error) {
		g, err := f.svc.CreateGroup(f.ctx, f.sys(), directory.Group{Number: n, Kind: directory.GroupPlain, Name: f.unique("group")})
		return g.Number, err
	},
}

// A preset number is kept and raises the counter past it; a draw passes over
// numbers that were preset before it came to them.
func TestRulesNumbers(t *testing.T) {
	for kind, thing := range numberedThings {
		t.Run(kind, func(t *testing.T) {
			f := newFixture(t)
			first := must(thing(f, 0))(t)
			preset := must(thing(f, first+10))(t)
			if preset != first+10 {
				t.Errorf("preset %d, got %d", first+10, preset)
			}
			if got := must(thing(f, 0))(t); got != preset+1 {
				t.Errorf("drawn %d after %d was preset", got, preset)
			}
			if got := must(thing(f, first+5))(t); got != first+5 {
				t.Errorf("preset %d below the counter, got %d", first+5, got)
			}
			if got := must(thing(f, 0))(t); got != preset+2 {
				t.Errorf("drawn %d after a lower one was preset, want %d", got, preset+2)
			}
			dump := f.dump()
			for _, n := range []int64{-1, directory.MaxNumber + 1} {
				_, err := thing(f, n)
				if got := fieldReasons(err); !cmp.Equal(got, []string{"number field.value"}) {
					t.Errorf("number %d: error %v with fields %v", n, err, got)
				}
			}
			_, err := thing(f, preset)
			if kind == "group" { // there is no look-up of groups by number
				wantError(t, err, directory.CodeConflict, directory.ReasonWriteConflict)
			} else {
				wantError(t, err, directory.CodeConflict, directory.ReasonNumberTaken)
			}
			f.wantUnchanged(dump, "a refused number")
		})
	}
}

// A draw skips numbers that are taken, however they came to be taken.
func TestRulesNumberSkipsTaken(t *testing.T) {
	f := newFixture(t)
	drawn := f.someone().Number
	for n := drawn + 1; n <= drawn+5; n++ { // rows that no counter knows of
		u := f.stored(drawn)
		u.Number, u.ID, u.UserName = n, "3f0c3a52-2d3c-4f6e-8e55-0d2f7a3c1b9"+string("012345"[n-drawn]), f.unique("placed")
		check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return tx.InsertUser(f.ctx, u) }))
	}
	if got := f.someone().Number; got != drawn+6 {
		t.Errorf("drawn %d, want %d", got, drawn+6)
	}
}

// Numbers end at 2^31-1: then a draw says so and changes nothing.
func TestRulesNumbersUsedUp(t *testing.T) {
	f := newFixture(t)
	must(numberedThings["user"](f, directory.MaxNumber))(t)
	dump := f.dump()
	_, err := numberedThings["user"](f, 0)
	if directory.CodeOf(err) != directory.CodeExhausted {
		t.Errorf("error %v, want exhausted", err)
	}
	f.wantUnchanged(dump, "a draw past the end")
	must(numberedThings["user"](f, directory.MaxNumber-1))(t)
}

// Numbers are per tenant.
func TestRulesNumbersByTenant(t *testing.T) {
	f := newFixture(t)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	for kind, thing := range numberedThings {
		for _, view := range []*fixture{f, other} {
			if got := must(thing(view, 777_777))(t); got != 777_777 {
				t.Errorf("%s: preset 777777, got %d", kind, got)
			}
		}
	}
}

// Imported ids of any version are kept, in lower case; taken and malformed
// ones are refused by name, with a preset number or without.
func TestRulesIDs(t *testing.T) {
	f := newFixture(t)
	create := func(id string, number int64) (directory.User, error) {
		in := newUser(f.unique("imported"))
		in.ID, in.Number = id, number
		return f.svc.CreateUser(f.ctx, f.sys(), in)
	}
	for _, id := range []string{"00000000-0000-1000-8000-000000000001", "5DF41881-3AED-3515-88A7-2F4A814CF09E", "00000000-0000-0000-0000-000000000000",
		"2ED6657D-E927-568B-95E1-2665A8AEA6A2", "ffffffff-ffff-ffff-ffff-ffffffffffff"} {
		u := must(create(id, 0))(t)
		if u.ID != strings.ToLower(id) {
			t.Errorf("id %s is kept as %s", id, u.ID)
		}
		if got := must(f.svc.User(f.ctx, f.sys(), directory.ByID(u.ID)))(t); got.Number != u.Number {
			t.Errorf("id %s leads to %d", id, got.Number)
		}
		dump := f.dump()
		for _, number := range []int64{0, 555_555} {
			_, err := create(id, number)
			wantError(t, err, directory.CodeConflict, directory.ReasonIDTaken)
		}
		f.wantUnchanged(dump, "a taken id")
	}
	for _, id := range []string{"x", "5df418813aed351588a72f4a814cf09e", "{5df41881-3aed-3515-88a7-2f4a814cf09e}", "urn:uuid:5df41881-3aed-3515-88a7-2f4a814cf09e"} {
		_, err := create(id, 0)
		if got := fieldReasons(err); !cmp.Equal(got, []string{"id field.format"}) {
			t.Errorf("id %q: error %v with fields %v", id, err, got)
		}
	}
}

// Ids and numbers of deleted users stay taken, and a purged user's are neither
// drawn nor taken as presets again.
func TestRulesNumbersAreNotReused(t *testing.T) {
	f := newFixture(t)
	u := f.inState(deleted)
	in := newUser("heir")
	in.Number = u.Number
	_, err := f.svc.CreateUser(f.ctx, f.sys(), in)
	wantError(t, err, directory.CodeConflict, directory.ReasonNumberTaken)
	in.Number, in.ID = 0, u.ID
	_, err = f.svc.CreateUser(f.ctx, f.sys(), in)
	wantError(t, err, directory.CodeConflict, directory.ReasonIDTaken)
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	in.Number, in.ID = u.Number, ""
	_, err = f.svc.CreateUser(f.ctx, f.sys(), in)
	wantError(t, err, directory.CodeConflict, directory.ReasonNumberTaken)
	in.Number, in.ID = 0, u.ID
	_, err = f.svc.CreateUser(f.ctx, f.sys(), in)
	wantError(t, err, directory.CodeConflict, directory.ReasonNumberTaken)
	for range 3 {
		if next := f.someone(); next.Number <= u.Number || next.ID == u.ID {
			t.Errorf("user %d (%s) follows the purged %d", next.Number, next.ID, u.Number)
		}
	}
}

// Number races: every draw is another number.
func TestRulesNumberRace(t *testing.T) {
	f := newFixture(t)
	numbers := make([]int64, 16)
	ways := make([]func() error, len(numbers))
	for i := range ways {
		ways[i] = func() (err error) {
			numbers[i], err = numberedThings["user"](f, 0)
			return err
		}
	}
	if won, refused := race(ways); won != len(ways) {
		t.Fatalf("%d of %d: %v", won, len(ways), refused)
	}
	seen := map[int64]bool{}
	for _, n := range numbers {
		if n == 0 || seen[n] {
			t.Errorf("number %d was drawn twice", n)
		}
		seen[n] = true
	}
}
