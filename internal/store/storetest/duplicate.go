package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var duplicateChecks = []check{
	{"ErrDuplicate is what an insert answers when a unique key is taken", duplicateAnswer},
	{"The closure runs once more, finds the row by look-up and names the reason", duplicateNamed},
	{"Only a second duplicate reaches the caller as write conflict", duplicateConflict},
	{"A wrapped ErrDuplicate is handled too", duplicateWrapped},
	{"An fn that runs twice has no effect of its first run", duplicateNoDoubleEffect},
	{"An fn that hides a duplicate keeps all or nothing", duplicateHidden},
	{"The conflict does not name rows or SQL to the client", duplicateSilent},
}

func (s *sample) handle(key string, user int64) directory.Handle {
	return directory.Handle{Space: directory.SpaceLogin, Key: key, Kinds: directory.HandleUserName, User: user}
}

// uniqueInserts are the inserts of rows whose key is unique; each runs twice
// with equal keys.
func (s *sample) uniqueInserts() map[string]func(tx directory.Tx) error {
	u := s.user(10)
	other := s.user(11)
	c := s.company(20, s.root, "Twice")
	loc := directory.Location{Tenant: s.tenant, Number: 30, ID: u.ID, Company: s.root, Name: "Twice", Version: 1, CreatedAt: noon}
	reason := directory.LockReason{Tenant: s.tenant, Number: 40, Company: s.root, Name: "Twice"}
	role := directory.Role{Tenant: s.tenant, Number: 50, Key: "twice", Name: "Twice", Company: s.root}
	grp := directory.Group{Tenant: s.tenant, Number: 60, ID: u.ID, Kind: directory.GroupPlain, Key: "twice", Version: 1, CreatedAt: noon}
	cred := s.credential("twice")
	client := s.credential("twice client")
	client.Kind, client.ClientID = directory.CredentialClient, "client-of-"+client.ID
	token := s.token("twice", directory.TokenAccess, 1)
	tenant := newTenant()
	return map[string]func(tx directory.Tx) error{
		"user number":        func(tx directory.Tx) error { return tx.InsertUser(s.ctx, u) },
		"user id":            func(tx directory.Tx) error { other.Number++; return tx.InsertUser(s.ctx, other) },
		"handle":             func(tx directory.Tx) error { return tx.InsertHandle(s.ctx, s.tenant, s.handle("twice", 1)) },
		"company number":     func(tx directory.Tx) error { return tx.InsertCompany(s.ctx, c) },
		"location number":    func(tx directory.Tx) error { return tx.InsertLocation(s.ctx, loc) },
		"lock reason number": func(tx directory.Tx) error { return tx.InsertLockReason(s.ctx, reason) },
		"role number":        func(tx directory.Tx) error { return tx.InsertRole(s.ctx, role) },
		"group number":       func(tx directory.Tx) error { return tx.InsertGroup(s.ctx, grp) },
		"credential":         func(tx directory.Tx) error { return tx.InsertCredential(s.ctx, cred) },
		"client":             func(tx directory.Tx) error { return tx.InsertCredential(s.ctx, client) },
		"token":              func(tx directory.Tx) error { return tx.InsertToken(s.ctx, token) },
		"tenant name": func(tx directory.Tx) error {
			_, err := tx.InsertTenant(s.ctx, tenant)
			return err
		},
	}
}

func duplicateAnswer(t *testing.T, s *sample) {
	s.addUser(1)
	for name, insert := range s.uniqueInserts() {
		s.update(insert)
		var inside error
		err := s.try(func(tx directory.Tx) error {
			inside = insert(tx)
			return inside
		})
		if !errors.Is(inside, directory.ErrDuplicate) {
			t.Errorf("%s: the second insert answered %v, want directory.ErrDuplicate", name, inside)
		}
		wantConflict(t, name, err)
	}
}

func duplicateNamed(t *testing.T, s *sample) {
	s.addUsers(s.user(1), s.user(2))
	s.update(func(tx directory.Tx) error { return tx.InsertHandle(s.ctx, s.tenant, s.handle("ada", 1)) })
	runs := 0
	err := s.try(func(tx directory.Tx) error {
		if runs++; runs > 1 {
			holder, err := tx.HandleByKey(s.ctx, s.tenant, directory.SpaceLogin, "ada")
			if err != nil {
				return err
			}
			return directory.Wrong(directory.CodeConflict, directory.ReasonUserNameTaken, "Held by %d.", holder.User)
		}
		return tx.InsertHandle(s.ctx, s.tenant, s.handle("ada", 2))
	})
	if runs != 2 || !directory.IsReason(err, directory.ReasonUserNameTaken) {
		t.Errorf("after %d runs got %v, want user.user_name_taken after 2", runs, err)
	}
}

