package storetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var peopleChecks = []check{
	{"LastSignIns are those of the users who signed in", lastSignIns},
	{"Users by their last sign-in", listSignedIn},
	{"Users by role, each once", listRole},
	{"Users by number", listNumbers},
	{"Users by the door that keeps own fields of them", listExtras},
	{"Until ends a list, sorted or not", listUntil},
	{"LookEnd ends what is looked at, and nothing that an index has", lookEnd},
	{"CanSort refuses what is too much to sort", canSort},
}

// signedIn stores when some users last signed in: number 3 never did, 4 has no
// password.
func (s *sample) signedIn() map[int64]time.Time {
	s.t.Helper()
	times := map[int64]time.Time{1: noon, 2: noon.AddDate(0, 0, 1), 3: {}, 5: noon.AddDate(0, 0, 2)}
	for number := int64(1); number <= 6; number++ {
		s.addUser(number)
	}
	s.update(func(tx directory.Tx) error {
		for number, at := range times {
			if err := tx.SetPassword(s.ctx, s.tenant, directory.Password{User: number, Hash: "x", SetAt: noon, LastLogin: at}); err != nil {
				return err
			}
		}
		return nil
	})
	return times
}

func lastSignIns(t *testing.T, s *sample) {
	times := s.signedIn()
	got := look(t, s, func(ctx context.Context, r directory.Reader) (map[int64]time.Time, error) {
		return r.LastSignIns(ctx, s.tenant, []int64{1, 2, 3, 4, 404})
	})
	wantSame(t, "LastSignIns", got, map[int64]time.Time{1: times[1], 2: times[2]})
	none := look(t, s, func(ctx context.Context, r directory.Reader) (map[int64]time.Time, error) {
		return r.LastSignIns(ctx, s.tenant, nil)
	})
	wantSame(t, "LastSignIns of nobody", none, map[int64]time.Time{})
}

// wantNumbers lists in every way that there is, and counts.
func (s *sample) wantNumbers(q directory.UserQuery, want ...int64) {
	s.t.Helper()
	q.Limit = 100
	for _, sort := range []directory.Field{directory.FieldNone, directory.FieldUserName, directory.FieldGivenName} {
		q.Sort = sort
		got := numbersOf(s.list(q))
		slices.Sort(got)
		wantSame(s.t, "users", got, want)
	}
	n := look(s.t, s, func(ctx context.Context, r directory.Reader) (int64, error) {
		return r.CountUsers(ctx, s.tenant, q, 100)
	})
	if n != int64(len(want)) {
		s.t.Errorf("%d users are counted, and %d listed", n, len(want))
	}
}

func listSignedIn(_ *testing.T, s *sample) {
	s.signedIn()
	s.wantNumbers(directory.UserQuery{SignedIn: directory.SignInTime{Never: true}}, 3, 4, 6)
	s.wantNumbers(directory.UserQuery{SignedIn: directory.SignInTime{From: noon.AddDate(0, 0, 1)}}, 2, 5)
	s.wantNumbers(directory.UserQuery{SignedIn: directory.SignInTime{Before: noon.AddDate(0, 0, 1)}}, 1)
	s.wantNumbers(directory.UserQuery{SignedIn: directory.SignInTime{From: noon, Before: noon.AddDate(0, 0, 2)}}, 1, 2)
	s.wantNumbers(directory.UserQuery{SignedIn: directory.SignInTime{From: noon}, Numbers: []int64{1, 3, 5}}, 1, 5)
	s.wantNumbers(directory.UserQuery{SignedIn: directory.SignInTime{Never: true}, States: directory.StatesOf(directory.StateInactive)})
}

