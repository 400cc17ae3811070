package directory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// crowd is a tenant with users in every state and company, and the same users
// as the test remembers them.
type crowd struct {
	*fixture
	paths map[int64][]int64 // company -> its ancestors and itself
	users []directory.User
}

var (
	crowdNames  = []string{"Ada", "adam", "Zoë", "José", "Ann-Marie", "O'Neil", "Straße", "Иван", "Li", "Ødegård"}
	crowdMails  = []string{"example.com", "Example.org", "mail.test"}
	crowdStates = []directory.State{staged, active, active, inactive, deleted}
)

// newCrowd makes n users by a fixed seed.
func newCrowd(t *testing.T, n int) *crowd {
	f := newFixture(t)
	c := &crowd{fixture: f, paths: map[int64][]int64{f.root: {f.root}}}
	parents := []int64{f.root}
	for i := range 4 {
		parent := parents[i/2]
		number := f.company(fmt.Sprint("Company ", i), parent)
		c.paths[number] = append(slices.Clone(c.paths[parent]), number)
		parents = append(parents, number)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		given, family := crowdNames[random.IntN(len(crowdNames))], crowdNames[random.IntN(len(crowdNames))]
		u := f.someone(withCompany(parents[random.IntN(len(parents))]), func(in *directory.NewUser) {
			in.Fields.GivenName, in.Fields.FamilyName = directory.Some(given), directory.Some(family)
			in.Fields.Email = directory.Some(fmt.Sprintf("%d.mail@%s", i, crowdMails[random.IntN(len(crowdMails))]))
		})
		c.settle(u, crowdStates[random.IntN(len(crowdStates))])
		c.users = append(c.users, f.stored(u.Number))
	}
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	for range 5 {
		other.someone()
	}
	return c
}

// settle brings a new user into a state.
func (c *crowd) settle(u directory.User, state directory.State) {
	name := map[directory.State]string{inactive: "deactivate", deleted: "delete"}[state]
	if name != "" {
		check(c.t, acts[name](c.fixture, c.sys(), directory.ByNumber(u.Number)))
	}
}

// want is what a query means, over the users that the test remembers.
func (c *crowd) want(q directory.UserQuery) []int64 {
	states := q.States
	if states == 0 {
		states = directory.LivingStates
	}
	var terms []string
	for _, term := range q.Terms {
		terms = append(terms, strings.Fields(directory.FoldSearch(term))...)
	}
	var out []int64
	for _, u := range c.users {
		inside := q.Company == 0 || slices.Contains(c.paths[u.Company], q.Company)
		if inside && states.Has(u.State) && directory.MatchTerms(&u, terms) && (q.Filter == nil || q.Filter.Match(&u)) {
			out = append(out, u.Number)
		}
	}
	return out
}

// queries are lists of every kind.
func (c *crowd) queries() map[string]directory.UserQuery {
	text := func(f directory.Field, op directory.Operator, v string) directory.Filter {
		return directory.Text{Field: f, Op: op, Value: v}
	}
	out := map[string]directory.UserQuery{
		"all":            {},
		"active":         {States: directory.StatesOf(active)},
		"bin":            {States: directory.StatesOf(deleted)},
		"every state":    {States: directory.StatesOf(staged, active, inactive, deleted)},
		"one word":       {Terms: []string{"ada"}},
		"folded word":    {Terms: []string{"ZOË"}},
		"decomposed":     {Terms: []string{"jose\u0301"}},
		"sharp s":        {Terms: []string{"STRASSE"}},
		"two words":      {Terms: []string{"ada example.org"}},
		"two terms":      {Terms: []string{"ann", "mail.test"}},
		"short":          {Terms: []string{"li"}},
		"one letter":     {Terms: []string{"o"}},
		"no match":       {Terms: []string{"nobody"}},
		"wild cards":     {Terms: []string{"%_a"}},
		"quotes":         {Terms: []string{`o'neil "`}},
		"prefix":         {Filter: text(directory.FieldGivenName, directory.OpPrefix, "AD")},
		"suffix":         {Filter: text(directory.FieldEmail, directory.OpSuffix, "example.ORG")},
		"negation":       {Filter: directory.Not{Filter: text(directory.FieldFamilyName, directory.OpContains, "a")}},
		"either":         {Filter: directory.Or{text(directory.FieldGivenName, directory.OpEqual, "li"), directory.InState{States: directory.StatesOf(inactive)}}},
		"nothing":        {Filter: directory.Or{}},
		"filter and bin": {Filter: directory.InState{States: directory.StatesOf(deleted)}},
		"term and filter": {Terms: []string{"mail"}, Filter: directory.And{text(directory.FieldGivenName, directory.OpContains, "a"),
			directory.Compare{Field: directory.FieldNumber, Order: directory.Greater, Value: c.users[10].Number}}},
	}
	for company := range c.paths {
		out[fmt.Sprint("company ", company)] = directory.UserQuery{Company: company}
		out[fmt.Sprint("search in ", company)] = directory.UserQuery{Company: company, Terms: []string{"ad"}}
		out[fmt.Sprint("all states in ", company)] = directory.UserQuery{Company: company, States: directory.StatesOf(active, deleted)}
	}
	return out
}

