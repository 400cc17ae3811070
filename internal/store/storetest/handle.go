package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var handleChecks = []check{
	{"UserByHandle finds the holder of a folded key", handleFinds},
	{"HandleByKey is the identifiers row alone", handleRow},
	{"A key has one holder in a space", handleOneHolder},
	{"Spaces are apart", handleSpaces},
	{"SetHandleKinds changes as what the holder has the key", handleKinds},
	{"DeleteHandle frees a key for another user", handleFreed},
	{"DeleteHandle of another holder frees nothing", handleForeign},
	{"Two users can swap keys in one transaction", handleSwap},
}

func (s *sample) addHandles(handles ...directory.Handle) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, h := range handles {
			if err := tx.InsertHandle(s.ctx, s.tenant, h); err != nil {
				return fmt.Errorf("handle %q: %w", h.Key, err)
			}
		}
		return nil
	})
}

// wantHandle compares a key's row and its holder.
func (s *sample) wantHandle(want directory.Handle) {
	s.t.Helper()
	s.view(func(r directory.Reader) error {
		row, err := r.HandleByKey(s.ctx, s.tenant, want.Space, want.Key)
		wantSame(s.t, "HandleByKey", row, want)
		u, kinds, err2 := r.UserByHandle(s.ctx, s.tenant, want.Space, want.Key)
		if u.Number != want.User || kinds != want.Kinds {
			s.t.Errorf("key %q: holder %d with kinds %d, want %d with %d", want.Key, u.Number, kinds, want.User, want.Kinds)
		}
		return errors.Join(err, err2)
	})
}

func (s *sample) wantNoHandle(space directory.Space, key string) {
	s.t.Helper()
	s.view(func(r directory.Reader) error {
		_, err := r.HandleByKey(s.ctx, s.tenant, space, key)
		wantNotFound(s.t, fmt.Sprintf("HandleByKey %s %q", space, key), err)
		_, _, err = r.UserByHandle(s.ctx, s.tenant, space, key)
		wantNotFound(s.t, fmt.Sprintf("UserByHandle %s %q", space, key), err)
		return nil
	})
}

func handleFinds(t *testing.T, s *sample) {
	u := s.fullUser(1)
	s.addUsers(u)
	s.addHandles(directory.Handle{Space: directory.SpaceLogin, Key: "ada", Kinds: directory.HandleUserName | directory.HandleEmail, User: 1})
	s.view(func(r directory.Reader) error {
		got, kinds, err := r.UserByHandle(s.ctx, s.tenant, directory.SpaceLogin, "ada")
		wantSame(t, "UserByHandle", got, u)
		if kinds != directory.HandleUserName|directory.HandleEmail {
			t.Errorf("kinds %d, want both", kinds)
		}
		return err
	})
}

func handleRow(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	for i, kinds := range []directory.HandleKind{directory.HandleUserName, directory.HandleEmail, directory.HandleUserName | directory.HandleEmail, directory.HandleKey} {
		h := directory.Handle{Space: directory.SpaceLogin, Key: fmt.Sprint("key", i), Kinds: kinds, User: int64(i%2) + 1}
		s.addHandles(h)
		s.wantHandle(h)
	}
}

func handleOneHolder(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	s.addHandles(s.handle("ada", 1))
	for _, user := range []int64{1, 2} {
		err := s.try(func(tx directory.Tx) error { return tx.InsertHandle(s.ctx, s.tenant, s.handle("ada", user)) })
		wantConflict(t, "a second holder", err)
	}
	s.wantHandle(s.handle("ada", 1))
}

func handleSpaces(t *testing.T, s *sample) {
	spaces := []directory.Space{directory.SpaceLogin, directory.SpaceEmployee, directory.SpaceOpenID, directory.SpaceWebMDN,
		directory.ExternalSpace("a"), directory.ExternalSpace("A"), directory.ExternalSpace("b")}
	for i, space := range spaces {
		s.addUser(int64(i) + 1)
		s.addHandles(directory.Handle{Space: space, Key: "same", Kinds: directory.HandleKey, User: int64(i) + 1})
	}
	for i, space := range spaces {
		s.wantHandle(directory.Handle{Space: space, Key: "same", Kinds: directory.HandleKey, User: int64(i) + 1})
	}
}

func handleKinds(t *testing.T, s *sample) {
	s.addUser(1)
	h := s.handle("ada", 1)
	s.addHandles(h, s.handle("bob", 1))
	h.Kinds = directory.HandleEmail
	s.update(func(tx directory.Tx) error { return tx.SetHandleKinds(s.ctx, s.tenant, h) })
	s.wantHandle(h)
	s.wantHandle(s.handle("bob", 1))
}

func handleFreed(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	s.addHandles(s.handle("ada", 1), s.handle("bob", 1))
	s.update(func(tx directory.Tx) error {
		return tx.DeleteHandle(s.ctx, s.tenant, directory.SpaceLogin, "ada", 1)
	})
	s.wantNoHandle(directory.SpaceLogin, "ada")
	s.wantHandle(s.handle("bob", 1))
	s.addHandles(s.handle("ada", 2))
	s.wantHandle(s.handle("ada", 2))
}

// handleForeign: a delete that comes too late must not take the key away from
// the user who has it by then.
func handleForeign(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	s.addHandles(s.handle("ada", 2))
	// Whether it is an error is free; that the key stays is not.
	_ = s.try(func(tx directory.Tx) error {
		return tx.DeleteHandle(s.ctx, s.tenant, directory.SpaceLogin, "ada", 1)
	})
	_ = s.try(func(tx directory.Tx) error {
		h := s.handle("ada", 1)
		h.Kinds = directory.HandleEmail
		return tx.SetHandleKinds(s.ctx, s.tenant, h)
	})
	s.wantHandle(s.handle("ada", 2))
}

func handleSwap(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	s.addHandles(s.handle("ada", 1), s.handle("bob", 2))
	s.update(func(tx directory.Tx) error {
		return errors.Join(
			tx.DeleteHandle(s.ctx, s.tenant, directory.SpaceLogin, "ada", 1),
			tx.DeleteHandle(s.ctx, s.tenant, directory.SpaceLogin, "bob", 2),
			tx.InsertHandle(s.ctx, s.tenant, s.handle("ada", 2)),
			tx.InsertHandle(s.ctx, s.tenant, s.handle("bob", 1)))
	})
	s.wantHandle(s.handle("ada", 2))
	s.wantHandle(s.handle("bob", 1))
}
