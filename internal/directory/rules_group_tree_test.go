package directory_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// below is a patch that puts a group below another; nil below none.
func below(parent *directory.Group) directory.GroupPatch {
	if parent == nil {
		return directory.GroupPatch{Parent: directory.Some("")}
	}
	return directory.GroupPatch{Parent: directory.Some(parent.ID)}
}

// move puts a group below another.
func (f *fixture) move(g, parent *directory.Group) error {
	_, err := f.svc.UpdateGroup(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}, below(parent))
	return err
}

// No group comes to lie below itself, and no tree is deeper than 8.
func TestRulesGroupTree(t *testing.T) {
	f := newFixture(t)
	var names []string
	for i := range 9 {
		names = append(names, "g"+strconv.Itoa(i))
	}
	g := f.groups(names...)
	check(t, f.move(&g[1], &g[0]))
	dump := f.dump()
	for _, c := range []struct{ child, parent int }{{0, 1}, {0, 0}, {1, 1}} { // where depth is no matter
		if got := fieldReasons(f.move(&g[c.child], &g[c.parent])); !slices.Equal(got, []string{"parent group.parent_below"}) {
			t.Errorf("%d below %d: %v", c.child, c.parent, got)
		}
	}
	f.wantUnchanged(dump, "a move of a group below itself")
	for i := range 7 {
		check(t, f.move(&g[i+1], &g[i]))
	}
	for _, c := range []struct{ child, parent int }{{0, 0}, {0, 1}, {0, 7}, {3, 5}, {8, 7}, {0, 8}} {
		if got := fieldReasons(f.move(&g[c.child], &g[c.parent])); !slices.Equal(got, []string{"parent group.parent_below"}) {
			t.Errorf("%d below %d: %v", c.child, c.parent, got)
		}
	}
	other := f.newTenant("umbrella", directory.Settings{})
	foreign := f.in(other).group(plain)
	dash := f.group(dash)
	dump = f.dump()
	for _, parent := range []directory.Group{foreign, dash, {ID: "3f0c3a52-2d3c-4f6e-8e55-0d2f7a3c1b9e"}, {ID: "x"}} {
		if got := fieldReasons(f.move(&g[8], &parent)); !slices.Equal(got, []string{"parent group.not_found"}) {
			t.Errorf("below %s: %v", parent.ID, got)
		}
	}
	f.wantUnchanged(dump, "a refused move")
	check(t, f.move(&g[1], nil))
	check(t, f.move(&g[0], &g[7]))
	if got := must(f.svc.UpdateGroup(f.ctx, f.sys(), directory.GroupRef{ID: g[0].ID}, directory.GroupPatch{}))(t); got.Parent != g[7].Number || got.Version != 2 {
		t.Errorf("moved: %+v", got)
	}
	mark := f.mark()
	check(t, f.move(&g[0], &g[7]))
	f.wantEvents(mark)
}

// Groups are made all or none, below groups of the same batch too.
func TestRulesCreateGroups(t *testing.T) {
	f := newFixture(t)
	const id = "3f0c3a52-2d3c-1f6e-8e55-0d2f7a3c1b9e"
	mark := f.mark()
	made := must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: plain, ID: strings.ToUpper(id), Name: "Top", Description: "d"}, {Kind: plain, Name: "Low"}, {Kind: team, Name: "Crew"}},
		[]string{"", id}))(t)
	if made[0].ID != id || made[1].Parent != made[0].Number || made[0].Key != "top" || made[2].Key != made[2].ID || made[0].Description != "d" {
		t.Errorf("made %+v", made)
	}
	f.wantEvents(mark, directory.EventGroupCreated, directory.EventGroupCreated, directory.EventGroupCreated)
	dump := f.dump()
	for _, c := range []struct {
		last   directory.Group
		parent string
		want   string
	}{
		{directory.Group{Kind: plain, Name: "TOP"}, "", "name group.name_taken"},
		{directory.Group{Kind: plain, Name: "fresh"}, "", "name group.name_taken"},
		{directory.Group{Kind: plain, Name: "x"}, "y", "parent group.not_found"},
		{directory.Group{Kind: dash, Name: "x"}, id, "parent group.not_found"},
		{directory.Group{Kind: plain}, "", "name field.required"},
		{directory.Group{Kind: plain, Name: "\u200b"}, "", "name field.required"},
		{directory.Group{Kind: "other", Name: "x"}, "", "kind field.value"},
		{directory.Group{Kind: plain, Name: "x", ID: "y"}, "", "id field.format"},
		{directory.Group{Kind: plain, Name: strings.Repeat("x", 257)}, "", "name field.length"},
		{directory.Group{Kind: plain, Name: "x", Description: "a\nb"}, "", "description field.format"},
		{directory.Group{Kind: plain, Name: "x", Number: -1}, "", "number field.value"},
		{directory.Group{Kind: plain, Name: "x", Number: made[0].Number}, "", "number number.taken"},
		{directory.Group{Kind: team, Name: "x", Key: "a\x00"}, "", "key field.format"},
	} {
		_, err := f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: plain, Name: "Fresh"}, c.last}, []string{"", c.parent})
		if got := strings.Join(fieldReasons(err), ", "); got != c.want {
			t.Errorf("%+v below %q: %v, want %s", c.last, c.parent, err, c.want)
		}
	}
	f.wantUnchanged(dump, "a batch of which one is refused")
	again := must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: dash, Name: "Top"}}, nil))(t)
	if again[0].Key != "top" {
		t.Errorf("another kind's group: %+v", again)
	}
}