// Every list, walked by offset and by key, holds exactly what the query means;
// every total is exact, and More tells whether another page follows.
func TestRulesLists(t *testing.T) {
	c := newCrowd(t, 90)
	key := c.key(readerRank)
	for name, q := range c.queries() {
		want := c.want(q)
		for _, limit := range []int{7, 30, 1000} {
			q.Limit, q.WantTotal = limit, true
			for how, step := range map[string]func(q *directory.UserQuery, seen []int64){
				"offset": func(q *directory.UserQuery, seen []int64) { q.Skip = len(seen) },
				"key": func(q *directory.UserQuery, seen []int64) {
					if len(seen) > 0 {
						q.After = seen[len(seen)-1]
					}
				},
			} {
				got := c.walk(key, q, int64(len(want)), step)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s by %s, %d a page (-want +got):\n%s", name, how, limit, diff)
				}
			}
		}
	}
}

// walk reads every page of a query.
func (c *crowd) walk(key string, q directory.UserQuery, total int64, step func(q *directory.UserQuery, seen []int64)) []int64 {
	c.t.Helper()
	var seen []int64
	for {
		step(&q, seen)
		page := must(c.svc.Users(c.ctx, c.as(key), q))(c.t)
		if page.Total != total {
			c.t.Errorf("after %d of %+v: total %d, want %d", len(seen), q, page.Total, total)
		}
		seen = append(seen, numbersOf(page.Users)...)
		if !page.More {
			return seen
		}
		if len(page.Users) != q.Limit || int64(len(seen)) >= total {
			c.t.Fatalf("a page of %d with more to come, limit %d, %d seen of %d", len(page.Users), q.Limit, len(seen), total)
		}
	}
}

// An offset that was not walked to, and one past the end, are as true as the
// walk, also in another process.
func TestRulesListOffsets(t *testing.T) {
	c := newCrowd(t, 40)
	all := c.want(directory.UserQuery{Terms: []string{"mail"}})
	for _, skip := range []int{3, 17, len(all) - 1, len(all), len(all) + 50} {
		page := must(c.svc.Users(c.ctx, c.sys(), directory.UserQuery{Terms: []string{"mail"}, Skip: skip, Limit: 5, WantTotal: true}))(t)
		want := all[min(skip, len(all)):min(skip+5, len(all))]
		if got := numbersOf(page.Users); !slices.Equal(got, want) || page.Total != int64(len(all)) || page.More != (skip+5 < len(all)) {
			t.Errorf("skip %d: %v of %d, more %t; want %v of %d", skip, got, page.Total, page.More, want, len(all))
		}
	}
}

// A walk sees what is deleted and created meanwhile no worse than the rows do:
// no user of the rest is passed over or shown twice by key.
func TestRulesListWalkUnderChanges(t *testing.T) {
	c := newCrowd(t, 30)
	all := c.want(directory.UserQuery{})
	var seen []int64
	q := directory.UserQuery{Limit: 4}
	for {
		page := must(c.svc.Users(c.ctx, c.sys(), q))(t)
		seen = append(seen, numbersOf(page.Users)...)
		if !page.More {
			break
		}
		q.After = seen[len(seen)-1]
		check(t, acts["delete"](c.fixture, c.sys(), directory.ByNumber(seen[len(seen)-2])))
	}
	if diff := cmp.Diff(all, seen); diff != "" {
		t.Errorf("the walk (-want +got):\n%s", diff)
	}
}

func TestRulesListRefusals(t *testing.T) {
	f := newFixture(t)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	for what, q := range map[string]directory.UserQuery{
		"no limit":        {},
		"negative limit":  {Limit: -1},
		"a limit too far": {Limit: directory.MaxLimit + 1},
		"negative skip":   {Limit: 1, Skip: -1},
		"too many words":  {Limit: 1, Terms: []string{strings.Repeat("word ", 17)}},
		"too long a word": {Limit: 1, Terms: []string{strings.Repeat("a", 101)}},
	} {
		if _, err := f.svc.Users(f.ctx, f.sys(), q); directory.CodeOf(err) != directory.CodeInvalid || len(fieldReasons(err)) != 1 {
			t.Errorf("%s: error %v, want invalid", what, err)
		}
	}
	for _, company := range []int64{-1, 987_654, directory.MaxNumber + 1, other.root} {
		_, err := f.svc.Users(f.ctx, f.sys(), directory.UserQuery{Company: company, Limit: 1})
		wantError(t, err, directory.CodeNotFound, noCompany)
	}
	if page := must(f.svc.Users(f.ctx, f.sys(), directory.UserQuery{Company: f.company("Empty", f.root), Limit: 1, WantTotal: true}))(t); len(page.Users) != 0 || page.Total != 0 || page.More {
		t.Errorf("an empty company lists %+v", page)
	}
	must(f.svc.Users(f.ctx, f.sys(), directory.UserQuery{Limit: 1, Terms: []string{strings.Repeat("word ", 16), "  "}}))(t)
}
