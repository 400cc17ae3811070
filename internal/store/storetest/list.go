package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var listChecks = []check{
	{"Users lists in order of number over every set of states", listStates},
	{"After, Skip and Limit cut the same list", listPages},
	{"A walk by After meets every user once", listWalk},
	{"Users lists in falling order and After is then an upper bound", listDescending},
	{"Users of groups are the members of any of them", listGroups},
	{"An unknown group has no members", listUnknownGroup},
	{"A company's list is its subtree", listSubtree},
	{"A user that moves leaves one list and enters another", listMoves},
	{"No states means living users", listLiving},
	{"WantTotal changes no row", listWantTotal},
	{"Users lists in order of every field over every set of states", listSorted},
	{"A short list in a large tenant is sorted too", listSortedShort},
	{"Texts are sorted byte by byte", listSortedBytes},
	{"An external id is found by handle until its user is deleted", listExternal},
	{"A limit larger than what is there answers what is there", listShort},
	{"CountUsers counts the matches, After, Skip and Limit aside, and stops at limit", listCount},
}

var totalChecks = []check{
	{"UserTotal is the exact number after every kind of change", totalChanges},
	{"UserTotal of the tenant is that of company 0", totalTenant},
	{"UserTotal forgets what was rolled back", totalRolledBack},
	{"UserTotal counts a change only once when fn runs twice", totalTwice},
	{"UserTotal of a company that is not there is 0", totalAbsent},
}

// allStates is every state, deleted included.
var allStates = directory.StatesOf(directory.States[:]...)

// everyStates are all sets of states but the empty one, which has a meaning of
// its own.
func everyStates() []directory.StateSet {
	var sets []directory.StateSet
	for set := directory.StateSet(1); set <= allStates; set++ {
		sets = append(sets, set)
	}
	return sets
}

func (s *sample) list(q directory.UserQuery) []directory.User {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.User, error) {
		return r.Users(ctx, s.tenant, q)
	})
}

func (s *sample) total(company int64, states directory.StateSet) int64 {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (int64, error) {
		return r.UserTotal(ctx, s.tenant, company, states)
	})
}

// matches is whether a user belongs to a query, page aside: the meaning that
// the SQL has to agree with.
func (s *sample) matches(q directory.UserQuery, u *directory.User) bool {
	states := q.States
	if states == 0 {
		states = directory.LivingStates
	}
	return states.Has(u.State) && (q.Company == 0 || s.inSubtree(q.Company, u.Company)) &&
		directory.MatchTerms(u, q.Terms) && (q.Filter == nil || q.Filter.Match(u)) && s.inGroups(q, u.Number)
}

// inGroups is whether a user is in one of the groups of a query.
func (s *sample) inGroups(q directory.UserQuery, number int64) bool {
	if len(q.Groups)+len(q.GroupNumbers) == 0 {
		return true
	}
	return slices.ContainsFunc(s.groups[number], func(group int64) bool { return slices.Contains(q.GroupNumbers, group) })
}

// page is the answer of a query over users that are in order of number, and
// the number of all matches.
func (s *sample) page(q directory.UserQuery, users []directory.User) (numbers []int64, count int64) {
	skip := q.Skip
	users = inOrder(q, users)
	for i := range users {
		u := &users[i]
		if q.Descending {
			u = &users[len(users)-1-i]
		}
		if !s.matches(q, u) {
			continue
		}
		count++
		if !follows(q, u) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(numbers) < q.Limit {
			numbers = append(numbers, u.Number)
		}
	}
	return numbers, count
}

// wantPage compares the store's answers to a query with those of the model.
func (s *sample) wantPage(q directory.UserQuery, users []directory.User) {
	s.t.Helper()
	numbers, count := s.page(q, users)
	const most = 1_000_000
	s.view(func(r directory.Reader) error {
		got, err := r.Users(s.ctx, s.tenant, q)
		if err != nil {
			return fmt.Errorf("Users(%+v): %w", q, err)
		}
		wantSame(s.t, fmt.Sprintf("Users(%+v)", q), numbersOf(got), numbers)
		n, err := r.CountUsers(s.ctx, s.tenant, q, most)
		if err != nil {
			return fmt.Errorf("CountUsers(%+v): %w", q, err)
		}
		if n != count {
			s.t.Errorf("CountUsers(%+v) = %d, want %d", q, n, count)
		}
		return nil
	})
}