func listRole(_ *testing.T, s *sample) {
	s.addTree()
	for number := int64(1); number <= 4; number++ {
		s.addUser(number)
	}
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertRole(s.ctx, directory.Role{Tenant: s.tenant, Number: 7, Key: "clerk", Name: "clerk"}),
			tx.InsertRole(s.ctx, directory.Role{Tenant: s.tenant, Number: 8, Key: "chef", Name: "chef"}),
			tx.AddUserRole(s.ctx, s.tenant, directory.RoleAssignment{Number: 1, User: 1, Role: 7, Company: 1}),
			tx.AddUserRole(s.ctx, s.tenant, directory.RoleAssignment{Number: 2, User: 1, Role: 7, Company: 2}),
			tx.AddUserRole(s.ctx, s.tenant, directory.RoleAssignment{Number: 3, User: 3, Role: 7, Company: 2}),
			tx.AddUserRole(s.ctx, s.tenant, directory.RoleAssignment{Number: 4, User: 2, Role: 8, Company: 1}))
	})
	s.wantNumbers(directory.UserQuery{Role: 7}, 1, 3)
	s.wantNumbers(directory.UserQuery{Role: 7, Numbers: []int64{2, 3, 4}}, 3)
	s.wantNumbers(directory.UserQuery{Role: 7, Filter: directory.Compare{Field: directory.FieldNumber, Order: directory.Less, Value: 2}}, 1)
	s.wantNumbers(directory.UserQuery{Role: 9})
	wantSame(s.t, "the second holder", numbersOf(s.list(directory.UserQuery{Role: 7, After: 1, Limit: 5})), []int64{3})
	wantSame(s.t, "the last holder first", numbersOf(s.list(directory.UserQuery{Role: 7, Limit: 1, Descending: true})), []int64{3})
}

func listNumbers(t *testing.T, s *sample) {
	c := newChance(t)
	users := s.addRandom(c, 30)
	var want []int64
	for i := range users {
		if n := users[i].Number; n%3 == 0 && users[i].State != directory.StateDeleted {
			want = append(want, n)
		}
	}
	numbers := []int64{404}
	for n := int64(3); n <= 30; n += 3 {
		numbers = append(numbers, n)
	}
	s.wantNumbers(directory.UserQuery{Numbers: numbers}, want...)
}

func listExtras(_ *testing.T, s *sample) {
	for number, profile := range map[int64]directory.Profile{
		1: {Extras: map[string]json.RawMessage{"encore": json.RawMessage(`{"RoleId":2}`)}},
		2: {Extras: map[string]json.RawMessage{"scim": json.RawMessage(`{"encore":{"a":1}}`)}},
		3: {Attributes: map[string]json.RawMessage{"encore": json.RawMessage(`{"a":1}`)}},
		4: {Extras: map[string]json.RawMessage{"encore": json.RawMessage(`{}`)}},
		5: {},
		6: {Extras: map[string]json.RawMessage{"encore": json.RawMessage(`{"a":"b"}`), "scim": json.RawMessage(`{"c":[]}`)}},
	} {
		s.addUser(number, func(u *directory.User) { u.Profile = profile })
	}
	s.wantNumbers(directory.UserQuery{Filter: directory.HasExtras{Door: directory.DoorEncore}}, 1, 6)
	s.wantNumbers(directory.UserQuery{Filter: directory.HasExtras{Door: directory.DoorSCIM}}, 2, 6)
	s.wantNumbers(directory.UserQuery{Filter: directory.Not{Filter: directory.HasExtras{Door: directory.DoorEncore}}}, 2, 3, 4, 5)
}

func listUntil(t *testing.T, s *sample) {
	c := newChance(t)
	users := s.addRandom(c, 40)
	for _, field := range []directory.Field{directory.FieldNone, directory.FieldUserName, directory.FieldFamilyName, directory.FieldUpdatedAt} {
		for _, falling := range []bool{false, true} {
			q := directory.UserQuery{Sort: field, Descending: falling, States: allStates, Limit: 100, Filter: directory.Not{Filter: directory.Is{Field: directory.FieldLocked}}}
			whole := s.list(q)
			end := users[c.IntN(len(users))]
			q.Until, q.UntilValue = end.Number, directory.SortValue(&end, field)
			var want []int64
			for i := range whole {
				order := compareSorted(field, directory.SortValue(&whole[i], field), whole[i].Number, q.UntilValue, q.Until)
				if falling && order >= 0 || !falling && order <= 0 {
					want = append(want, whole[i].Number)
				}
			}
			if got := numbersOf(s.list(q)); !slices.Equal(got, want) {
				t.Errorf("until %d by %s, falling %t: %v, want %v", end.Number, field, falling, got, want)
			}
		}
	}
}

