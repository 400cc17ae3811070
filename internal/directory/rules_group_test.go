package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

const (
	plain = directory.GroupPlain
	dash  = directory.GroupDashboard
	team  = directory.GroupServiceTeam
)

// What each mode makes of the groups a, b, c, for each kind.
func TestRulesGroupModes(t *testing.T) {
	f := newFixture(t)
	for _, kind := range []directory.GroupKind{plain, dash, team} {
		for _, name := range []string{"a", "b", "c", "d"} {
			f.group(kind, name)
		}
	}
	for _, c := range []struct {
		mode  directory.GroupMode
		names string
		want  string
		team  string // where a service team is different
	}{
		{directory.GroupsAdd, "", "a b c", ""}, {directory.GroupsAdd, "d", "a b c d", "d"}, {directory.GroupsAdd, "b", "a b c", "b"},
		{directory.GroupsAdd, "d a d", "a b c d", "d a"},
		{directory.GroupsRemove, "b", "a c", ""}, {directory.GroupsRemove, "d", "a b c", ""}, {directory.GroupsRemove, "c a b", "", ""},
		{directory.GroupsReplace, "", "", ""}, {directory.GroupsReplace, "c d a", "c d a", ""}, {directory.GroupsReplace, "b b", "b", ""},
		{directory.GroupsReplaceFirst, "d", "d b c", ""}, {directory.GroupsReplaceFirst, "a", "a b c", ""},
		{directory.GroupsReplaceFirst, "c", "c b", ""}, {directory.GroupsReplaceFirst, "", "b c", ""},
	} {
		for _, kind := range []directory.GroupKind{plain, dash, team} {
			u := f.someone(func(in *directory.NewUser) {
				in.Fields.Groups = []directory.GroupChange{named(kind, directory.GroupsReplace, "a", "b", "c")}
			})
			if got := f.groupsOf(u.Number); !slices.Equal(got, []string{"a", "b", "c"}) {
				t.Fatalf("a user made in the groups a, b, c is in %v", got)
			}
			want := c.want
			if kind == team && c.team != "" {
				want = c.team
			}
			mark, call := f.mark(), f.sys()
			detail := must(f.svc.ChangeGroups(f.ctx, call, directory.ByNumber(u.Number), directory.IncludeGroups, named(kind, c.mode, strings.Fields(c.names)...)))(t)
			if got := strings.Join(groupNames(detail), " "); got != want || strings.Join(f.groupsOf(u.Number), " ") != want {
				t.Errorf("%s mode %d with %q: %q, want %q", kind, c.mode, c.names, got, want)
			}
			changed := want != "a b c"
			if detail.User.Version != u.Version+map[bool]int64{true: 1}[changed] || detail.User.DoorVersion != u.DoorVersion || call.Changed != changed {
				t.Errorf("%s mode %d with %q: version %d after %d, changed %t", kind, c.mode, c.names, detail.User.Version, u.Version, call.Changed)
			}
			if changed {
				f.wantEvents(mark, directory.EventGroupsChanged)
			} else {
				f.wantEvents(mark)
			}
		}
	}
}

