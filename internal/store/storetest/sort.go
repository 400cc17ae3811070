package storetest

import (
	"cmp"
	"slices"
	"strconv"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// compareSorted is the order of a sorted list but for its direction.
func compareSorted(field directory.Field, a string, numberA int64, b string, numberB int64) int {
	byValue := cmp.Compare(a, b)
	if field == directory.FieldCreatedAt || field == directory.FieldUpdatedAt {
		m, _ := strconv.ParseInt(a, 10, 64)
		n, _ := strconv.ParseInt(b, 10, 64)
		byValue = cmp.Compare(m, n)
	}
	return cmp.Or(byValue, cmp.Compare(numberA, numberB))
}

// inOrder are users in the rising order of a query.
func inOrder(q directory.UserQuery, users []directory.User) []directory.User {
	users = slices.Clone(users)
	slices.SortFunc(users, func(a, b directory.User) int {
		return compareSorted(q.Sort, directory.SortValue(&a, q.Sort), a.Number, directory.SortValue(&b, q.Sort), b.Number)
	})
	return users
}

// follows is whether a user comes after the place where a query begins.
func follows(q directory.UserQuery, u *directory.User) bool {
	if q.After <= 0 {
		return true
	}
	order := compareSorted(q.Sort, directory.SortValue(u, q.Sort), u.Number, q.AfterValue, q.After)
	if q.Descending {
		return order < 0
	}
	return order > 0
}

// sortValueOf is the value of the user of q.After.
func sortValueOf(users []directory.User, q directory.UserQuery) string {
	i := slices.IndexFunc(users, func(u directory.User) bool { return u.Number == q.After })
	return directory.SortValue(&users[i], q.Sort)
}

func listSorted(t *testing.T, s *sample) {
	c := newChance(t)
	users := s.addRandom(c, 60)
	for _, field := range sortFields {
		for _, states := range everyStates() {
			for _, company := range []int64{0, 2, 404} {
				q := directory.UserQuery{Sort: field, States: states, Company: company, Limit: 100, Descending: c.IntN(2) == 0}
				s.wantPage(q, users)
				c.sort(&q, users)
				q.After, q.Skip, q.Limit = users[c.IntN(len(users))].Number, c.IntN(3), 1+c.IntN(9)
				q.AfterValue = sortValueOf(users, q)
				s.wantPage(q, users)
			}
		}
	}
}

// listSortedShort: a company of a few users among many, and a few deleted ones.
func listSortedShort(t *testing.T, s *sample) {
	c := newChance(t)
	s.addTree()
	var users []directory.User
	for number := int64(1); number <= 400; number++ {
		u := c.user(s, number)
		u.State, u.Company, u.Profile.ExternalIDs = directory.StateActive, 5, nil
		if number%50 == 0 {
			u.Company = 2
		}
		if number%70 == 0 {
			u.State = directory.StateDeleted
		}
		users = append(users, u)
	}
	s.addUsers(users...)
	for _, field := range sortFields {
		for _, q := range []directory.UserQuery{{Company: 2}, {Company: 5}, {States: directory.StatesOf(directory.StateDeleted)}, {Company: 4}, {Company: 1}} {
			q.Sort, q.Limit = field, 3
			s.wantPage(q, users)
			q.Filter = c.filter(users, 2)
			s.wantPage(q, users)
			q.After, q.Descending = users[c.IntN(len(users))].Number, true
			q.AfterValue = sortValueOf(users, q)
			s.wantPage(q, users)
		}
	}
}

func listSortedBytes(_ *testing.T, s *sample) {
	s.addOwners(func(u *directory.User, key string) { u.UserName, u.DisplayName = key, key })
	users := s.all()
	for _, field := range []directory.Field{directory.FieldUserName, directory.FieldDisplayName} {
		for _, falling := range []bool{false, true} {
			q := directory.UserQuery{Sort: field, Limit: directory.MaxLimit, Descending: falling}
			s.wantPage(q, users)
			for i := range users {
				q.After, q.AfterValue, q.Limit = users[i].Number, directory.SortValue(&users[i], field), 2
				s.wantPage(q, users)
			}
		}
	}
}

// moveExternal brings the handles of external ids from one version of a user
// to another, as the core does: a deleted user has none.
func (s *sample) moveExternal(tx directory.Tx, before, after *directory.User) error {
	if before.State != directory.StateDeleted {
		for credential, id := range before.Profile.ExternalIDs {
			if err := tx.DeleteHandle(s.ctx, s.tenant, directory.ExternalSpace(credential), id, before.Number); err != nil {
				return err
			}
		}
	}
	if after.State == directory.StateDeleted {
		return nil
	}
	for credential, id := range after.Profile.ExternalIDs {
		h := directory.Handle{Space: directory.ExternalSpace(credential), Key: id, Kinds: directory.HandleKey, User: after.Number}
		if err := tx.InsertHandle(s.ctx, s.tenant, h); err != nil {
			return err
		}
	}
	return nil
}

func listExternal(_ *testing.T, s *sample) {
	other := newSample(s.t, s.store)
	for _, of := range []*sample{s, other} {
		for number, id := range []string{"", "a", "ab", "AB", "b"} {
			u := of.user(int64(number) + 1)
			if id != "" {
				u.Profile.ExternalIDs = map[string]string{"c1": id}
			}
			of.addUsers(u)
			of.update(func(tx directory.Tx) error { return of.moveExternal(tx, &directory.User{}, &u) })
		}
	}
	check := func() {
		s.t.Helper()
		users := s.all()
		for _, credential := range []string{"c1", "c2", ""} {
			for op := directory.OpEqual; op <= directory.OpContains; op++ {
				for _, value := range []string{"", "a", "ab", "b", "aB", "\x00", "\xff"} {
					s.wantFilter(users, directory.External{Credential: credential, Op: op, Value: value})
				}
			}
		}
	}
	check()
	before := s.stored(3)
	after := before
	after.State = directory.StateDeleted
	s.update(func(tx directory.Tx) error {
		if err := tx.UpdateUser(s.ctx, before, after); err != nil {
			return err
		}
		return s.moveExternal(tx, &before, &after)
	})
	check()
}
