package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var bigChecks = []check{
	{"An attribute of a mebibyte round trips", bigAttribute},
	{"Ten thousand memberships are all read", bigMemberships},
	{"A thousand users in one transaction", bigTransaction},
	{"A payload of a mebibyte round trips in an event", bigEvent},
	{"The largest numbers round trip", bigNumbers},
}

// mebibyte is a text of 2^20 bytes without a period that a cut would hide.
func mebibyte() string {
	var b strings.Builder
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "%d é ", i)
	}
	return b.String()[:1<<20-2]
}

func bigAttribute(t *testing.T, s *sample) {
	quoted, err := json.Marshal(strings.ToValidUTF8(mebibyte(), ""))
	if err != nil {
		t.Fatal(err)
	}
	u := s.addUser(1, func(u *directory.User) {
		u.Profile.Attributes = map[string]json.RawMessage{"big": quoted, "small": json.RawMessage("1")}
	})
	s.wantUser(u)
	s.change(1, func(c *directory.User) { c.Title = "Beside" })
	u.Title = "Beside"
	s.wantUser(u)
}

// bigMemberships: a peer cut memberships off after a thousand without a word.
func bigMemberships(t *testing.T, s *sample) {
	const most, batch = 10_000, 500
	s.addUser(1)
	s.addUser(2)
	s.addLocations(upTo(most)...)
	for first := int64(1); first <= most; first += batch {
		s.update(func(tx directory.Tx) error {
			for n := first; n < first+batch; n++ {
				if added, err := tx.AddUserLocation(s.ctx, s.tenant, 1, n); err != nil || !added {
					return fmt.Errorf("location %d: added %t, %w", n, added, err)
				}
			}
			return nil
		})
	}
	got := look(t, s, func(ctx context.Context, r directory.Reader) ([]int64, error) {
		return r.UserLocations(ctx, s.tenant, 1)
	})
	if len(got) != most {
		t.Fatalf("%d locations, want %d", len(got), most)
	}
	for i, n := range got {
		if n != int64(i)+1 {
			t.Fatalf("location %d at place %d", n, i)
		}
	}
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 1)) })
	if left := look(t, s, func(ctx context.Context, r directory.Reader) ([]int64, error) {
		return r.UserLocations(ctx, s.tenant, 1)
	}); len(left) != 0 {
		t.Errorf("%d locations are left of an erased user", len(left))
	}
}

func bigTransaction(t *testing.T, s *sample) {
	var users []directory.User
	for n := int64(1); n <= 1000; n++ {
		users = append(users, s.user(n))
	}
	s.addUsers(users...)
	if got := s.list(directory.UserQuery{Limit: directory.MaxLimit}); len(got) != 1000 {
		t.Errorf("%d users, want 1000", len(got))
	}
	s.wantTotals()
}

func bigEvent(t *testing.T, s *sample) {
	e := newEvent(s.tenant, directory.EventUserUpdated)
	e.Payload = []byte(mebibyte())
	s.update(func(tx directory.Tx) error { return tx.InsertEvent(s.ctx, e) })
	got := s.events(0, 1)
	if len(got) != 1 || string(got[0].Payload) != string(e.Payload) {
		t.Errorf("the payload of %d bytes came back otherwise", len(e.Payload))
	}
}

func bigNumbers(t *testing.T, s *sample) {
	s.addCompany(directory.MaxNumber, 1, "Last")
	u := s.addUser(directory.MaxNumber, func(u *directory.User) {
		u.Company, u.LockReason = directory.MaxNumber, directory.MaxNumber
		u.Version, u.DoorVersion, u.AuthEpoch = 1<<53, 1<<62, 1<<63-1
	})
	s.wantUser(u)
	s.wantTotals()
}
