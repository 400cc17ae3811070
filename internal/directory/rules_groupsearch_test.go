package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// search lists all pages of a search, by cursor or by offset, and returns the
// names of the groups and the total.
func (f *fixture) search(secret string, q directory.GroupSearch, byCursor bool) ([]string, int64) {
	f.t.Helper()
	names, total := []string{}, int64(-1)
	q.WantCursor = byCursor
	for {
		page := must(f.svc.SearchGroups(f.ctx, f.as(secret), q))(f.t)
		if total >= 0 && page.Total != total {
			f.t.Errorf("%+v: total %d after %d", q, page.Total, total)
		}
		total = page.Total
		for i := range page.Groups {
			names = append(names, page.Groups[i].Group.Name)
		}
		if byCursor {
			if q.Cursor = page.Next; q.Cursor == "" {
				return names, total
			}
			continue
		}
		if q.Skip += q.Limit; q.Skip >= int(total) {
			return names, total
		}
	}
}

// Every search finds the same groups page by page, by offset and by cursor.
func TestRulesSearchGroups(t *testing.T) {
	f := newFixture(t)
	key, u := f.key(readerRank), f.someone()
	made := map[string]directory.Group{}
	for _, name := range []string{"delta", "Alpha", "echo", "Bravo", "charlie"} {
		made[name] = f.group(plain, name)
	}
	f.group(dash, "alpha")
	f.regroup(u, named(plain, directory.GroupsAdd, "echo", "delta", "Bravo"))
	withE := func(d *directory.GroupDetail) bool { return strings.Contains(d.Group.Name, "e") }
	for _, c := range []struct {
		q    directory.GroupSearch
		want string
	}{
		{directory.GroupSearch{}, "delta Alpha echo Bravo charlie"},
		{directory.GroupSearch{ByName: true}, "Alpha Bravo charlie delta echo"},
		{directory.GroupSearch{ByName: true, Descending: true}, "echo delta charlie Bravo Alpha"},
		{directory.GroupSearch{Descending: true}, "charlie Bravo echo Alpha delta"},
		{directory.GroupSearch{Match: withE}, "delta echo charlie"},
		{directory.GroupSearch{Match: withE, ByName: true}, "charlie delta echo"},
		{directory.GroupSearch{Match: func(*directory.GroupDetail) bool { return false }}, ""},
		{directory.GroupSearch{Name: directory.Some("ＡLPHA")}, "Alpha"},
		{directory.GroupSearch{Name: directory.Some("alph")}, ""},
		{directory.GroupSearch{Name: directory.Some("")}, ""},
		{directory.GroupSearch{Name: directory.Some("a\x00")}, ""},
		{directory.GroupSearch{Name: directory.Some("alpha"), Match: withE}, ""},
		{directory.GroupSearch{ID: made["echo"].ID}, "echo"},
		{directory.GroupSearch{ID: "no-uuid"}, ""},
		{directory.GroupSearch{ID: made["echo"].ID, Name: directory.Some("delta")}, ""},
		{directory.GroupSearch{Member: directory.Some(directory.ByID(u.ID))}, "delta echo Bravo"},
		{directory.GroupSearch{Member: directory.Some(directory.ByID(u.ID)), ByName: true}, "Bravo delta echo"},
		{directory.GroupSearch{Member: directory.Some(directory.ByID(u.ID)), Name: directory.Some("Echo")}, "echo"},
		{directory.GroupSearch{Member: directory.Some(directory.ByID(u.ID)), ID: made["Alpha"].ID}, ""},
		{directory.GroupSearch{Member: directory.Some(directory.ByNumber(987_654))}, ""},
	} {
		c.q.Kind = plain
		for limit := 1; limit <= 6; limit++ {
			c.q.Limit = limit
			for _, byCursor := range []bool{false, true} {
				names, total := f.search(key, c.q, byCursor)
				if got := strings.Join(names, " "); got != c.want || total != int64(len(names)) {
					t.Errorf("%+v, by cursor %t: %q of %d, want %q", c.q, byCursor, got, total, c.want)
				}
			}
		}
		c.q.Limit = 0
		if page := must(f.svc.SearchGroups(f.ctx, f.as(key), c.q))(t); len(page.Groups) != 0 || page.Total != int64(len(strings.Fields(c.want))) || page.Next != "" {
			t.Errorf("%+v without groups: %+v", c.q, page)
		}
	}
}

