package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// someones makes users whose names do not matter.
func (f *fixture) someones(count int) []directory.User {
	f.t.Helper()
	users := make([]directory.User, count)
	for i := range users {
		users[i] = f.someone()
	}
	return users
}

// edit edits a group.
func (f *fixture) edit(call *directory.Call, g directory.Group, edit directory.GroupEdit) (directory.GroupDetail, error) {
	f.t.Helper()
	return f.svc.EditGroup(f.ctx, call, directory.GroupRef{ID: g.ID}, edit)
}

// membersOf are the numbers of a group's members, as a caller sees them.
func (f *fixture) membersOf(call *directory.Call, g directory.Group) []int64 {
	f.t.Helper()
	detail := must(f.svc.GroupDetail(f.ctx, call, directory.GroupRef{ID: g.ID}, true))(f.t)
	list := []int64{}
	for _, m := range detail.Members {
		list = append(list, m.Number)
	}
	if detail.Size != int64(len(list)) {
		f.t.Errorf("size %d of %d members", detail.Size, len(list))
	}
	return list
}

// A group is made with its members, or not at all.
func TestRulesMakeGroup(t *testing.T) {
	f := newFixture(t)
	key := f.key(adminRank)
	users, parent, mark := f.someones(2), f.group(plain), f.mark()
	in := directory.NewGroup{Group: directory.Group{Kind: plain, Name: "Sales", Description: "d"}, ParentID: parent.ID, ExternalID: "x-1",
		Members: refs(users[1], users[0], users[1])}
	made := must(f.svc.MakeGroup(f.ctx, f.as(key), in))(t)
	f.wantEvents(mark, directory.EventGroupCreated, directory.EventGroupsChanged, directory.EventGroupsChanged)
	if made.Group.Version != 1 || made.ParentID != parent.ID || made.ExternalID != "x-1" || made.Size != 2 || made.Group.Key != "sales" {
		t.Errorf("made %+v", made)
	}
	if got := f.membersOf(f.sys(), made.Group); !slices.Equal(got, []int64{users[0].Number, users[1].Number}) {
		t.Errorf("members %v", got)
	}
	detail := must(f.svc.GroupDetail(f.ctx, f.as(key), directory.GroupRef{ID: made.Group.ID}, false))(t)
	if detail.Size != 2 || detail.Members != nil || detail.ExternalID != "x-1" || detail.ParentID != parent.ID {
		t.Errorf("read %+v", detail)
	}
	if other := must(f.svc.GroupDetail(f.ctx, f.as(f.key(adminRank)), directory.GroupRef{ID: made.Group.ID}, false))(t); other.ExternalID != "" {
		t.Errorf("another credential's external id: %q", other.ExternalID)
	}
	dump := f.dump()
	for what, in := range map[string]directory.NewGroup{
		"group.name_taken": {Group: directory.Group{Kind: plain, Name: "SALES"}},
		"user.not_found":   {Group: directory.Group{Kind: plain, Name: "Other"}, Members: append(refs(users[0]), directory.ByNumber(987_654))},
		"group.not_found":  {Group: directory.Group{Kind: plain, Name: "Other"}, ParentID: users[0].ID},
		"field.length":     {Group: directory.Group{Kind: plain, Name: "Other"}, ExternalID: strings.Repeat("x", 256)},
	} {
		call := f.as(key)
		if _, err := f.svc.MakeGroup(f.ctx, call, in); !directory.IsReason(err, directory.Reason(what)) || call.Changed {
			t.Errorf("%s: error %v, changed %t", what, err, call.Changed)
		}
	}
	f.wantUnchanged(dump, "a refused group")
}