// Names are folded, keys of service teams are not; ids name groups of the
// change's kind.
func TestRulesGroupNames(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	f.group(plain, "Interns")
	sales := f.group(team, "TEAM-a")
	if got := f.regroup(u, named(plain, directory.GroupsAdd, "ｉNTERNS"), named(team, directory.GroupsAdd, "TEAM-a")); !slices.Equal(got, []string{"Interns", "TEAM-a"}) {
		t.Errorf("groups %v", got)
	}
	dump := f.dump()
	for _, c := range []directory.GroupChange{
		named(team, directory.GroupsAdd, "team-a"), named(dash, directory.GroupsAdd, "Interns"), named(plain, directory.GroupsRemove, "x"),
		{Kind: plain, Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{ID: sales.ID}}},
		{Kind: plain, Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{ID: sales.ID, Kind: team}}},
		{Kind: plain, Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{ID: "no-uuid"}}},
		named(plain, directory.GroupsAdd, ""), named(plain, directory.GroupsAdd, "a\x00b"), named(plain, directory.GroupsAdd, strings.Repeat("x", 300)),
	} {
		_, err := f.svc.ChangeGroups(f.ctx, f.sys(), directory.ByNumber(u.Number), 0, c)
		if got := fieldReasons(err); !slices.Equal(got, []string{"groups group.not_found"}) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, c := range []directory.GroupChange{{Kind: "other", Mode: directory.GroupsAdd}, {Kind: plain}, {Kind: plain, Mode: 9}} {
		_, err := f.svc.ChangeGroups(f.ctx, f.sys(), directory.ByNumber(u.Number), 0, c)
		if got := fieldReasons(err); !slices.Equal(got, []string{"groups field.value"}) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	_, err := f.svc.ChangeGroups(f.ctx, f.sys(), directory.ByNumber(u.Number), 0,
		named(plain, directory.GroupsAdd, "Interns", "no", "none"), named(dash, directory.GroupsReplace, "nothing"))
	if got := fieldReasons(err); len(got) != 3 || directory.CodeOf(err) != directory.CodeInvalid {
		t.Errorf("three unknown groups: %v", err)
	}
	f.wantUnchanged(dump, "a refused change of groups")
}

// A membership keeps its role until a change names another.
func TestRulesGroupMemberRoles(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	f.groups("a", "b")
	admin := named(plain, directory.GroupsAdd, "a")
	admin.Role = "ADMIN"
	f.regroup(u, admin)
	if got := f.regroup(u, named(plain, directory.GroupsAdd, "b", "a")); !slices.Equal(got, []string{"a=ADMIN", "b"}) {
		t.Errorf("groups %v", got)
	}
	admin.Role = "INSTRUCTOR"
	if got := f.regroup(u, admin); !slices.Equal(got, []string{"a=INSTRUCTOR", "b"}) {
		t.Errorf("groups %v", got)
	}
	event := f.events(0)[len(f.events(0))-1]
	want := `{"version":4,"changes":{"groups":[[{"kind":"group","name":"a","role":"ADMIN"},{"kind":"group","name":"b"}],[{"kind":"group","name":"a","role":"INSTRUCTOR"},{"kind":"group","name":"b"}]]}}`
	if event.User != u.Number || string(event.Payload) != want {
		t.Errorf("event of user %d: %s", event.User, event.Payload)
	}
}

// Who is made a member of a team from the team's side leaves the other teams,
// and each user's change is an event of its own.
func TestRulesSetGroupMembers(t *testing.T) {
	f := newFixture(t)
	a, b := f.group(team, "A"), f.group(team, "B")
	x, y, z := f.someone(), f.someone(), f.someone()
	f.regroup(x, join(directory.GroupsAdd, b))
	f.regroup(y, join(directory.GroupsAdd, a))
	mark := f.mark()
	check(t, f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{Kind: team, Name: "A"}, refs(z, x, z)))
	f.wantEvents(mark, directory.EventGroupsChanged, directory.EventGroupsChanged, directory.EventGroupsChanged)
	for u, want := range map[int64]string{x.Number: "A", y.Number: "", z.Number: "A"} {
		if got := strings.Join(f.groupsOf(u), " "); got != want {
			t.Errorf("user %d is in %q, want %q", u, got, want)
		}
	}
	if got := f.stored(x.Number).Version; got != x.Version+2 {
		t.Errorf("version %d after two changes of %d", got, x.Version)
	}
	members := must(f.svc.GroupMembers(f.ctx, f.sys(), directory.GroupRef{ID: a.ID}))(t)
	if got := numbers(members); !slices.Equal(got, []int64{x.Number, z.Number}) {
		t.Errorf("members %v", got)
	}
	dump, again := f.dump(), f.sys()
	check(t, f.svc.SetGroupMembers(f.ctx, again, directory.GroupRef{ID: a.ID}, refs(x, z)))
	err := f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{ID: a.ID}, append(refs(y), directory.ByUserName("nobody"), directory.ByNumber(987_654)))
	wantError(t, err, directory.CodeNotFound, noUser)
	if err == nil || !strings.Contains(directory.AsError(err).Message, `"nobody"`) || again.Changed {
		t.Errorf("error %v does not name the first unknown user; changed %t", err, again.Changed)
	}
	wantError(t, f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{Kind: team, Name: "a"}, nil), directory.CodeNotFound, directory.ReasonGroupNotFound)
	f.wantUnchanged(dump, "a refused or repeated change of members")
}

// A change of more users than a transaction may hold up is refused.
func TestRulesSetGroupMembersIsBounded(t *testing.T) {
	f := newFixture(t)
	g := f.group(plain)
	first := f.someone()
	check(t, f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}, refs(first)))
	many := slices.Repeat(refs(first), directory.MaxLimit)
	check(t, f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}, many))
	err := f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}, append(many, many[0]))
	if got := fieldReasons(err); !slices.Equal(got, []string{"members field.length"}) {
		t.Errorf("%d members: %v", len(many)+1, err)
	}
	var users []directory.User
	for range 501 {
		users = append(users, f.someone())
	}
	dump := f.dump()
	err = f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}, refs(append(users, first)...))
	if got := fieldReasons(err); !slices.Equal(got, []string{"members field.length"}) {
		t.Errorf("501 changes: %v", err)
	}
	f.wantUnchanged(dump, "501 changes")
	check(t, f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}, refs(append(users[:500], first)...)))
	if _, size, err := f.svc.Group(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}); err != nil || size != 501 {
		t.Errorf("size %d, error %v", size, err)
	}
}