// The name of a service team is found though its key is another one.
func TestRulesSearchServiceTeams(t *testing.T) {
	f := newFixture(t)
	key := f.key(readerRank)
	for _, name := range []string{"North", "North West", "NORTH"} {
		must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: team, Key: f.unique("T"), Name: name}}, nil))(t)
	}
	if names, total := f.search(key, directory.GroupSearch{Kind: team, Name: directory.Some("north"), Limit: 1}, true); strings.Join(names, " ") != "North NORTH" || total != 2 {
		t.Errorf("%v of %d", names, total)
	}
}

// Cursors of sorted lists go on where the group itself is gone or was renamed.
func TestRulesSearchGroupsGoesOn(t *testing.T) {
	f := newFixture(t)
	key := f.key(readerRank)
	long := strings.Repeat("x", 100)
	a, b := f.group(plain, long+"a"), f.group(plain, long+"b")
	f.groups("first", "last", long+"c")
	q := directory.GroupSearch{Kind: plain, ByName: true, Limit: 2, WantCursor: true}
	page := must(f.svc.SearchGroups(f.ctx, f.as(key), q))(t)
	q.Cursor, q.Limit = page.Next, 10
	names := func() []string {
		list := []string{}
		for _, g := range must(f.svc.SearchGroups(f.ctx, f.as(key), q))(t).Groups {
			list = append(list, strings.TrimPrefix(g.Group.Name, long))
		}
		return list
	}
	if got := names(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("the second page: %v", got)
	}
	q.Cursor = ""
	q.Limit = 3
	page = must(f.svc.SearchGroups(f.ctx, f.as(key), q))(t)
	q.Cursor, q.Limit = page.Next, 10
	must(f.svc.UpdateGroup(f.ctx, f.sys(), directory.GroupRef{ID: a.ID}, directory.GroupPatch{Name: directory.Some("zz")}))(t)
	if got := names(); !slices.Equal(got, []string{"b", "c", "zz"}) {
		t.Errorf("after a change of name: %v", got)
	}
	check(t, f.svc.DeleteGroups(f.ctx, f.sys(), []directory.GroupRef{{ID: a.ID}, {ID: b.ID}}))
	if got := names(); !slices.Equal(got, []string{"c"}) {
		t.Errorf("after a deletion: %v", got)
	}
}

// A cursor is good for its search and its caller only.
func TestRulesSearchGroupsCursors(t *testing.T) {
	f := newFixture(t)
	key := f.key(readerRank)
	f.groups("a", "b", "c")
	q := directory.GroupSearch{Kind: plain, Limit: 1, WantCursor: true}
	q.Cursor = must(f.svc.SearchGroups(f.ctx, f.as(key), q))(t).Next
	must(f.svc.SearchGroups(f.ctx, f.as(key), q))(t)
	for what, change := range map[string]func(q *directory.GroupSearch){
		"kind": func(q *directory.GroupSearch) { q.Kind = dash }, "order": func(q *directory.GroupSearch) { q.ByName = true },
		"direction": func(q *directory.GroupSearch) { q.Descending = true }, "match": func(q *directory.GroupSearch) { q.MatchKey = "x" },
		"name": func(q *directory.GroupSearch) { q.Name = directory.Some("a") }, "text": func(q *directory.GroupSearch) { q.Cursor += "x" },
		"member": func(q *directory.GroupSearch) { q.Member = directory.Some(directory.ByNumber(1)) }, "none": func(q *directory.GroupSearch) { q.Cursor = "?" },
	} {
		other := q
		change(&other)
		if _, err := f.svc.SearchGroups(f.ctx, f.as(key), other); !directory.IsReason(err, directory.ReasonCursorInvalid) {
			t.Errorf("another %s: error %v", what, err)
		}
	}
	wantError(t, second(f.svc.SearchGroups(f.ctx, f.as(f.key(readerRank)), q)), directory.CodeInvalid, directory.ReasonCursorInvalid)
	for _, bad := range []directory.GroupSearch{{Kind: "x"}, {Kind: plain, Limit: -1}, {Kind: plain, Limit: directory.MaxLimit + 1}, {Kind: plain, Skip: -1}} {
		wantError(t, second(f.svc.SearchGroups(f.ctx, f.as(key), bad)), directory.CodeInvalid, directory.ReasonFieldValue)
	}
	f.clock.advance(directory.CursorLifetime)
	wantError(t, second(f.svc.SearchGroups(f.ctx, f.as(key), q)), directory.CodeInvalid, directory.ReasonCursorExpired)
}

