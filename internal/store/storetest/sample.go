package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

// noon is the moment at which samples are made, with microseconds that a
// coarser clock would lose.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)

// serial makes the names of tenants, which are unique in an installation.
var serial atomic.Int64

// sample is a tenant of its own with a root company, in a store that other
// tenants share.
type sample struct {
	t      *testing.T
	store  directory.Store
	ctx    context.Context
	tenant directory.TenantNo
	// companies by number; root is the one without a parent.
	companies map[int64]directory.Company
	root      int64
	// groups are the groups of users by their numbers, as joinGroups and churn
	// leave them.
	groups map[int64][]int64
}

// newSample makes a tenant with company 1.
func newSample(t *testing.T, store directory.Store) *sample {
	t.Helper()
	s := &sample{t: t, store: store, ctx: t.Context(), companies: map[int64]directory.Company{}, root: 1}
	tenant := newTenant()
	s.update(func(tx directory.Tx) error {
		no, err := tx.InsertTenant(s.ctx, tenant)
		s.tenant = no
		return err
	})
	s.addCompany(1, 0, "Root")
	return s
}

func newTenant() directory.Tenant {
	return directory.Tenant{ID: uuid.NewString(), Name: fmt.Sprintf("tenant-%d", serial.Add(1)),
		Doors: directory.AllDoors, Version: 1, CreatedAt: noon}
}

// try runs a transaction.
func (s *sample) try(fn func(tx directory.Tx) error) error {
	return s.store.Update(s.ctx, fn)
}

// update runs a transaction that must succeed.
func (s *sample) update(fn func(tx directory.Tx) error) {
	s.t.Helper()
	if err := s.try(fn); err != nil {
		s.t.Fatalf("Update: %v", err)
	}
}

// view runs fn over a snapshot; it must succeed.
func (s *sample) view(fn func(r directory.Reader) error) {
	s.t.Helper()
	if err := s.store.View(s.ctx, fn); err != nil {
		s.t.Fatalf("View: %v", err)
	}
}

// company is a company below a parent, not stored yet.
func (s *sample) company(number, parent int64, name string) directory.Company {
	c := directory.Company{Tenant: s.tenant, Number: number, ID: uuid.NewString(), Parent: parent,
		Name: name, Version: 1, CreatedAt: noon}
	c.Path = append(c.Path, s.companies[parent].Path...)
	c.Path = append(c.Path, number)
	return c
}

func (s *sample) addCompany(number, parent int64, name string) directory.Company {
	s.t.Helper()
	c := s.company(number, parent, name)
	s.update(func(tx directory.Tx) error { return tx.InsertCompany(s.ctx, c) })
	s.companies[number] = c
	return c
}

// addTree adds companies 2 below 1, 3 below 2, 4 below 3, and 5 and 6 below 1.
func (s *sample) addTree() {
	s.t.Helper()
	for _, c := range []struct{ number, parent int64 }{{2, 1}, {3, 2}, {4, 3}, {5, 1}, {6, 1}} {
		s.addCompany(c.number, c.parent, fmt.Sprintf("Company %d", c.number))
	}
}

// inSubtree is whether a company lies in the subtree of another, by the model.
func (s *sample) inSubtree(ancestor, company int64) bool {
	for c := company; c != 0; c = s.companies[c].Parent {
		if c == ancestor {
			return true
		}
	}
	return false
}

// user is a plain active user of the root company, not stored yet.
func (s *sample) user(number int64) directory.User {
	return directory.User{Tenant: s.tenant, Number: number, ID: uuid.NewString(), State: directory.StateActive,
		UserName: fmt.Sprintf("user%d", number), Email: fmt.Sprintf("user%d@example.com", number),
		GivenName: "Given", FamilyName: "Family", Company: s.root, Version: 1, DoorVersion: 1,
		CreatedAt: noon, UpdatedAt: noon}
}

// addUsers stores users in one transaction.
func (s *sample) addUsers(users ...directory.User) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, u := range users {
			if err := tx.InsertUser(s.ctx, u); err != nil {
				return fmt.Errorf("user %d: %w", u.Number, err)
			}
		}
		return nil
	})
}

