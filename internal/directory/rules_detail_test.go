package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// withReset is everything, with reset tokens.
const withReset = everything | directory.IncludeReset

// describe is what a detail holds, as text.
func describe(d directory.UserDetail) string {
	var roles, locations []string
	for _, h := range d.Roles {
		roles = append(roles, fmt.Sprintf("%s@%d", h.Role.Key, h.Assignment.Company))
	}
	for _, l := range d.Locations {
		locations = append(locations, l.Name)
	}
	return fmt.Sprintf("company %q owner %d groups %v roles %v locations %v", d.Company.Name, d.Owner.Number, groupNames(d), roles, locations)
}

// furnish makes a user of company a who has a group, and roles and locations in
// both companies.
func (f *fixture) furnish(a, b int64) directory.User {
	f.t.Helper()
	role := f.keyed("tech", selfRank)
	u := f.someone(withCompany(a), withPassword)
	f.regroup(u, join(directory.GroupsAdd, f.groups("y", "x")...))
	for _, company := range []int64{a, b} {
		_, _, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(u.Number), role.Number, company)
		check(f.t, err)
		l := must(f.svc.CreateLocation(f.ctx, f.sys(), directory.Location{Name: fmt.Sprintf("l%d", company), Company: company}))(f.t)
		check(f.t, f.svc.AssignLocation(f.ctx, f.sys(), directory.ByNumber(u.Number), l.Number))
	}
	return u
}

// A detail holds what was asked for, of what the caller can see.
func TestRulesUserDetail(t *testing.T) {
	f := newFixture(t)
	a, b := f.company("A", f.root), f.company("B", f.root)
	owner, u := f.ranked(ownerRank), f.furnish(a, b)
	ref := directory.ByNumber(u.Number)
	whole := fmt.Sprintf(`company "A" owner %d groups [y x] roles [tech@%d tech@%d] locations [l%d l%d]`, owner.Number, a, b, a, b)
	for _, c := range []struct {
		who  string
		call *directory.Call
		with directory.Include
		want string
	}{
		{"the tenant's reader", f.as(f.key(readerRank)), everything, whole},
		{"the same, of the user alone", f.as(f.key(readerRank)), 0, `company "" owner 0 groups [] roles [] locations []`},
		{"a key of the company", f.as(f.bound(a)), everything, fmt.Sprintf(`company "A" owner 0 groups [y x] roles [tech@%d] locations [l%d]`, a, a)},
		{"the user", f.session(u)(), everything, strings.Replace(whole, fmt.Sprintf("owner %d", owner.Number), "owner 0", 1)},
	} {
		detail, err := f.svc.UserDetail(f.ctx, c.call, ref, c.with)
		if got := describe(detail); err != nil || got != c.want || detail.User.Number != u.Number {
			t.Errorf("%s: %s, error %v; want %s", c.who, got, err, c.want)
		}
	}
	list := must(f.svc.UserDetails(f.ctx, f.sys(), directory.UserQuery{Company: a, Limit: 10, WantTotal: true}, everything))(t)
	if len(list.Users) != 1 || list.Total != 1 || list.More || describe(list.Users[0]) != whole {
		t.Errorf("list: %+v", list)
	}
	_, err := f.svc.UserDetails(f.ctx, f.session(u)(), directory.UserQuery{Limit: 10}, 0)
	wantError(t, err, directory.CodeForbidden, directory.ReasonRankTooLow)
	must(f.svc.DeleteUser(f.ctx, f.sys(), ref))(t)
	_, err = f.svc.UserDetail(f.ctx, f.sys(), ref, everything)
	wantError(t, err, directory.CodeNotFound, directory.ReasonUserDeleted)
}

// Reset tokens take the right to set passwords, of each user.
func TestRulesDetailResets(t *testing.T) {
	f := newFixture(t)
	boss, u := f.ranked(adminRank), f.someone()
	desk := f.as(f.key(deskRank))
	page := must(f.svc.UserDetails(f.ctx, desk, directory.UserQuery{Limit: 10}, directory.IncludeReset))(t)
	tokens := map[int64]string{}
	for _, d := range page.Users {
		if d.Reset.Token != "" {
			tokens[d.User.Number] = d.Reset.Token
			f.secret(d.Reset.Token)
		}
	}
	if len(tokens) != 1 || tokens[u.Number] == "" {
		t.Errorf("the helpdesk got tokens of %d users, and of the administrator %q", len(tokens), tokens[boss.Number])
	}
	for who, key := range map[string]string{
		"a reader":                             f.key(readerRank),
		"a key without the scope of passwords": f.key(adminRank, func(in *directory.NewCredential) { in.Scopes = directory.AllScopes &^ directory.ScopePasswords }),
	} {
		dump := f.dump()
		_, one := f.svc.UserDetail(f.ctx, f.as(key), directory.ByNumber(u.Number), withReset)
		_, many := f.svc.UserDetails(f.ctx, f.as(key), directory.UserQuery{Limit: 10}, withReset)
		if directory.CodeOf(one) != directory.CodeForbidden || directory.CodeOf(many) != directory.CodeForbidden {
			t.Errorf("%s: %v, %v", who, one, many)
		}
		f.wantUnchanged(dump, who)
	}
	narrow := f.key(adminRank, func(in *directory.NewCredential) { in.Scopes = directory.ScopeUsersRead | directory.ScopePasswords })
	detail := must(f.svc.UserDetail(f.ctx, f.as(narrow), directory.ByNumber(boss.Number), withReset))(t)
	if detail.Reset != (directory.ResetToken{}) {
		t.Error("a key for less than its rank allows got the reset token of an administrator")
	}
	detail = must(f.svc.UserDetail(f.ctx, f.as(narrow), directory.ByNumber(u.Number), withReset))(t)
	f.secret(detail.Reset.Token)
	if detail.Reset.Token == "" || detail.Reset.Token == tokens[u.Number] || !detail.Reset.ExpiresAt.After(f.clock.now()) {
		t.Errorf("token until %s", detail.Reset.ExpiresAt)
	}
	_, err := f.svc.UserDetails(f.ctx, f.sys(), directory.UserQuery{Limit: 501}, directory.IncludeReset)
	if got := fieldReasons(err); !slices.Equal(got, []string{"limit field.value"}) {
		t.Errorf("501 tokens: %v", err)
	}
}