// A put makes or changes, by name or by a vendor's own id.
func TestRulesPutGroup(t *testing.T) {
	f := newFixture(t)
	put := func(kind directory.GroupKind, key string, p directory.GroupPatch) (directory.Group, bool) {
		t.Helper()
		g, made, err := f.svc.PutGroup(f.ctx, f.sys(), kind, key, p)
		check(t, err)
		return g, made
	}
	g, made := put(team, "T-1", directory.GroupPatch{Name: directory.Some("North")})
	if !made || g.Key != "T-1" || g.Name != "North" || g.Version != 1 {
		t.Errorf("made %t: %+v", made, g)
	}
	next, made := put(team, "T-1", directory.GroupPatch{Name: directory.Some("South")})
	if made || next.ID != g.ID || next.Key != "T-1" || next.Name != "South" || next.Version != 2 {
		t.Errorf("made %t: %+v", made, next)
	}
	if other, made := put(team, "t-1", directory.GroupPatch{}); !made || other.Name != "t-1" {
		t.Errorf("another case of the key: made %t, %+v", made, other)
	}
	first, made := put(plain, "Interns", directory.GroupPatch{Description: directory.Some("d")})
	if !made || first.Name != "Interns" || first.Description != "d" {
		t.Errorf("made %t: %+v", made, first)
	}
	renamed, made := put(plain, "INTERNS", directory.GroupPatch{Name: directory.Some("Trainees")})
	if made || renamed.Number != first.Number || renamed.Key != "trainees" {
		t.Errorf("made %t: %+v", made, renamed)
	}
	dump := f.dump()
	for _, c := range []struct {
		key  string
		p    directory.GroupPatch
		want string
	}{
		{"a", directory.GroupPatch{Name: directory.Some("b")}, "name field.mismatch"},
		{"", directory.GroupPatch{}, "name field.required"},
		{"a", directory.GroupPatch{Parent: directory.Some("x")}, "parent group.not_found"},
		{"trainees", directory.GroupPatch{Name: directory.Some("")}, "name field.required"},
	} {
		_, _, err := f.svc.PutGroup(f.ctx, f.sys(), plain, c.key, c.p)
		if got := strings.Join(fieldReasons(err), ", "); got != c.want {
			t.Errorf("%q %+v: %v, want %s", c.key, c.p, err, c.want)
		}
	}
	f.wantUnchanged(dump, "a refused put")
}

// A rename moves the key, and two groups of a kind never have one.
func TestRulesUpdateGroup(t *testing.T) {
	f := newFixture(t)
	g := f.groups("A", "B")
	rename := func(name string) error {
		_, err := f.svc.UpdateGroup(f.ctx, f.sys(), directory.GroupRef{Kind: plain, Name: "a"}, directory.GroupPatch{Name: directory.Some(name)})
		return err
	}
	dump := f.dump()
	wantError(t, rename("b"), directory.CodeConflict, directory.ReasonGroupTaken)
	f.wantUnchanged(dump, "a taken name")
	mark := f.mark()
	check(t, rename("ａ"))
	check(t, rename("C"))
	f.wantEvents(mark, directory.EventGroupUpdated, directory.EventGroupUpdated)
	wantError(t, rename("D"), directory.CodeNotFound, directory.ReasonGroupNotFound)
	if got, _, err := f.svc.Group(f.ctx, f.sys(), directory.GroupRef{Kind: plain, Name: "c"}); err != nil || got.Number != g[0].Number || got.Version != 3 {
		t.Errorf("%+v, error %v", got, err)
	}
}