// What each edit makes of a group of the users 1 and 2, of four: who is in, how
// many events there are, and the version.
func TestRulesEditGroupMembers(t *testing.T) {
	f := newFixture(t)
	users := f.someones(4)
	pick := func(places string) []directory.UserRef {
		list := []directory.UserRef{}
		for _, p := range places {
			list = append(list, directory.ByID(strings.ToUpper(users[p-'1'].ID)))
		}
		return list
	}
	gone := []directory.UserRef{directory.ByNumber(987_654), directory.ByID("3f0c3a52-2d3c-4f6e-8e55-0d2f7a3c1b9e"), directory.ByUserName("nobody")}
	for _, c := range []struct {
		edit   directory.GroupEdit
		want   string
		events int
	}{
		{directory.GroupEdit{}, "12", 0},
		{directory.GroupEdit{Add: pick("3")}, "123", 1},
		{directory.GroupEdit{Add: pick("1")}, "12", 0},
		{directory.GroupEdit{Add: pick("3413")}, "1234", 2},
		{directory.GroupEdit{Remove: pick("1")}, "2", 1},
		{directory.GroupEdit{Remove: pick("3")}, "12", 0},
		{directory.GroupEdit{Remove: append(pick("2211"), gone...)}, "", 2},
		{directory.GroupEdit{Remove: pick("13"), Add: pick("14")}, "124", 1},
		{directory.GroupEdit{Members: directory.Some(pick(""))}, "", 2},
		{directory.GroupEdit{Members: directory.Some(pick("21"))}, "12", 0},
		{directory.GroupEdit{Members: directory.Some(pick("233"))}, "23", 2},
		{directory.GroupEdit{Members: directory.Some(pick("34")), Remove: pick("4"), Add: pick("1")}, "13", 2},
	} {
		g, other := f.group(plain), f.group(plain)
		check(t, f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}, refs(users[:2]...)))
		check(t, f.svc.SetGroupMembers(f.ctx, f.sys(), directory.GroupRef{ID: other.ID}, refs(users...)))
		mark, call, dump := f.mark(), f.sys(), f.dump()
		detail := must(f.edit(call, g, c.edit))(t)
		want := []int64{}
		for _, p := range c.want {
			want = append(want, users[p-'1'].Number)
		}
		if got := f.membersOf(f.sys(), g); !slices.Equal(got, want) {
			t.Errorf("%+v: members %v, want %v", c.edit, got, want)
		}
		if types := f.types(mark); len(types) != c.events || slices.ContainsFunc(types, func(e directory.EventType) bool { return e != directory.EventGroupsChanged }) {
			t.Errorf("%+v: events %v, want %d", c.edit, types, c.events)
		}
		if c.events == 0 {
			f.wantUnchanged(dump, "an edit that changes nothing")
		}
		version := g.Version + int64(min(c.events, 1))
		if detail.Group.Version != version || call.Changed != (c.events > 0) || detail.Size != directory.SizeUnknown {
			t.Errorf("%+v: %+v, want version %d; changed %t", c.edit, detail, version, call.Changed)
		}
		if got := f.membersOf(f.sys(), other); len(got) != 4 {
			t.Errorf("%+v: the users' other group has %v", c.edit, got)
		}
		check(t, f.svc.DeleteGroups(f.ctx, f.sys(), []directory.GroupRef{{ID: g.ID}, {ID: other.ID}}))
	}
}

// The group and its members change together, once, and only as the version asks.
func TestRulesEditGroupOnce(t *testing.T) {
	f := newFixture(t)
	u, g := f.someone(), f.group(plain)
	mark := f.mark()
	f.clock.advance(1)
	both := directory.GroupEdit{GroupPatch: directory.GroupPatch{Name: directory.Some("Renamed")}, Add: refs(u)}
	detail := must(f.edit(f.sys(), g, both))(t)
	f.wantEvents(mark, directory.EventGroupUpdated, directory.EventGroupsChanged)
	if detail.Group.Version != g.Version+1 || detail.Group.Name != "Renamed" {
		t.Errorf("%+v", detail.Group)
	}
	f.clock.advance(1_000_000)
	detail = must(f.edit(f.sys(), g, directory.GroupEdit{Remove: refs(u)}))(t)
	if !detail.Group.UpdatedAt.Equal(f.clock.now()) || detail.Group.Version != g.Version+2 {
		t.Errorf("after a change of members %+v", detail.Group)
	}
	if stored, _, err := f.svc.Group(f.ctx, f.sys(), directory.GroupRef{ID: g.ID}); err != nil || cmp.Diff(detail.Group, stored) != "" {
		t.Errorf("stored %+v, error %v", stored, err)
	}
	dump := f.dump()
	for what, change := range map[string]func(c *directory.Call, e *directory.GroupEdit){
		"version.mismatch":   func(c *directory.Call, _ *directory.GroupEdit) { c.If.Match = []int64{g.Version} },
		"user.not_found":     func(_ *directory.Call, e *directory.GroupEdit) { e.Add = append(e.Add, directory.ByNumber(987_654)) },
		"group.name_taken":   func(_ *directory.Call, e *directory.GroupEdit) { e.Name = directory.Some(f.group(plain).Name) },
		"group.parent_below": func(_ *directory.Call, e *directory.GroupEdit) { e.Parent = directory.Some(g.ID) },
	} {
		call, edit := f.sys(), directory.GroupEdit{Add: refs(u)}
		change(call, &edit)
		if what == "group.name_taken" {
			dump = f.dump()
		}
		if _, err := f.edit(call, g, edit); !directory.IsReason(err, directory.Reason(what)) || call.Changed {
			t.Errorf("%s: error %v, changed %t", what, err, call.Changed)
		}
		f.wantUnchanged(dump, what)
	}
	call := f.sys()
	call.If.Match = []int64{detail.Group.Version}
	must(f.edit(call, g, directory.GroupEdit{Add: refs(u)}))(t)
	wantError(t, second(f.svc.EditGroup(f.ctx, f.sys(), directory.GroupRef{ID: u.ID}, both)), directory.CodeNotFound, directory.ReasonGroupNotFound)
}

