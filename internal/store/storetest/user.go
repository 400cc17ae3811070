package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var userChecks = []check{
	{"Every field of a user round trips", userRoundTrip},
	{"A user of zero values round trips", userBare},
	{"UpdateUser replaces the row field by field", userEachField},
	{"UpdateUser can empty every field", userEmptied},
	{"A map that before and after share is written too", userShared},
	{"An update of one user leaves its neighbours", userNeighbours},
	{"A user that is not as it was read is refused", userStale},
	{"LockUser reads a user for change", userLock},
	{"Look-ups return deleted users too", userDeletedShown},
	{"UserByID finds by exact bytes", userByID},
	{"DeleteUser erases a user and everything that belongs to it but its events", userDelete},
	{"The number and id of an erased user can be written again", userAgain},
	{"Purged reports whether a number or an id belonged to an erased user", userPurged},
	{"DeletedUsers lists the recycle bin before a time and the longest deleted first", usersDeleted},
	{"InSubtree reports whether a user belongs to a company's subtree", userInSubtree},
}

// wantNoZero fails if a field of a sample is zero: a new field of the core then
// has to be set in the sample, or its round trip would prove nothing.
func wantNoZero(t *testing.T, v any) {
	t.Helper()
	r := reflect.ValueOf(v)
	for i := range r.NumField() {
		if name := r.Type().Field(i).Name; r.Field(i).IsZero() && name != "No" {
			t.Errorf("the sample leaves %s.%s zero", r.Type(), name)
		}
	}
}

// wantUser compares a stored user by every way of reading it.
func (s *sample) wantUser(want directory.User) {
	s.t.Helper()
	s.view(func(r directory.Reader) error {
		byNumber, err := r.UserByNumber(s.ctx, s.tenant, want.Number)
		wantSame(s.t, "UserByNumber", byNumber, want)
		byID, err2 := r.UserByID(s.ctx, s.tenant, want.ID)
		wantSame(s.t, "UserByID", byID, want)
		list, err3 := r.Users(s.ctx, s.tenant, directory.UserQuery{States: allStates, After: want.Number - 1, Limit: 1})
		wantSame(s.t, "Users", list, []directory.User{want})
		return errors.Join(err, err2, err3)
	})
}

func userRoundTrip(t *testing.T, s *sample) {
	u := s.fullUser(1)
	wantNoZero(t, u)
	wantNoZero(t, u.Address)
	wantNoZero(t, u.Profile)
	wantNoZero(t, u.Phones[0])
	s.addUsers(u)
	s.wantUser(u)
	for number, state := range directory.States {
		one := s.addUser(int64(number)+2, func(u *directory.User) { u.State = state })
		s.wantUser(one)
	}
}

func userBare(t *testing.T, s *sample) {
	u := directory.User{Tenant: s.tenant, Number: directory.MaxNumber, ID: uuid.NewString(), State: directory.StateStaged, Company: 1}
	s.addUsers(u)
	s.wantUser(u)
	empty := s.user(5)
	empty.Address.Set = true
	empty.Profile.Attributes = map[string]json.RawMessage{"": json.RawMessage(`""`)}
	s.addUsers(empty)
	s.wantUser(empty)
}

// userEachField changes one field after the other, so that an update which
// forgets a field is named by it.
func userEachField(t *testing.T, s *sample) {
	u := s.addUser(1)
	full := reflect.ValueOf(s.fullUser(1))
	for i := range full.NumField() {
		name := full.Type().Field(i).Name
		if name == "Tenant" || name == "Number" || name == "ID" {
			continue
		}
		s.change(1, func(c *directory.User) { reflect.ValueOf(c).Elem().Field(i).Set(full.Field(i)) })
		reflect.ValueOf(&u).Elem().Field(i).Set(full.Field(i))
		wantSame(t, "user after a change of "+name, s.stored(1), u)
	}
	s.wantUser(u)
}

