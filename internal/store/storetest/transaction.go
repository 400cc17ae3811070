package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var transactionChecks = []check{
	{"Read runs fn outside of any transaction", readRuns},
	{"Read answers the error of fn", readError},
	{"Read finishes after a panic in fn", readPanic},
	{"View runs fn over one snapshot", viewSnapshot},
	{"View answers the error of fn", viewError},
	{"View finishes after a panic in fn", viewPanic},
	{"Update answers only when its outcome is durable", updateDurable},
	{"Update sees its own changes", updateOwnChanges},
	{"An error of fn rolls back", updateError},
	{"An error of fn is answered as it is", updateErrorIdentity},
	{"A refused statement leaves nothing behind", updateRefused},
	{"A panic in fn rolls back and is raised in the caller", updatePanic},
	{"Many failures leave the store usable", updateManyFailures},
	{"An fn that changes nothing succeeds", updateNothing},
	{"Ping reports whether the store can answer now", ping},
}

var errRefused = errors.New("refused by the test")

func readRuns(t *testing.T, s *sample) {
	u := s.addUser(1)
	runs := 0
	err := s.store.Read(s.ctx, func(r directory.Reader) error {
		runs++
		got, err := r.UserByNumber(s.ctx, s.tenant, 1)
		wantSame(t, "user", got, u)
		return err
	})
	if err != nil || runs != 1 {
		t.Errorf("Read: error %v after %d runs, want none after 1", err, runs)
	}
}

func readError(t *testing.T, s *sample) {
	err := s.store.Read(s.ctx, func(directory.Reader) error { return errRefused })
	if !errors.Is(err, errRefused) {
		t.Errorf("got %v, want the error of fn", err)
	}
}

func readPanic(t *testing.T, s *sample) {
	for range 50 {
		got := panicOf(func() {
			_ = s.store.Read(s.ctx, func(directory.Reader) error { panic(errRefused) })
		})
		if got != errRefused {
			t.Fatalf("recovered %v, want the value that fn raised", got)
		}
	}
	s.addUser(1)
	s.stored(1)
}

func viewSnapshot(t *testing.T, s *sample) {
	s.addUser(1)
	s.view(func(r directory.Reader) error {
		before, err := r.UserByNumber(s.ctx, s.tenant, 1)
		if err != nil {
			return err
		}
		written := make(chan error)
		go func() {
			written <- s.try(func(tx directory.Tx) error {
				if err := s.changeIn(tx, 1, func(u *directory.User) { u.Title = "Changed" }); err != nil {
					return err
				}
				return tx.InsertUser(s.ctx, s.user(2))
			})
		}()
		if err := <-written; err != nil {
			return err
		}
		return s.wantSnapshot(r, before)
	})
	if got := s.stored(1).Title; got != "Changed" {
		t.Errorf("title after the view is %q, want the change made meanwhile", got)
	}
}

// wantSnapshot fails if a change that was committed meanwhile shows.
func (s *sample) wantSnapshot(r directory.Reader, before directory.User) error {
	after, err := r.UserByNumber(s.ctx, s.tenant, before.Number)
	if err != nil {
		return err
	}
	wantSame(s.t, "user in the same snapshot", after, before)
	total, err := r.UserTotal(s.ctx, s.tenant, 0, directory.LivingStates)
	if err != nil {
		return err
	}
	list, err := r.Users(s.ctx, s.tenant, directory.UserQuery{Limit: 10})
	if err != nil {
		return err
	}
	if total != 1 || len(list) != 1 {
		s.t.Errorf("the snapshot shows a total of %d and %d rows, want 1 and 1", total, len(list))
	}
	return nil
}

func viewError(t *testing.T, s *sample) {
	err := s.store.View(s.ctx, func(directory.Reader) error { return errRefused })
	if !errors.Is(err, errRefused) {
		t.Errorf("got %v, want the error of fn", err)
	}
}

func viewPanic(t *testing.T, s *sample) {
	for range 50 {
		got := panicOf(func() {
			_ = s.store.View(s.ctx, func(r directory.Reader) error {
				_, _ = r.Tenant(s.ctx, s.tenant)
				panic(errRefused)
			})
		})
		if got != errRefused {
			t.Fatalf("recovered %v, want the value that fn raised", got)
		}
	}
	s.addUser(1)
	s.view(func(r directory.Reader) error {
		_, err := r.UserByNumber(s.ctx, s.tenant, 1)
		return err
	})
}