// More changes than a transaction may hold up are refused, however they are
// named; who is in already costs no look-up.
func TestRulesEditGroupIsBounded(t *testing.T) {
	f := newFixture(t)
	g, users := f.group(plain), f.someones(3)
	nobody := make([]directory.UserRef, 2001)
	for i := range nobody {
		nobody[i] = directory.ByNumber(int64(900_000 + i))
	}
	dump := f.dump()
	for what, edit := range map[string]directory.GroupEdit{
		"add": {Add: nobody}, "remove": {Remove: nobody}, "members": {Members: directory.Some(nobody)},
	} {
		_, err := f.edit(f.sys(), g, edit)
		if got := fieldReasons(err); !slices.Equal(got, []string{"members field.length"}) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(f.edit(f.sys(), g, directory.GroupEdit{Remove: nobody[:2000]}))(t)
	f.wantUnchanged(dump, "refused edits")
	many := slices.Repeat(refs(users...), 1000)
	must(f.edit(f.sys(), g, directory.GroupEdit{Members: directory.Some(many)}))(t)
	if got := f.membersOf(f.sys(), g); len(got) != 3 {
		t.Errorf("members %v", got)
	}
}

// Deleted users cannot join; those who are in stay out of sight and in place.
func TestRulesEditGroupDeletedUsers(t *testing.T) {
	f := newFixture(t)
	g, u, gone := f.group(plain), f.someone(), f.someone()
	must(f.edit(f.sys(), g, directory.GroupEdit{Add: refs(u, gone)}))(t)
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	dump := f.dump()
	wantError(t, second(f.edit(f.sys(), g, directory.GroupEdit{Add: refs(gone)})), directory.CodeNotFound, noUser)
	must(f.edit(f.sys(), g, directory.GroupEdit{Remove: refs(gone)}))(t)
	must(f.edit(f.sys(), g, directory.GroupEdit{Members: directory.Some(refs(u))}))(t)
	f.wantUnchanged(dump, "edits about a deleted user")
	if got := f.membersOf(f.sys(), g); !slices.Equal(got, []int64{u.Number}) {
		t.Errorf("members %v", got)
	}
}

// A key of one company edits who of its own people is in, and nothing else.
func TestRulesEditGroupBoundKey(t *testing.T) {
	f := newFixture(t)
	a, g := f.company("A", f.root), f.group(plain)
	key := f.bound(a)
	mine, next, other := f.someone(withCompany(a)), f.someone(withCompany(a)), f.someone()
	must(f.edit(f.sys(), g, directory.GroupEdit{Add: refs(mine, other)}))(t)
	dump := f.dump()
	wantError(t, second(f.edit(f.as(key), g, directory.GroupEdit{Add: refs(other)})), directory.CodeNotFound, noUser)
	must(f.edit(f.as(key), g, directory.GroupEdit{Remove: refs(other)}))(t)
	wantError(t, second(f.edit(f.as(key), g, directory.GroupEdit{GroupPatch: directory.GroupPatch{Description: directory.Some("x")}})), directory.CodeForbidden, wholeTenant)
	f.wantUnchanged(dump, "edits outside of the company")
	must(f.edit(f.as(key), g, directory.GroupEdit{Members: directory.Some(refs(next))}))(t)
	if got := f.membersOf(f.sys(), g); !slices.Equal(got, []int64{next.Number, other.Number}) {
		t.Errorf("members %v", got)
	}
	if got := f.membersOf(f.as(key), g); !slices.Equal(got, []int64{next.Number}) {
		t.Errorf("members as seen from the company %v", got)
	}
	page := must(f.svc.ListMembers(f.ctx, f.as(key), directory.GroupRef{ID: g.ID}, 10, ""))(t)
	if len(page.Members) != 1 || page.Total != 1 || page.Members[0].UserName != next.UserName || page.Next != "" {
		t.Errorf("list of members as seen from the company %+v", page)
	}
}

// A group has an external id for each of 20 credentials; those of revoked ones
// make room.
func TestRulesGroupExternalIDs(t *testing.T) {
	f := newFixture(t)
	g := f.group(plain)
	var keys, ids []string
	for i := range 21 {
		made, secret, err := f.svc.CreateKey(f.ctx, f.sys(), directory.NewCredential{Name: fmt.Sprint("key ", i), Rank: adminRank})
		check(t, err)
		f.secret(secret)
		keys, ids = append(keys, secret), append(ids, made.ID)
	}
	set := func(key, id string) (directory.GroupDetail, error) {
		return f.edit(f.as(key), g, directory.GroupEdit{GroupPatch: directory.GroupPatch{ExternalID: directory.Some(id)}})
	}
	for i, key := range keys[:20] {
		detail := must(set(key, fmt.Sprint("x-", i)))(t)
		if detail.ExternalID != fmt.Sprint("x-", i) || detail.Group.Version != g.Version+int64(i)+1 {
			t.Errorf("%d: %+v", i, detail)
		}
	}
	dump := f.dump()
	must(set(keys[3], "x-3"))(t)
	f.wantUnchanged(dump, "the same external id")
	_, err := set(keys[20], "x-20")
	if got := fieldReasons(err); !slices.Equal(got, []string{"external_id field.length"}) {
		t.Errorf("the 21st: %v", err)
	}
	check(t, f.svc.RevokeCredential(f.ctx, f.sys(), ids[5]))
	if detail := must(set(keys[20], "x-20"))(t); len(detail.Group.ExternalIDs) != 20 || detail.Group.ExternalIDs[ids[5]] != "" {
		t.Errorf("after the revocation %v", detail.Group.ExternalIDs)
	}
	if detail := must(set(keys[20], ""))(t); len(detail.Group.ExternalIDs) != 19 || detail.ExternalID != "" {
		t.Errorf("after the removal %v", detail.Group.ExternalIDs)
	}
	// People have no names of their own for a group: they would share one.
	_, err = f.edit(f.session(f.ranked(adminRank))(), g, directory.GroupEdit{GroupPatch: directory.GroupPatch{ExternalID: directory.Some("mine")}})
	wantError(t, err, directory.CodeInvalid, directory.ReasonFieldRights)
}

// Members are listed page by page, each once, by whoever was given the cursor.
func TestRulesListMembers(t *testing.T) {
	f := newFixture(t)
	g, users := f.group(plain), f.someones(5)
	must(f.edit(f.sys(), g, directory.GroupEdit{Add: refs(users...)}))(t)
	key, ref := f.key(readerRank), directory.GroupRef{ID: g.ID}
	var got []int64
	cursor := ""
	for {
		page := must(f.svc.ListMembers(f.ctx, f.as(key), ref, 2, cursor))(t)
		if page.Total != 5 {
			t.Errorf("total %d", page.Total)
		}
		for _, m := range page.Members {
			got = append(got, m.Number)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
		wantError(t, second(f.svc.ListMembers(f.ctx, f.as(f.key(readerRank)), ref, 2, cursor)), directory.CodeInvalid, directory.ReasonCursorInvalid)
		wantError(t, second(f.svc.ListMembers(f.ctx, f.as(key), directory.GroupRef{ID: f.group(plain).ID}, 2, cursor)), directory.CodeInvalid, directory.ReasonCursorInvalid)
	}
	if !slices.Equal(got, numbers(users)) {
		t.Errorf("members %v", got)
	}
	for _, limit := range []int{0, -1, directory.MaxLimit + 1} {
		wantError(t, second(f.svc.ListMembers(f.ctx, f.as(key), ref, limit, "")), directory.CodeInvalid, directory.ReasonFieldValue)
	}
	page := must(f.svc.ListMembers(f.ctx, f.as(key), ref, 2, ""))(t)
	f.clock.advance(directory.CursorLifetime)
	wantError(t, second(f.svc.ListMembers(f.ctx, f.as(key), ref, 2, page.Next)), directory.CodeInvalid, directory.ReasonCursorExpired)
}