func userEmptied(t *testing.T, s *sample) {
	s.addUsers(s.fullUser(1))
	want := directory.User{Tenant: s.tenant, Number: 1, ID: s.stored(1).ID, State: directory.StateStaged, Company: 1}
	s.change(1, func(u *directory.User) { *u = want })
	s.wantUser(want)
}

// userShared: a copy of a user shares its maps, so that before shows the change
// as well and comparing the two shows none. The core never edits a list in place.
func userShared(t *testing.T, s *sample) {
	want := s.fullUser(1)
	s.addUsers(want)
	s.change(1, func(u *directory.User) {
		u.Profile.Attributes["shoe"] = json.RawMessage("45")
		delete(u.Profile.Attributes, "deep")
		u.Profile.ExternalIDs["0b1c"] = "ext-2"
	})
	want.Profile.Attributes = map[string]json.RawMessage{"shoe": json.RawMessage("45"), "": json.RawMessage("null")}
	want.Profile.ExternalIDs = map[string]string{"0b1c": "ext-2"}
	wantSame(t, "user", s.stored(1), want)
}

func userNeighbours(t *testing.T, s *sample) {
	left, right := s.fullUser(1), s.fullUser(3)
	s.addUsers(left, s.fullUser(2), right)
	s.change(2, func(u *directory.User) { *u = s.user(2) })
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 2)) })
	s.wantUser(left)
	s.wantUser(right)
}

// locked locks a user in a transaction; a missing one is the zero user.
func (s *sample) locked(tx directory.Tx, number int64) directory.User {
	u, err := tx.LockUser(s.ctx, s.tenant, number)
	if err != nil {
		s.t.Errorf("LockUser %d: %v", number, err)
	}
	return u
}

// userStale: an update from what the row was before would make the totals wrong
// for good.
func userStale(t *testing.T, s *sample) {
	s.addTree()
	old := s.addUser(1)
	s.change(1, func(u *directory.User) { u.Company, u.State, u.Version = 5, directory.StateInactive, 2 })
	after := old
	after.Company, after.State = 6, directory.StateDeleted
	absent := s.user(404)
	for what, write := range map[string]func(tx directory.Tx) error{
		"UpdateUser from an old row":       func(tx directory.Tx) error { return tx.UpdateUser(s.ctx, old, after) },
		"DeleteUser of an old row":         func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, old) },
		"UpdateUser of one that is absent": func(tx directory.Tx) error { return tx.UpdateUser(s.ctx, absent, after) },
		"DeleteUser of one that is absent": func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, absent) },
	} {
		if err := s.try(write); err == nil {
			t.Errorf("%s succeeded", what)
		}
		s.wantLists()
	}
}

func userLock(t *testing.T, s *sample) {
	u := s.fullUser(1)
	s.addUsers(u)
	s.update(func(tx directory.Tx) error {
		got, err := tx.LockUser(s.ctx, s.tenant, 1)
		wantSame(t, "LockUser", got, u)
		again, err2 := tx.LockUser(s.ctx, s.tenant, 1)
		wantSame(t, "LockUser once more", again, u)
		return errors.Join(err, err2)
	})
	err := s.try(func(tx directory.Tx) error {
		_, err := tx.LockUser(s.ctx, s.tenant, 404)
		return err
	})
	wantNotFound(t, "LockUser", err)
}

func userDeletedShown(t *testing.T, s *sample) {
	u := s.addUser(1, func(u *directory.User) { u.State, u.DeletedAt = directory.StateDeleted, noon })
	s.wantUser(u)
	s.update(func(tx directory.Tx) error {
		if err := tx.InsertHandle(s.ctx, s.tenant, s.handle("kept", 1)); err != nil {
			return err
		}
		got, _, err := tx.UserByHandle(s.ctx, s.tenant, directory.SpaceLogin, "kept")
		wantSame(t, "UserByHandle", got, u)
		return err
	})
}