func duplicateConflict(t *testing.T, s *sample) {
	s.addUsers(s.user(1), s.user(2))
	s.update(func(tx directory.Tx) error { return tx.InsertHandle(s.ctx, s.tenant, s.handle("ada", 1)) })
	runs := 0
	err := s.try(func(tx directory.Tx) error {
		runs++
		return tx.InsertHandle(s.ctx, s.tenant, s.handle("ada", 2))
	})
	wantConflict(t, "a handle taken in both runs", err)
	if runs != 2 {
		t.Errorf("fn ran %d times, want 2", runs)
	}
	if !errors.Is(err, directory.ErrDuplicate) {
		t.Errorf("the log's cause of %v is not directory.ErrDuplicate", err)
	}
}

func duplicateWrapped(t *testing.T, s *sample) {
	s.addUser(1)
	runs := 0
	err := s.try(func(tx directory.Tx) error {
		runs++
		if err := tx.InsertUser(s.ctx, s.user(1)); err != nil {
			return fmt.Errorf("insert user: %w", err)
		}
		return nil
	})
	wantConflict(t, "a wrapped duplicate", err)
	if runs != 2 {
		t.Errorf("fn ran %d times, want 2", runs)
	}
}

func duplicateNoDoubleEffect(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.SetPool(s.ctx, s.tenant, "Full", 5),
			tx.InsertHandle(s.ctx, s.tenant, s.handle("ada", 1)))
	})
	runs := 0
	s.update(func(tx directory.Tx) error {
		runs++
		if err := s.writeOnce(tx); err != nil {
			return err
		}
		if runs == 1 {
			return tx.InsertHandle(s.ctx, s.tenant, s.handle("ada", 2))
		}
		return nil
	})
	if runs != 2 {
		t.Errorf("fn ran %d times, want 2", runs)
	}
	s.seal()
	s.view(func(r directory.Reader) error {
		pool, err := r.Pool(s.ctx, s.tenant, "Full")
		wantSame(t, "pool", pool, directory.Pool{Type: "Full", Total: 5, Used: 1, Version: 1})
		total, err2 := r.UserTotal(s.ctx, s.tenant, 0, directory.LivingStates)
		events, err3 := r.Events(s.ctx, s.tenant, 0, 10)
		user, err4 := r.UserByNumber(s.ctx, s.tenant, 1)
		if total != 3 || len(events) != 1 || user.Version != 2 {
			t.Errorf("total %d, events %d, version %d: want 3, 1 and 2", total, len(events), user.Version)
		}
		return errors.Join(err, err2, err3, err4)
	})
}

func (s *sample) writeOnce(tx directory.Tx) error {
	seat, err := tx.TakeSeat(s.ctx, s.tenant, "Full")
	if err != nil || seat == 0 {
		return fmt.Errorf("seat %d: %w", seat, err)
	}
	return errors.Join(
		tx.InsertUser(s.ctx, s.user(3)),
		s.changeIn(tx, 1, func(u *directory.User) { u.Version++ }),
		tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventUserUpdated)),
	)
}

// duplicateHidden: what a core that forgets an error would do. PostgreSQL has
// given up the transaction by then, SQLite has not; neither may lose a part.
func duplicateHidden(t *testing.T, s *sample) {
	s.addUser(1)
	err := s.try(func(tx directory.Tx) error {
		if err := tx.InsertUser(s.ctx, s.user(2)); err != nil {
			return err
		}
		_ = tx.InsertUser(s.ctx, s.user(1))
		return nil
	})
	if s.exists(2) != (err == nil) {
		t.Errorf("Update answered %v, and user 2 exists: %t", err, s.exists(2))
	}
}

func duplicateSilent(t *testing.T, s *sample) {
	s.addUser(1)
	err := s.try(func(tx directory.Tx) error { return tx.InsertUser(s.ctx, s.user(1)) })
	if shown := directory.AsError(err).Message; shown == "" || containsAny(shown, "constraint", "UNIQUE", "users_", "23505", "user1") {
		t.Errorf("the message for the client is %q", shown)
	}
}