// A key of one company sees, counts and changes only its own people in a group
// of the tenant.
func TestRulesBoundKeyAndGroups(t *testing.T) {
	f := newFixture(t)
	a, g := f.company("A", f.root), f.group(plain)
	key := f.bound(a)
	mine, new, other := f.someone(withCompany(a)), f.someone(withCompany(a)), f.someone()
	ref := directory.GroupRef{ID: g.ID}
	check(t, f.svc.SetGroupMembers(f.ctx, f.sys(), ref, refs(mine, other)))
	if got := numbers(must(f.svc.GroupMembers(f.ctx, f.as(key), ref))(t)); !slices.Equal(got, []int64{mine.Number}) {
		t.Errorf("members as seen from the company: %v", got)
	}
	if _, size, err := f.svc.Group(f.ctx, f.as(key), ref); err != nil || size != 1 {
		t.Errorf("size as seen from the company: %d, error %v", size, err)
	}
	page := must(f.svc.Groups(f.ctx, f.as(key), directory.GroupQuery{Kind: plain, Limit: 10}))(t)
	if !slices.Equal(page.Sizes, []int64{1}) {
		t.Errorf("sizes as seen from the company: %v", page.Sizes)
	}
	wantError(t, f.svc.SetGroupMembers(f.ctx, f.as(key), ref, refs(other)), directory.CodeNotFound, noUser)
	check(t, f.svc.SetGroupMembers(f.ctx, f.as(key), ref, refs(new)))
	if got := numbers(must(f.svc.GroupMembers(f.ctx, f.sys(), ref))(t)); !slices.Equal(got, []int64{new.Number, other.Number}) {
		t.Errorf("members: %v, want %d and %d", got, new.Number, other.Number)
	}
}

// A deleted user is no member until it is restored.
func TestRulesDeletedMembers(t *testing.T) {
	f := newFixture(t)
	g, u := f.group(plain), f.someone()
	ref, user := directory.GroupRef{ID: g.ID}, directory.ByNumber(u.Number)
	f.regroup(u, join(directory.GroupsAdd, g))
	must(f.svc.DeleteUser(f.ctx, f.sys(), user))(t)
	if members := must(f.svc.GroupMembers(f.ctx, f.sys(), ref))(t); len(members) != 0 {
		t.Errorf("members %v", numbers(members))
	}
	_, err := f.svc.ChangeGroups(f.ctx, f.sys(), user, 0, join(directory.GroupsRemove, g))
	wantError(t, err, directory.CodeNotFound, directory.ReasonUserDeleted)
	check(t, f.svc.SetGroupMembers(f.ctx, f.sys(), ref, nil))
	must(f.svc.RestoreUser(f.ctx, f.sys(), user))(t)
	if got := f.groupsOf(u.Number); !slices.Equal(got, []string{g.Name}) {
		t.Errorf("a restored user is in %v", got)
	}
}

// A user has at most 500 memberships; who has more keeps them and gets no more.
func TestRulesMembershipsAreBounded(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	batch := make([]directory.Group, 500)
	for i := range batch {
		batch[i] = directory.Group{Kind: plain, Name: fmt.Sprintf("g%d", i)}
	}
	made := must(f.svc.CreateGroups(f.ctx, f.sys(), batch, nil))(t)
	_, err := f.svc.CreateGroups(f.ctx, f.sys(), append(batch, batch[0]), nil)
	if got := fieldReasons(err); !slices.Equal(got, []string{"groups field.length"}) {
		t.Errorf("501 groups: %v", err)
	}
	f.regroup(u, join(directory.GroupsAdd, made...))
	one := f.group(plain, "one more")
	_, err = f.svc.ChangeGroups(f.ctx, f.sys(), directory.ByNumber(u.Number), 0, join(directory.GroupsAdd, one))
	if got := fieldReasons(err); !slices.Equal(got, []string{"groups field.length"}) {
		t.Errorf("one more than 500: %v", err)
	}
	if got := f.regroup(u, join(directory.GroupsReplaceFirst, one)); len(got) != 500 || got[0] != one.Name || cmp.Equal(got[1], "g0") {
		t.Errorf("%d groups, first %v", len(got), got[:2])
	}
}