func userByID(t *testing.T, s *sample) {
	u := s.addUser(1, func(u *directory.User) { u.ID = "0f0c8f0e-6a52-7c1d-9b1e-0242ac12abcd" })
	s.wantUser(u)
	s.view(func(r directory.Reader) error {
		for _, id := range []string{"0F0C8F0E-6A52-7C1D-9B1E-0242AC12ABCD", u.ID + " ", u.ID[1:], "", "not a uuid", "{" + u.ID + "}"} {
			_, err := r.UserByID(s.ctx, s.tenant, id)
			wantNotFound(t, "UserByID "+id, err)
		}
		return nil
	})
}

func userDelete(t *testing.T, s *sample) {
	s.populate("erased")
	s.update(func(tx directory.Tx) error {
		event := newEvent(s.tenant, directory.EventUserDeleted)
		event.User = 1
		return errors.Join(
			tx.InsertToken(s.ctx, s.token("access", directory.TokenAccess, 1)),
			tx.InsertToken(s.ctx, s.token("refresh", directory.TokenRefresh, 1)),
			tx.InsertHandle(s.ctx, s.tenant, directory.Handle{Space: directory.SpaceOpenID, Key: "ada", Kinds: directory.HandleKey, User: 1}),
			tx.InsertEvent(s.ctx, event))
	})
	events := s.events(0, 10)
	s.update(func(tx directory.Tx) error {
		u, err := tx.LockUser(s.ctx, s.tenant, 1)
		return errors.Join(err, tx.DeleteUser(s.ctx, u))
	})
	s.view(func(r directory.Reader) error {
		for _, l := range lookups {
			switch l.name {
			case "UserByNumber", "UserByID", "UserByHandle", "HandleByKey", "Password":
				_, err := l.get(s.ctx, r, s.tenant)
				wantNotFound(t, l.name, err)
			}
		}
		for _, l := range listings {
			switch l.name {
			case "UserLocations", "UserRoles", "UserGroups", "InSubtree", "Users by term", "Users by filter", "CountUsers":
				v, err := l.get(s.ctx, r, s.tenant)
				if err != nil || !isEmpty(v) {
					t.Errorf("%s after DeleteUser: %v, error %v", l.name, v, err)
				}
			}
		}
		for _, kind := range []directory.TokenKind{directory.TokenAccess, directory.TokenRefresh} {
			_, err := r.AuthenticateToken(s.ctx, sum(string(kind)+s.session()), kind)
			wantNotFound(t, "token", err)
		}
		_, err := r.HandleByKey(s.ctx, s.tenant, directory.SpaceOpenID, "ada")
		wantNotFound(t, "handle of another space", err)
		return nil
	})
	wantSame(t, "events", s.events(0, 10), events)
	s.wantTotals()
}

func userPurged(t *testing.T, s *sample) {
	u := s.addUser(1)
	other := newSample(t, s.store)
	purged := func(s *sample, number int64, id string) int64 {
		return look(t, s, func(ctx context.Context, r directory.Reader) (int64, error) {
			return r.Purged(ctx, s.tenant, number, id)
		})
	}
	if purged(s, 1, u.ID) != 0 {
		t.Error("a living user is purged")
	}
	s.update(func(tx directory.Tx) error {
		locked, err := tx.LockUser(s.ctx, s.tenant, 1)
		return errors.Join(err, tx.DeleteUser(s.ctx, locked))
	})
	if purged(s, 1, "") != 1 || purged(s, 0, u.ID) != 1 || purged(s, 2, "other") != 0 || purged(other, 1, u.ID) != 0 {
		t.Error("not exactly the erased user's number and id are purged")
	}
}

func userAgain(t *testing.T, s *sample) {
	s.populate("erased")
	token := s.token("erased", directory.TokenAccess, 1)
	s.addTokens(token)
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 1)) })
	again := s.user(1)
	again.ID = sharedID
	s.addUsers(again)
	s.wantUser(again)
	s.view(func(r directory.Reader) error {
		locations, err := r.UserLocations(s.ctx, s.tenant, 1)
		roles, err2 := r.UserRoles(s.ctx, s.tenant, 1)
		groups, err3 := r.UserGroups(s.ctx, s.tenant, 1)
		_, err4 := r.Password(s.ctx, s.tenant, 1)
		wantNotFound(t, "password of the user before", err4)
		_, err5 := r.AuthenticateToken(s.ctx, token.Hash, token.Kind)
		wantNotFound(t, "token of the user before", err5)
		if len(locations)+len(roles)+len(groups) != 0 {
			t.Errorf("the new user has the old one's %v, %v, %v", locations, roles, groups)
		}
		return errors.Join(err, err2, err3)
	})
}