// updateDurable can only see that the next reader finds the change, through
// every way of reading; the tests of the engines open the database again.
func updateDurable(t *testing.T, s *sample) {
	for number := int64(1); number <= 20; number++ {
		s.addUser(number)
		if !s.exists(number) {
			t.Fatalf("user %d is not there right after Update", number)
		}
		s.view(func(r directory.Reader) error {
			_, err := r.UserByNumber(s.ctx, s.tenant, number)
			return err
		})
	}
}

func updateOwnChanges(t *testing.T, s *sample) {
	u := s.user(1)
	s.update(func(tx directory.Tx) error {
		if err := tx.InsertUser(s.ctx, u); err != nil {
			return err
		}
		got, err := tx.UserByNumber(s.ctx, s.tenant, 1)
		if err != nil {
			return err
		}
		wantSame(t, "user inside its transaction", got, u)
		total, err := tx.UserTotal(s.ctx, s.tenant, s.root, directory.LivingStates)
		if err != nil {
			return err
		}
		list, err := tx.Users(s.ctx, s.tenant, directory.UserQuery{Company: s.root, Limit: 5})
		if total != 1 || len(list) != 1 {
			t.Errorf("inside the transaction total %d and %d rows, want 1 and 1", total, len(list))
		}
		return err
	})
}

// writeALot touches every kind of row of the tenant.
func (s *sample) writeALot(tx directory.Tx) error {
	u := s.user(900)
	return errors.Join(
		tx.InsertUser(s.ctx, u),
		tx.InsertHandle(s.ctx, s.tenant, directory.Handle{Space: directory.SpaceLogin, Key: "a lot", Kinds: directory.HandleUserName, User: 900}),
		tx.SetPassword(s.ctx, s.tenant, directory.Password{User: 900, Hash: "x", SetAt: noon}),
		tx.InsertCompany(s.ctx, s.company(900, s.root, "A lot")),
		tx.InsertLocation(s.ctx, directory.Location{Tenant: s.tenant, Number: 900, ID: u.ID, Company: s.root, Name: "A lot", Version: 1, CreatedAt: noon}),
		tx.InsertLockReason(s.ctx, directory.LockReason{Tenant: s.tenant, Number: 900, Company: s.root, Name: "A lot"}),
		tx.InsertRole(s.ctx, directory.Role{Tenant: s.tenant, Number: 900, Key: "a lot", Name: "A lot"}),
		tx.InsertGroup(s.ctx, directory.Group{Tenant: s.tenant, Number: 900, ID: u.ID, Kind: directory.GroupPlain, Key: "a lot", Version: 1, CreatedAt: noon}),
		tx.SetPool(s.ctx, s.tenant, "A lot", 9),
		tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventUserCreated)),
	)
}

// wantNothing fails if anything of writeALot was kept.
func (s *sample) wantNothing() {
	s.t.Helper()
	q := s.state()
	for name, v := range q {
		if text := fmt.Sprint(v); v != nil && text != "[]" && text != "0" {
			s.t.Errorf("%s is %s after a roll-back", name, text)
		}
	}
}

// state is what writeALot leaves behind: nil where there is nothing.
func (s *sample) state() map[string]any {
	s.t.Helper()
	all := map[string]any{}
	put := func(name string, v any, err error) {
		if isNotFound(err) {
			return
		}
		if err != nil {
			s.t.Errorf("%s: %v", name, err)
		}
		all[name] = v
	}
	s.seal()
	s.view(func(r directory.Reader) error {
		user, err := r.UserByNumber(s.ctx, s.tenant, 900)
		put("user", user.Number, err)
		handle, err := r.HandleByKey(s.ctx, s.tenant, directory.SpaceLogin, "a lot")
		put("handle", handle.User, err)
		password, err := r.Password(s.ctx, s.tenant, 900)
		put("password", password.User, err)
		company, err := r.Company(s.ctx, s.tenant, 900)
		put("company", company.Number, err)
		location, err := r.Location(s.ctx, s.tenant, 900)
		put("location", location.Number, err)
		reason, err := r.LockReason(s.ctx, s.tenant, 900)
		put("lock reason", reason.Number, err)
		role, err := r.Role(s.ctx, s.tenant, 900)
		put("role", role.Number, err)
		g, err := r.GroupByKey(s.ctx, s.tenant, directory.GroupPlain, "a lot")
		put("group", g.Number, err)
		pools, err := r.Pools(s.ctx, s.tenant)
		put("pools", pools, err)
		events, err := r.Events(s.ctx, s.tenant, 0, 10)
		put("events", len(events), err)
		total, err := r.UserTotal(s.ctx, s.tenant, 0, allStates)
		put("total", total, err)
		found, err := r.Users(s.ctx, s.tenant, directory.UserQuery{Terms: []string{"family"}, Limit: 5})
		put("search", len(found), err)
		return nil
	})
	return all
}