// addForest stores users in every company and state, with gaps between their
// numbers.
func (s *sample) addForest(count int) []directory.User {
	s.t.Helper()
	s.addTree()
	var users []directory.User
	for i := range count {
		u := s.user(int64(i)*3 + 1)
		u.Company = int64(i*7%len(s.companies)) + 1
		u.State = directory.States[i*5/3%len(directory.States)]
		users = append(users, u)
	}
	// Stored in another order than they are listed in.
	for i := range users {
		j := (i * 37) % len(users)
		users[i], users[j] = users[j], users[i]
	}
	s.addUsers(users...)
	return s.all()
}

// all reads every user of the tenant by walking the list.
func (s *sample) all() []directory.User {
	s.t.Helper()
	var users []directory.User
	after := int64(0)
	for {
		page := s.list(directory.UserQuery{States: allStates, After: after, Limit: directory.MaxLimit})
		if len(page) == 0 {
			return users
		}
		for _, u := range page {
			if u.Number <= after {
				s.t.Fatalf("user %d is listed after %d", u.Number, after)
			}
			after = u.Number
		}
		users = append(users, page...)
	}
}

func listStates(_ *testing.T, s *sample) {
	users := s.addForest(60)
	for _, states := range everyStates() {
		s.wantPage(directory.UserQuery{States: states, Limit: 100}, users)
		s.wantPage(directory.UserQuery{States: states, Limit: 7, Company: 1}, users)
	}
}

func listPages(_ *testing.T, s *sample) {
	users := s.addForest(60)
	sets := []directory.StateSet{0, allStates, directory.StatesOf(directory.StateActive), directory.StatesOf(directory.StateStaged, directory.StateDeleted)}
	for _, states := range sets {
		for _, after := range []int64{0, 1, 2, 88, 178, directory.MaxNumber} {
			for _, skip := range []int{0, 1, 5, 59, 1000} {
				for _, limit := range []int{1, 4, 60, directory.MaxLimit} {
					for _, company := range []int64{0, 2} {
						s.wantPage(directory.UserQuery{Company: company, States: states, After: after, Skip: skip, Limit: limit}, users)
					}
				}
			}
		}
	}
}

func listWalk(t *testing.T, s *sample) {
	users := s.addForest(60)
	s.joinGroups(newChance(t), users)
	for _, walk := range []directory.UserQuery{{}, {Company: 1}, {Company: 2}, {Company: 4}, {Descending: true}, {Company: 2, Descending: true},
		{GroupNumbers: []int64{2}}, {GroupNumbers: []int64{1, 2, 3}}, {GroupNumbers: []int64{1, 3}, Descending: true},
		{Sort: directory.FieldUserName}, {Sort: directory.FieldFamilyName, Company: 2}, {Sort: directory.FieldEmail, Descending: true},
		{Sort: directory.FieldCreatedAt, Descending: true}, {Sort: directory.FieldGivenName, GroupNumbers: []int64{1, 3}}} {
		whole := walk
		whole.Limit = 1000
		want, _ := s.page(whole, users)
		for _, limit := range []int{1, 3, 10} {
			var got []int64
			q := walk
			q.Limit = limit
			for len(got) <= len(users) {
				page := numbersOf(s.list(q))
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				q.After = page[len(page)-1]
				q.AfterValue = sortValueOf(users, q)
			}
			wantSame(t, fmt.Sprintf("walk of %+v by %d", walk, limit), got, want)
		}
	}
}

func listDescending(_ *testing.T, s *sample) {
	users := s.addForest(60)
	for _, states := range []directory.StateSet{0, allStates, directory.StatesOf(directory.StateStaged, directory.StateDeleted)} {
		for _, after := range []int64{-1, 0, 1, 2, 88, 178, directory.MaxNumber, 1 << 40, 1<<63 - 1} {
			for _, skip := range []int{0, 1, 59} {
				for _, company := range []int64{0, 2} {
					q := directory.UserQuery{Company: company, States: states, After: after, Skip: skip, Limit: 7, Descending: true}
					s.wantPage(q, users)
					q.Terms = []string{"user"}
					s.wantPage(q, users)
					q.WantTotal = true
					s.wantPage(q, users)
				}
			}
		}
	}
}