func userInSubtree(t *testing.T, s *sample) {
	s.addTree()
	for number, company := range []int64{1: 1, 2: 2, 3: 3, 4: 4, 5: 5} {
		if company != 0 {
			s.addUser(int64(number), func(u *directory.User) {
				u.Company, u.State = company, directory.States[number%len(directory.States)]
			})
		}
	}
	s.change(5, func(u *directory.User) { u.Company = 6 })
	for company := range s.companies {
		for number := int64(1); number <= 5; number++ {
			got := look(t, s, func(ctx context.Context, r directory.Reader) (bool, error) {
				return r.InSubtree(ctx, s.tenant, company, number)
			})
			if want := s.inSubtree(company, s.stored(number).Company); got != want {
				t.Errorf("InSubtree(company %d, user %d in %d) = %t, want %t", company, number, s.stored(number).Company, got, want)
			}
		}
	}
	for _, c := range []struct{ company, number int64 }{{1, 404}, {404, 1}} {
		if look(t, s, func(ctx context.Context, r directory.Reader) (bool, error) {
			return r.InSubtree(ctx, s.tenant, c.company, c.number)
		}) {
			t.Errorf("user %d is in company %d", c.number, c.company)
		}
	}
}

// timeChecks live beside the users: every time of the directory is kept the
// same way.
var timeChecks = []check{
	{"A time keeps its microseconds", timeMicroseconds},
	{"The zero time is not the Unix epoch", timeZero},
	{"Years 1 and 9999 round trip", timeFar},
	{"Times are read in UTC", timeUTC},
}

func (s *sample) wantTime(number int64, at time.Time) {
	s.t.Helper()
	u := s.addUser(number, func(u *directory.User) { u.ValidFrom, u.ExpiresAt, u.CreatedAt = at, at, at })
	s.wantUser(u)
	got := s.stored(number)
	if !got.ValidFrom.Equal(at) || got.ValidFrom.IsZero() != at.IsZero() || got.ValidFrom.Location() != time.UTC {
		s.t.Errorf("stored %v (zero %t), got %v (zero %t)", at, at.IsZero(), got.ValidFrom, got.ValidFrom.IsZero())
	}
}

func timeMicroseconds(t *testing.T, s *sample) {
	for i, micros := range []int{0, 1, 999, 1000, 499_999, 500_000, 999_999} {
		s.wantTime(int64(i)+1, time.Date(2026, 2, 28, 23, 59, 59, micros*1000, time.UTC))
	}
}

func timeZero(t *testing.T, s *sample) {
	s.wantTime(1, time.Time{})
	s.wantTime(2, time.Unix(0, 0).UTC())
	s.wantTime(3, time.UnixMicro(-1).UTC())
	s.wantTime(4, time.UnixMicro(1).UTC())
}

func timeFar(t *testing.T, s *sample) {
	s.wantTime(1, time.Time{}.Add(time.Microsecond))
	s.wantTime(2, time.Date(1, 12, 31, 0, 0, 0, 0, time.UTC))
	s.wantTime(3, time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC))
	s.wantTime(4, time.Date(1582, 10, 10, 0, 0, 0, 0, time.UTC))
}

func timeUTC(t *testing.T, s *sample) {
	zone := time.FixedZone("far", 13*3600+45*60)
	local := time.Date(2026, 11, 21, 1, 2, 3, 4000, zone)
	s.addUser(1, func(u *directory.User) { u.ValidFrom = local })
	got := s.stored(1).ValidFrom
	if !got.Equal(local) || got.Location() != time.UTC {
		t.Errorf("stored %v, got %v", local, got)
	}
}