func updateError(t *testing.T, s *sample) {
	err := s.try(func(tx directory.Tx) error {
		if err := s.writeALot(tx); err != nil {
			return err
		}
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatalf("got %v, want the error of fn", err)
	}
	s.wantNothing()
	s.update(s.writeALot)
	if got := len(s.state()); got != 12 {
		t.Errorf("the same fn without the error left %d kinds of rows, want 12", got)
	}
}

func updateErrorIdentity(t *testing.T, s *sample) {
	want := directory.Wrong(directory.CodeForbidden, directory.ReasonOwnerProtected, "No.")
	err := s.try(func(directory.Tx) error { return want })
	if !directory.IsReason(err, directory.ReasonOwnerProtected) || directory.CodeOf(err) != directory.CodeForbidden {
		t.Errorf("got %v, want %v", err, want)
	}
	err = s.try(func(tx directory.Tx) error {
		_, err := tx.UserByNumber(s.ctx, s.tenant, 404)
		return err
	})
	wantNotFound(t, "an fn that ends in a look-up", err)
}

func updateRefused(t *testing.T, s *sample) {
	s.addUser(1)
	err := s.try(func(tx directory.Tx) error {
		if err := s.writeALot(tx); err != nil {
			return err
		}
		return tx.InsertUser(s.ctx, s.user(1))
	})
	if err == nil {
		t.Fatal("a user number was given out twice")
	}
	if got := s.stored(1); got.State != directory.StateActive || s.exists(900) {
		t.Errorf("after the refusal user 900 exists or user 1 changed: %+v", got)
	}
}

func updatePanic(t *testing.T, s *sample) {
	got := panicOf(func() {
		_ = s.try(func(tx directory.Tx) error {
			if err := s.writeALot(tx); err != nil {
				return err
			}
			panic(errRefused)
		})
	})
	if got != errRefused {
		t.Fatalf("recovered %v, want the value that fn raised", got)
	}
	s.wantNothing()
	s.update(s.writeALot)
}

func updateManyFailures(t *testing.T, s *sample) {
	for i := range 60 {
		_ = panicOf(func() { _ = s.try(func(directory.Tx) error { panic(i) }) })
		if err := s.try(func(directory.Tx) error { return errRefused }); !errors.Is(err, errRefused) {
			t.Fatalf("failure %d: got %v, want the error of fn", i, err)
		}
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		if err := s.store.Update(ctx, func(directory.Tx) error { return nil }); err == nil {
			t.Fatalf("failure %d: Update with a cancelled context succeeded", i)
		}
	}
	s.update(s.writeALot)
}

func updateNothing(t *testing.T, s *sample) {
	s.update(func(directory.Tx) error { return nil })
	s.update(func(tx directory.Tx) error {
		_, err := tx.Tenant(s.ctx, s.tenant)
		return err
	})
}

func ping(t *testing.T, s *sample) {
	if err := s.store.Ping(s.ctx); err != nil {
		t.Errorf("Ping: %v", err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if err := s.store.Ping(ctx); err == nil {
		t.Error("Ping with a cancelled context succeeded")
	}
}

// closing proves that Close waits for what is running and closes the database.
func closing(t *testing.T, open Open) {
	s := newSample(t, open(t))
	s.addUser(1)
	if err := s.store.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := s.store.Ping(s.ctx); err == nil {
		t.Error("Ping succeeds after Close")
	}
	if err := s.try(func(directory.Tx) error { return nil }); err == nil {
		t.Error("Update succeeds after Close")
	}
	if _, err := tryLook(s, func(ctx context.Context, r directory.Reader) (directory.User, error) {
		return r.UserByNumber(ctx, s.tenant, 1)
	}); err == nil || isNotFound(err) {
		t.Errorf("Read after Close answers %v, want an error", err)
	}
}

// panicOf runs fn and returns what it panicked with, nil if it did not.
func panicOf(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, directory.ErrNotFound) }