func listGroups(t *testing.T, s *sample) {
	users := s.addForest(60)
	s.joinGroups(newChance(t), users)
	other := newSample(t, s.store)
	other.addPlain(3)
	other.joinGroups(newChance(t), other.all())
	for _, groups := range [][]int64{{1}, {2}, {5}, {1, 2}, {3, 3, 1}, {4, 404}, {404}, {-1}, {1 << 62, 2}, {1, 2, 3, 4, 5}} {
		for _, company := range []int64{0, 2} {
			for _, states := range []directory.StateSet{0, allStates} {
				for _, after := range []int64{0, 88} {
					q := directory.UserQuery{Company: company, States: states, After: after, Limit: 5, GroupNumbers: groups}
					s.wantPage(q, users)
					q.Filter = directory.Compare{Field: directory.FieldNumber, Order: directory.Less, Value: 120}
					s.wantPage(q, users)
					q.Filter, q.Terms, q.WantTotal = nil, []string{"user"}, true
					s.wantPage(q, users)
				}
			}
		}
		s.wantPage(directory.UserQuery{Filter: directory.Text{Field: directory.FieldID, Value: users[0].ID}, Limit: 5, GroupNumbers: groups}, users)
	}
}

func listUnknownGroup(t *testing.T, s *sample) {
	s.addUser(1)
	q := directory.UserQuery{Limit: 5, Groups: []directory.GroupRef{{Kind: directory.GroupPlain, Name: "nobody's"}}}
	s.wantPage(q, s.all())
	if got := s.list(q); len(got) != 0 {
		t.Errorf("an unknown group has the members %v", numbersOf(got))
	}
}

func listSubtree(_ *testing.T, s *sample) {
	users := s.addForest(60)
	for company := int64(0); company <= 7; company++ {
		for _, states := range []directory.StateSet{0, allStates} {
			s.wantPage(directory.UserQuery{Company: company, States: states, Limit: 100}, users)
		}
	}
}

// wantLists compares every company's list and total in some states.
func (s *sample) wantLists() {
	s.t.Helper()
	users := s.all()
	for company := range s.companies {
		s.wantPage(directory.UserQuery{Company: company, Limit: 1000}, users)
		s.wantPage(directory.UserQuery{Company: company, States: directory.StatesOf(directory.StateDeleted), Limit: 1000}, users)
	}
	s.wantTotals()
}

func listMoves(_ *testing.T, s *sample) {
	s.addForest(24)
	number := s.all()[10].Number
	for _, company := range []int64{4, 1, 3, 5, 2, 6, 4} {
		for _, state := range directory.States {
			s.change(number, func(u *directory.User) { u.Company, u.State = company, state })
			s.wantLists()
		}
	}
}

func listLiving(t *testing.T, s *sample) {
	users := s.addForest(20)
	want, _ := s.page(directory.UserQuery{States: directory.LivingStates, Limit: 100}, users)
	wantSame(t, "users without states", numbersOf(s.list(directory.UserQuery{Limit: 100})), want)
	if len(want) == len(users) {
		t.Error("no user of the sample is deleted")
	}
}

func listWantTotal(t *testing.T, s *sample) {
	s.addForest(10)
	q := directory.UserQuery{Limit: 5}
	plain := s.list(q)
	q.WantTotal = true
	wantSame(t, "users with WantTotal", s.list(q), plain)
}

func listShort(t *testing.T, s *sample) {
	if got := s.list(directory.UserQuery{Limit: directory.MaxLimit}); len(got) != 0 {
		t.Errorf("an empty tenant lists %v", got)
	}
	s.addUser(5)
	for _, limit := range []int{1, 2, directory.MaxLimit} {
		if got := s.list(directory.UserQuery{Limit: limit}); len(got) != 1 || got[0].Number != 5 {
			t.Errorf("limit %d lists %v", limit, numbersOf(got))
		}
	}
}