// Deleting groups takes their members out; what was below is below none.
func TestRulesDeleteGroups(t *testing.T) {
	f := newFixture(t)
	u, g := f.someone(), f.groups("a", "b", "c")
	f.regroup(u, join(directory.GroupsAdd, g...))
	check(t, f.move(&g[2], &g[0]))
	dump := f.dump()
	err := f.svc.DeleteGroups(f.ctx, f.sys(), []directory.GroupRef{{ID: g[0].ID}, {Kind: plain, Name: "x"}})
	wantError(t, err, directory.CodeNotFound, directory.ReasonGroupNotFound)
	f.wantUnchanged(dump, "a deletion of which one is unknown")
	mark := f.mark()
	check(t, f.svc.DeleteGroups(f.ctx, f.sys(), []directory.GroupRef{{ID: g[0].ID}, {Kind: plain, Name: "B"}, {ID: g[0].ID}}))
	f.wantEvents(mark, directory.EventGroupDeleted, directory.EventGroupDeleted)
	if got := f.groupsOf(u.Number); !slices.Equal(got, []string{"c"}) {
		t.Errorf("the user is in %v", got)
	}
	if left, _, err := f.svc.Group(f.ctx, f.sys(), directory.GroupRef{ID: g[2].ID}); err != nil || left.Parent != 0 {
		t.Errorf("%+v, error %v", left, err)
	}
	err = f.svc.DeleteGroups(f.ctx, f.sys(), slices.Repeat([]directory.GroupRef{{ID: g[2].ID}}, 501))
	if got := fieldReasons(err); !slices.Equal(got, []string{"groups field.length"}) {
		t.Errorf("501 groups: %v", err)
	}
}

// A list of groups pages by kind, parent, part of the name and member.
func TestRulesGroups(t *testing.T) {
	f := newFixture(t)
	g, u, v := f.groups("Alpha", "Beta", "Alphabet", "Gamma"), f.someone(), f.someone()
	f.group(dash, "Alpha")
	check(t, f.move(&g[2], &g[0]))
	f.regroup(u, join(directory.GroupsAdd, g[1], g[2]))
	f.regroup(v, join(directory.GroupsAdd, g[2]))
	for _, c := range []struct {
		name  string
		q     directory.GroupQuery
		want  string
		total int64
	}{
		{"all", directory.GroupQuery{}, "Alpha 0, Beta 1, Alphabet 2, Gamma 0", 4},
		{"a page", directory.GroupQuery{Skip: 1, Limit: 2}, "Beta 1, Alphabet 2", 4},
		{"past the end", directory.GroupQuery{Skip: 9}, "", 4},
		{"a part of the name", directory.GroupQuery{Name: "ALPHA"}, "Alpha 0, Alphabet 2", 2},
		{"below one", directory.GroupQuery{Parent: directory.Some(g[0].ID)}, "Alphabet 2", 1},
		{"below none", directory.GroupQuery{Parent: directory.Some("")}, "Alpha 0, Beta 1, Gamma 0", 3},
		{"below an unknown one", directory.GroupQuery{Parent: directory.Some("x")}, "", 0},
		{"of a member", directory.GroupQuery{Member: directory.Some(directory.ByNumber(v.Number))}, "Alphabet 2", 1},
		{"of another kind", directory.GroupQuery{Kind: dash}, "Alpha 0", 1},
	} {
		if c.q.Kind == "" {
			c.q.Kind = plain
		}
		if c.q.Limit == 0 {
			c.q.Limit = 10
		}
		page := must(f.svc.Groups(f.ctx, f.sys(), c.q))(t)
		var got []string
		for i := range page.Groups {
			got = append(got, page.Groups[i].Name+" "+strconv.FormatInt(page.Sizes[i], 10))
		}
		if strings.Join(got, ", ") != c.want || page.Total != c.total {
			t.Errorf("%s: %v of %d, want %s of %d", c.name, got, page.Total, c.want, c.total)
		}
	}
	for want, q := range map[string]directory.GroupQuery{
		"limit field.value": {Kind: plain, Limit: directory.MaxLimit + 1}, "kind field.value": {Kind: "x", Limit: 1}, "name field.format": {Kind: plain, Limit: 1, Name: "\x00"},
	} {
		_, err := f.svc.Groups(f.ctx, f.sys(), q)
		if got := fieldReasons(err); !slices.Equal(got, []string{want}) {
			t.Errorf("%+v: %v, want %s", q, err, want)
		}
	}
	_, err := f.svc.Groups(f.ctx, f.sys(), directory.GroupQuery{Kind: plain, Limit: 1, Member: directory.Some(directory.ByNumber(987_654))})
	wantError(t, err, directory.CodeNotFound, noUser)
}