// addUser stores a plain user after a change of it.
func (s *sample) addUser(number int64, change ...func(u *directory.User)) directory.User {
	s.t.Helper()
	u := s.user(number)
	for _, c := range change {
		c(&u)
	}
	s.addUsers(u)
	return u
}

// tryChange changes a stored user in a transaction.
func (s *sample) tryChange(number int64, change func(u *directory.User)) error {
	return s.try(func(tx directory.Tx) error { return s.changeIn(tx, number, change) })
}

func (s *sample) changeIn(tx directory.Tx, number int64, change func(u *directory.User)) error {
	before, err := tx.LockUser(s.ctx, s.tenant, number)
	if err != nil {
		return err
	}
	after := before
	change(&after)
	return tx.UpdateUser(s.ctx, before, after)
}

func (s *sample) change(number int64, change func(u *directory.User)) {
	s.t.Helper()
	if err := s.tryChange(number, change); err != nil {
		s.t.Fatalf("change user %d: %v", number, err)
	}
}

// stored reads a user back.
func (s *sample) stored(number int64) directory.User {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.User, error) {
		return r.UserByNumber(ctx, s.tenant, number)
	})
}

// exists reports whether a user is stored.
func (s *sample) exists(number int64) bool {
	s.t.Helper()
	return s.found(func(ctx context.Context, r directory.Reader) error {
		_, err := r.UserByNumber(ctx, s.tenant, number)
		return err
	})
}

// sum is the SHA-256 of a text, as credentials and tokens keep it.
func sum(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// fullUser sets every field of a user.
func (s *sample) fullUser(number int64) directory.User {
	u := s.user(number)
	u.Locked, u.LockReason, u.MustChangePassword = true, 7, true
	u.ValidFrom, u.ExpiresAt = noon.Add(-time.Hour), noon.Add(time.Hour)
	u.UserName, u.Email, u.EmailClaimed = "Ada.Lovelace", "Ada@Example.com", true
	u.GivenName, u.FamilyName, u.DisplayName = "Ada", "Lovelace", "Ada, Countess of Lovelace"
	u.Title, u.EmployeeNumber, u.OpenID = "Analyst", "E-0042", "https://id.example/Ada"
	u.WebMDN, u.ClientUserID, u.LicenceType = "15551230000", "crm-17", "Full"
	u.Seat, u.Rank = 3, directory.RankAdministrator
	u.Phones = []directory.Phone{{Number: "+1 555 123", Extension: "9", Type: "Work"}, {Number: "0"}}
	u.Address = directory.Address{Set: true, Line1: "1 Main St", Line2: "Floor 2", City: "Bath", Region: "SOM", Country: "GB", Zip: "BA1 1AA"}
	u.Profile = directory.Profile{Language: "en-GB", TimeZone: "Europe/London",
		Picture:    json.RawMessage(`{"Id":"7f","Href":"https://x.example/?a=1&b=<2>"}`),
		Attributes: map[string]json.RawMessage{"shoe": json.RawMessage(`44.50`), "": json.RawMessage(`null`), "deep": json.RawMessage(`{"z":1,"a":[1e400,"é"]}`)},
		Extras:     map[string]json.RawMessage{"encore": json.RawMessage(`{"Flag":true}`)}, MobileOnly: true, StorageLocation: "Van 7",
		ExternalIDs: map[string]string{"0b1c": "ext-1"}}
	u.AuthEpoch, u.Version, u.DoorVersion = 11, 12, 13
	u.UpdatedAt, u.DeletedAt = noon.Add(time.Microsecond), noon.Add(2*time.Microsecond)
	return u
}

// found reports whether a look-up finds its row; any other error fails.
func (s *sample) found(get func(ctx context.Context, r directory.Reader) error) bool {
	s.t.Helper()
	_, err := tryLook(s, func(ctx context.Context, r directory.Reader) (struct{}, error) { return struct{}{}, get(ctx, r) })
	if err != nil && !isNotFound(err) {
		s.t.Fatalf("Read: %v", err)
	}
	return err == nil
}