// Sizes and members are what the caller can see; parents and external ids come
// with the groups.
func TestRulesSearchGroupsShows(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	all, bound := f.key(adminRank), f.bound(a)
	mine, other := f.someone(withCompany(a)), f.someone()
	top := must(f.svc.MakeGroup(f.ctx, f.as(all), directory.NewGroup{Group: directory.Group{Kind: plain, Name: "top"}, ExternalID: "x", Members: refs(mine, other)}))(t)
	must(f.svc.MakeGroup(f.ctx, f.as(all), directory.NewGroup{Group: directory.Group{Kind: plain, Name: "below"}, ParentID: top.Group.ID}))(t)
	show := func(secret string, q directory.GroupSearch) string {
		text := ""
		q.Kind, q.Limit = plain, 10
		for _, g := range must(f.svc.SearchGroups(f.ctx, f.as(secret), q))(t).Groups {
			text += fmt.Sprintf("%s %d %d %t %s; ", g.Group.Name, g.Size, len(g.Members), g.ParentID == top.Group.ID, g.ExternalID)
		}
		return text
	}
	for _, c := range []struct {
		secret string
		q      directory.GroupSearch
		want   string
	}{
		{all, directory.GroupSearch{}, "top 2 0 false x; below 0 0 true ; "},
		{all, directory.GroupSearch{WithMembers: true}, "top 2 2 false x; below 0 0 true ; "},
		{all, directory.GroupSearch{WithoutSizes: true}, "top -1 0 false x; below -1 0 true ; "},
		{bound, directory.GroupSearch{}, "top 1 0 false ; below 0 0 true ; "},
		{bound, directory.GroupSearch{WithMembers: true}, "top 1 1 false ; below 0 0 true ; "},
		{bound, directory.GroupSearch{Member: directory.Some(directory.ByNumber(other.Number))}, ""},
		{bound, directory.GroupSearch{Member: directory.Some(directory.ByNumber(mine.Number))}, "top 1 0 false ; "},
	} {
		if got := show(c.secret, c.q); got != c.want {
			t.Errorf("%+v: %s, want %s", c.q, got, c.want)
		}
	}
}

// A page of groups shows at most 10,000 members; a group alone shows all.
func TestRulesSearchGroupsIsBounded(t *testing.T) {
	f := newFixture(t)
	key := f.key(readerRank)
	users := make([]directory.User, 0, 101)
	for range 101 {
		users = append(users, f.someone())
	}
	groups := make([]directory.Group, 100)
	for i := range groups {
		groups[i] = directory.Group{Kind: plain, Name: fmt.Sprint("group ", i)}
	}
	groups = must(f.svc.CreateGroups(f.ctx, f.sys(), groups, nil))(t)
	join := func(u directory.User) {
		check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
			for i, g := range groups {
				if _, err := tx.SetGroupMember(f.ctx, g.Tenant, g.Number, u.Number, "", i); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for _, u := range users[:100] {
		join(u)
	}
	q := directory.GroupSearch{Kind: plain, Limit: 100, WithMembers: true}
	page := must(f.svc.SearchGroups(f.ctx, f.as(key), q))(t)
	if last := page.Groups[99]; len(last.Members) != 100 || last.Size != 100 {
		t.Errorf("the last group has %d of %d members", len(last.Members), last.Size)
	}
	join(users[100])
	wantError(t, second(f.svc.SearchGroups(f.ctx, f.as(key), q)), directory.CodeInvalid, directory.ReasonListTooLarge)
	q.Limit = 99
	must(f.svc.SearchGroups(f.ctx, f.as(key), q))(t)
}