// A list by groups shows who is in any of them, with an exact total; groups
// that do not exist have nobody.
func TestRulesUsersByGroups(t *testing.T) {
	f := newFixture(t)
	a, g := f.company("A", f.root), f.groups("x", "y", "empty")
	one, two, both := f.someone(), f.someone(withCompany(a)), f.someone()
	f.someone()
	f.regroup(one, join(directory.GroupsAdd, g[0]))
	f.regroup(two, join(directory.GroupsAdd, g[1]))
	f.regroup(both, join(directory.GroupsAdd, g[0], g[1]))
	x, y := directory.GroupRef{ID: g[0].ID}, directory.GroupRef{Kind: plain, Name: "Y"}
	none := directory.GroupRef{Kind: plain, Name: "no"}
	for _, c := range []struct {
		name string
		q    directory.UserQuery
		want []int64
		all  int64
	}{
		{"one", directory.UserQuery{Groups: []directory.GroupRef{x}}, []int64{one.Number, both.Number}, 2},
		{"any of two", directory.UserQuery{Groups: []directory.GroupRef{x, y, x}}, []int64{one.Number, two.Number, both.Number}, 3},
		{"one that exists", directory.UserQuery{Groups: []directory.GroupRef{none, y}}, []int64{two.Number, both.Number}, 2},
		{"none that exists", directory.UserQuery{Groups: []directory.GroupRef{none}}, []int64{}, 0},
		{"an empty one", directory.UserQuery{Groups: []directory.GroupRef{{ID: g[2].ID}}}, []int64{}, 0},
		{"in a company", directory.UserQuery{Groups: []directory.GroupRef{y}, Company: a}, []int64{two.Number}, 1},
		{"a page", directory.UserQuery{Groups: []directory.GroupRef{x, y}, Skip: 1, Limit: 1}, []int64{two.Number}, 3},
		{"falling", directory.UserQuery{Groups: []directory.GroupRef{x}, Descending: true}, []int64{both.Number, one.Number}, 2},
		{"numbers that the caller set", directory.UserQuery{GroupNumbers: []int64{g[0].Number}, Company: a}, []int64{two.Number}, 1},
	} {
		c.q.WantTotal = true
		if c.q.Limit == 0 {
			c.q.Limit = 10
		}
		page := must(f.svc.Users(f.ctx, f.sys(), c.q))(t)
		if diff := cmp.Diff(c.want, numbers(page.Users)); diff != "" || page.Total != c.all {
			t.Errorf("%s: total %d, want %d (-want +got):\n%s", c.name, page.Total, c.all, diff)
		}
	}
	_, err := f.svc.Users(f.ctx, f.sys(), directory.UserQuery{Groups: []directory.GroupRef{none}, Company: 987_654, Limit: 1})
	wantError(t, err, directory.CodeNotFound, noCompany)
	_, err = f.svc.Users(f.ctx, f.sys(), directory.UserQuery{Groups: slices.Repeat([]directory.GroupRef{x}, directory.MaxLimit+1), Limit: 1})
	if got := fieldReasons(err); !slices.Equal(got, []string{"groups field.length"}) {
		t.Errorf("too many groups: %v", err)
	}
}

// Two walks that differ in groups or direction do not share their places.
func TestRulesWalksByGroups(t *testing.T) {
	f := newFixture(t)
	g := f.groups("x", "y")
	var people []directory.User
	for range 4 {
		people = append(people, f.someone())
	}
	f.regroup(people[0], join(directory.GroupsAdd, g[0]))
	f.regroup(people[1], join(directory.GroupsAdd, g[0]))
	for _, u := range people[2:] {
		f.regroup(u, join(directory.GroupsAdd, g[1]))
	}
	second := func(q directory.UserQuery) []int64 {
		t.Helper()
		q.Limit = 1
		must(f.svc.Users(f.ctx, f.sys(), q))(t)
		q.Skip = 1
		return numbers(must(f.svc.Users(f.ctx, f.sys(), q))(t).Users)
	}
	for _, c := range []struct {
		q    directory.UserQuery
		want int64
	}{
		{directory.UserQuery{}, people[1].Number}, {directory.UserQuery{Descending: true}, people[2].Number},
		{directory.UserQuery{Groups: []directory.GroupRef{{ID: g[1].ID}}}, people[3].Number},
		{directory.UserQuery{Groups: []directory.GroupRef{{ID: g[0].ID}}, Descending: true}, people[0].Number},
		{directory.UserQuery{Groups: []directory.GroupRef{{ID: g[0].ID}}}, people[1].Number},
	} {
		if got := second(c.q); !slices.Equal(got, []int64{c.want}) {
			t.Errorf("%+v: second page %v, want %d", c.q, got, c.want)
		}
	}
}