// end is what LookEnd says.
type end struct {
	Number int64
	Value  string
	Walks  bool
}

func (s *sample) lookEnd(q directory.UserQuery, most int) end {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (e end, err error) {
		e.Number, e.Value, e.Walks, err = r.LookEnd(ctx, s.tenant, q, most)
		return e, err
	})
}

func lookEnd(t *testing.T, s *sample) {
	c := newChance(t)
	users := s.addRandom(c, 20)
	locked := directory.Is{Field: directory.FieldMustChangePassword, Value: true} // no index has them
	wantSame(t, "the fifth", s.lookEnd(directory.UserQuery{Filter: locked}, 5), end{Number: 5, Walks: true})
	wantSame(t, "the fifth after 3", s.lookEnd(directory.UserQuery{Filter: locked, After: 3}, 5), end{Number: 8, Walks: true})
	wantSame(t, "the fifth from the end", s.lookEnd(directory.UserQuery{Filter: locked, Descending: true}, 5), end{Number: 16, Walks: true})
	wantSame(t, "fewer follow", s.lookEnd(directory.UserQuery{Filter: locked}, 21), end{Walks: true})
	slices.SortFunc(users, func(a, b directory.User) int {
		return cmp.Or(cmp.Compare(directory.SortValue(&a, directory.FieldUserName), directory.SortValue(&b, directory.FieldUserName)), cmp.Compare(a.Number, b.Number))
	})
	value := func(i int) string { return directory.SortValue(&users[i], directory.FieldUserName) }
	wantSame(t, "the fourth by name", s.lookEnd(directory.UserQuery{Filter: locked, Sort: directory.FieldUserName}, 4), end{users[3].Number, value(3), true})
	wantSame(t, "the fourth by name after the second", s.lookEnd(directory.UserQuery{Filter: locked, Sort: directory.FieldUserName, After: users[1].Number, AfterValue: value(1)}, 4),
		end{users[5].Number, value(5), true})
	for name, q := range map[string]directory.UserQuery{
		"all": {}, "words": {Terms: []string{"anna"}, Filter: locked}, "a role": {Role: 7, Filter: locked}, "numbers": {Numbers: []int64{1}, Filter: locked},
		"the locked": {Filter: directory.Is{Field: directory.FieldLocked, Value: true}}, "a licence": {Filter: directory.Text{Field: directory.FieldLicenceType, Value: "x"}},
	} {
		wantSame(t, name, s.lookEnd(q, 5), end{})
	}
}

func canSort(t *testing.T, s *sample) {
	c := newChance(t)
	users := s.addRandom(c, 20)
	living := int64(0)
	for i := range users {
		if users[i].State != directory.StateDeleted {
			living++
		}
	}
	term := directory.UserQuery{Terms: []string{directory.FoldSearch(users[0].UserName)}}
	for _, test := range []struct {
		name  string
		q     directory.UserQuery
		limit int64
		want  bool
	}{
		{"by number", directory.UserQuery{}, 1, true},
		{"by a name with an index", directory.UserQuery{Sort: directory.FieldUserName}, 1, true},
		{"by a name without", directory.UserQuery{Sort: directory.FieldGivenName}, 1, false},
		{"few by a name without", directory.UserQuery{Sort: directory.FieldGivenName}, living, true},
		{"a filter that walks the index", directory.UserQuery{Sort: directory.FieldUserName, Filter: directory.Is{Field: directory.FieldMustChangePassword, Value: true}}, 1, true},
		{"nobody's role", directory.UserQuery{Sort: directory.FieldUserName, Role: 404}, 1, true},
		{"more numbers than can be sorted", directory.UserQuery{Sort: directory.FieldUserName, States: allStates, Numbers: []int64{1, 2, 3}}, 2, false},
		{"few matches of a search", directory.UserQuery{Sort: directory.FieldUserName, Terms: append(term.Terms, "qqqq")}, 1, true},
	} {
		got := look(t, s, func(ctx context.Context, r directory.Reader) (bool, error) {
			return r.CanSort(ctx, s.tenant, test.q, test.limit)
		})
		if got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}