// Every way to make a group keeps the key by which look-ups by name find it.
func TestRulesGroupKeysAreFolded(t *testing.T) {
	f := newFixture(t)
	for _, kind := range []directory.GroupKind{directory.GroupPlain, directory.GroupDashboard} {
		for _, g := range []directory.Group{{Name: "Smartapp1350 Employee"}, {Key: "Field TEAM", Name: "Field"}} {
			g.Kind = kind
			made := must(f.svc.CreateGroup(f.ctx, f.sys(), g))(t)
			for _, name := range []string{made.Key, strings.ToUpper(made.Key), cmp.Or(g.Key, g.Name)} {
				found, _, err := f.svc.Group(f.ctx, f.sys(), directory.GroupRef{Kind: kind, Name: name})
				if err != nil || found.Number != made.Number {
					t.Errorf("%s %q: group %d, error %v", kind, name, found.Number, err)
				}
			}
			g.Name = "another"
			if g.Key != "" {
				g.Key = strings.ToLower(g.Key)
				_, err := f.svc.CreateGroup(f.ctx, f.sys(), g)
				wantError(t, err, directory.CodeConflict, directory.ReasonGroupTaken)
			}
		}
	}
	team := must(f.svc.CreateGroup(f.ctx, f.sys(), directory.Group{Kind: directory.GroupServiceTeam, Key: "TEAM-x", Name: "Team"}))(t)
	if team.Key != "TEAM-x" {
		t.Errorf("the key of a service team is %q", team.Key)
	}
}

// A group of many members is emptied in transactions of 500 before it goes.
func TestRulesDeleteGroupOfMany(t *testing.T) {
	f := newFixture(t)
	g := must(f.svc.CreateGroup(f.ctx, f.sys(), directory.Group{Kind: directory.GroupPlain, Name: "Many"}))(t)
	small := must(f.svc.CreateGroup(f.ctx, f.sys(), directory.Group{Kind: directory.GroupPlain, Name: "Few"}))(t)
	refs := []directory.GroupRef{{ID: small.ID}, {ID: g.ID}}
	fill := func(members int64) {
		check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
			for n := range members {
				if _, err := tx.SetGroupMember(f.ctx, f.tenant.No, g.Number, 1+n, "", 0); err != nil {
					return err
				}
			}
			_, err := tx.SetGroupMember(f.ctx, f.tenant.No, small.Number, 1, "", 0)
			return err
		}))
	}
	fill(1100)
	watched := &writes{Store: f.store}
	svc := directory.New(watched, directory.Options{Now: f.clock.now})
	dump, mark := f.dump(), f.mark()
	err := svc.DeleteGroups(f.ctx, f.sys(), append(slices.Clone(refs), directory.GroupRef{ID: f.tenant.ID}))
	wantError(t, err, directory.CodeNotFound, directory.ReasonGroupNotFound)
	f.wantUnchanged(dump, "a group that is not there")
	watched.n.Store(0)
	call := f.sys()
	check(t, svc.DeleteGroups(f.ctx, call, refs))
	if n := watched.n.Load(); n != 3 || !call.Changed {
		t.Errorf("%d transactions, changed %t", n, call.Changed)
	}
	updated, erased := directory.EventGroupUpdated, directory.EventGroupDeleted
	f.wantEvents(mark, updated, updated, updated, erased, erased)
	if text := f.dump("group_members")["group_members"]; text != "" {
		t.Errorf("left over: %s", text)
	}
}

// Who is cut off while a group is emptied deletes it again.
func TestRulesDeleteGroupOfManyCutOff(t *testing.T) {
	f := newFixture(t)
	g := must(f.svc.CreateGroup(f.ctx, f.sys(), directory.Group{Kind: directory.GroupPlain, Name: "Many"}))(t)
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
		for n := range int64(600) {
			if _, err := tx.SetGroupMember(f.ctx, f.tenant.No, g.Number, 1+n, "", 0); err != nil {
				return err
			}
		}
		return nil
	}))
	ctx, cancel := context.WithCancel(f.ctx)
	svc := directory.New(&writes{Store: f.store, after: cancel}, directory.Options{Now: f.clock.now})
	if err := svc.DeleteGroups(ctx, f.sys(), []directory.GroupRef{{ID: g.ID}}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	must(f.svc.UpdateGroup(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}, directory.GroupPatch{}))(t)
	check(t, f.svc.DeleteGroups(f.ctx, f.sys(), []directory.GroupRef{{ID: g.ID}}))
	if text := f.dump("group_members")["group_members"]; text != "" {
		t.Errorf("left over: %s", text)
	}
}