func listCount(t *testing.T, s *sample) {
	users := s.addForest(40)
	queries := []directory.UserQuery{{}, {States: allStates}, {Company: 2}, {Terms: []string{"user1"}}, {Terms: []string{"gi"}},
		{Filter: directory.Compare{Field: directory.FieldNumber, Order: directory.Greater, Value: 30}},
		{Filter: directory.Or{}}, {Filter: directory.And{}}, {After: 40, Skip: 3, Limit: 2}}
	for _, q := range queries {
		_, count := s.page(q, users)
		for _, limit := range []int64{1, 2, 7, 40, 10_000} {
			got := look(t, s, func(ctx context.Context, r directory.Reader) (int64, error) {
				return r.CountUsers(ctx, s.tenant, q, limit)
			})
			if got != min(count, limit) {
				t.Errorf("CountUsers(%+v, %d) = %d, want %d", q, limit, got, min(count, limit))
			}
		}
	}
}

// wantTotals compares every total with counting.
func (s *sample) wantTotals() {
	s.t.Helper()
	users := s.all()
	s.view(func(r directory.Reader) error {
		for _, states := range everyStates() {
			for company := int64(0); company <= int64(len(s.companies)); company++ {
				got, err := r.UserTotal(s.ctx, s.tenant, company, states)
				if err != nil {
					return err
				}
				if _, want := s.page(directory.UserQuery{Company: company, States: states}, users); got != want {
					s.t.Errorf("UserTotal(company %d, states %b) = %d, want %d", company, states, got, want)
				}
			}
		}
		return nil
	})
}

func totalChanges(t *testing.T, s *sample) {
	s.addTree()
	s.wantTotals()
	s.addUser(1)
	s.wantTotals()
	s.addUser(2, func(u *directory.User) { u.Company, u.State = 4, directory.StateStaged })
	s.wantTotals()
	for _, change := range []func(u *directory.User){
		func(u *directory.User) { u.State = directory.StateActive },
		func(u *directory.User) { u.Company = 5 },
		func(u *directory.User) { u.Company, u.State = 3, directory.StateInactive },
		func(u *directory.User) { u.Title = "Same place" },
		func(u *directory.User) { u.Company = 4 },
		func(u *directory.User) { u.State = directory.StateDeleted },
		func(*directory.User) {},
	} {
		s.change(2, change)
		s.wantTotals()
	}
	for _, number := range []int64{2, 1} {
		s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, number)) })
		s.wantTotals()
	}
	if got := s.total(0, allStates); got != 0 {
		t.Errorf("total %d of an empty tenant", got)
	}
}

func totalTenant(t *testing.T, s *sample) {
	s.addForest(30)
	for _, states := range everyStates() {
		if tenant, root := s.total(0, states), s.total(1, states); tenant != root {
			t.Errorf("states %b: tenant %d, root company %d", states, tenant, root)
		}
	}
}

func totalRolledBack(t *testing.T, s *sample) {
	s.addForest(12)
	before := s.all()
	for i := range 5 {
		_ = s.try(func(tx directory.Tx) error {
			if err := tx.InsertUser(s.ctx, s.user(1000)); err != nil {
				return err
			}
			if err := s.changeIn(tx, 1, func(u *directory.User) { u.Company, u.State = 6, directory.States[i%4] }); err != nil {
				return err
			}
			if err := tx.DeleteUser(s.ctx, s.locked(tx, 4)); err != nil {
				return err
			}
			return errRefused
		})
		s.wantTotals()
	}
	wantSame(t, "users", s.all(), before)
}

func totalTwice(_ *testing.T, s *sample) {
	s.addForest(12)
	runs := 0
	s.update(func(tx directory.Tx) error {
		runs++
		if err := tx.InsertUser(s.ctx, s.user(1000)); err != nil {
			return err
		}
		if err := s.changeIn(tx, 1, func(u *directory.User) { u.Company = 6 }); err != nil {
			return err
		}
		if runs == 1 {
			return fmt.Errorf("as if another had been faster: %w", directory.ErrDuplicate)
		}
		return nil
	})
	s.wantTotals()
}

func totalAbsent(t *testing.T, s *sample) {
	s.addUser(1)
	if got := s.total(404, allStates); got != 0 {
		t.Errorf("total %d", got)
	}
}
