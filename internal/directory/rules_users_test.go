package directory_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// faultsOf are the fields of a refusal with their reasons.
func faultsOf(err error) map[string]directory.Reason {
	list := map[string]directory.Reason{}
	for _, f := range directory.AsError(err).Fields {
		list[f.Field] = f.Reason
	}
	return list
}

func TestCreateUsersMakesAll(t *testing.T) {
	f := newFixture(t)
	first, second := newUser("first"), newUser("second")
	first.Password = password
	second.State = directory.StateInactive
	made := must(f.svc.CreateUsers(f.ctx, f.sys(), []directory.NewUser{first, second}))(t)
	if len(made) != 2 || made[0].UserName != "first" || made[1].State != directory.StateInactive {
		t.Fatalf("made %+v", made)
	}
	for _, u := range made {
		got := must(f.svc.User(f.ctx, f.sys(), directory.ByUserName(u.UserName)))(t)
		if got.Number != u.Number {
			t.Errorf("%s has number %d, want %d", u.UserName, got.Number, u.Number)
		}
	}
	call := f.sys()
	if made := must(f.svc.CreateUsers(f.ctx, call, nil))(t); len(made) != 0 || call.Changed {
		t.Errorf("of nobody: %v, changed %v", made, call.Changed)
	}
}

// All or none, and every name that cannot be given is named.
func TestCreateUsersNamesEveryTakenName(t *testing.T) {
	f := newFixture(t)
	f.someone(func(in *directory.NewUser) { in.Fields.UserName = directory.Some("Taken") })
	list := []directory.NewUser{newUser("free"), newUser("taken"), newUser("FREE"), newUser("other")}
	_, err := f.svc.CreateUsers(f.ctx, f.sys(), list)
	want := map[string]directory.Reason{"users[1].user_name": directory.ReasonUserNameTaken, "users[2].user_name": directory.ReasonUserNameTaken}
	if diff := cmp.Diff(want, faultsOf(err)); diff != "" || directory.CodeOf(err) != directory.CodeConflict {
		t.Errorf("%v: %s", err, diff)
	}
	list = []directory.NewUser{newUser("free"), newUser("another")}
	list[1].Fields.OpenID = directory.Some("one")
	f.someone(func(in *directory.NewUser) { in.Fields.OpenID = directory.Some("one") })
	_, err = f.svc.CreateUsers(f.ctx, f.sys(), list)
	if diff := cmp.Diff(map[string]directory.Reason{"users[1].open_id": directory.ReasonOpenIDTaken}, faultsOf(err)); diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if _, err := f.svc.User(f.ctx, f.sys(), directory.ByUserName("free")); !directory.IsReason(err, directory.ReasonUserNotFound) {
		t.Errorf("one of a refused list was made: %v", err)
	}
}

func TestCreateUsersNamesEveryViolation(t *testing.T) {
	f := newFixture(t)
	list := []directory.NewUser{newUser("fine"), newUser(""), newUser("third")}
	list[1].Fields.Email = directory.Some("nobody@example.com")
	list[2].Fields.Email = directory.Some("no address")
	list[2].Rules.Faults = []directory.FieldError{{Field: "given_name", Reason: directory.ReasonFieldRequired, Message: "given_name is required."}}
	_, err := f.svc.CreateUsers(f.ctx, f.sys(), list)
	want := map[string]directory.Reason{"users[1].user_name": directory.ReasonFieldRequired,
		"users[2].given_name": directory.ReasonFieldRequired, "users[2].email": directory.ReasonFieldFormat}
	if diff := cmp.Diff(want, faultsOf(err)); diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	list = []directory.NewUser{newUser("fine"), newUser("weak")}
	list[1].Password = "short"
	_, err = f.svc.CreateUsers(f.ctx, f.sys(), list)
	if diff := cmp.Diff(map[string]directory.Reason{"users[1].password": directory.ReasonPasswordTooShort}, faultsOf(err)); diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	_, err = f.svc.CreateUsers(f.ctx, f.sys(), make([]directory.NewUser, 501))
	if diff := cmp.Diff(map[string]directory.Reason{"users": directory.ReasonFieldLength}, faultsOf(err)); diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

func TestSyncGroups(t *testing.T) {
	f := newFixture(t)
	ann, bob, eve := f.someone(), f.someone(), f.someone()
	old := f.groups("Old")[0]
	f.regroup(eve, join(directory.GroupsAdd, old))
	sync := func(list ...directory.GroupSync) error {
		return f.svc.SyncGroups(f.ctx, f.sys(), directory.GroupPlain, list)
	}
	// A missing group is made; without Exact others stay.
	check(t, sync(directory.GroupSync{Name: "New", Members: refs(ann, bob), Role: "ADMIN"}, directory.GroupSync{Name: "old", Members: refs(ann)}))
	want := map[string][]string{"ann": {"New=ADMIN", "Old"}, "bob": {"New=ADMIN"}, "eve": {"Old"}}
	have := func() map[string][]string {
		return map[string][]string{"ann": f.groupsOf(ann.Number), "bob": f.groupsOf(bob.Number), "eve": f.groupsOf(eve.Number)}
	}
	if diff := cmp.Diff(want, have()); diff != "" {
		t.Error(diff)
	}
	// With Exact others leave.
	check(t, sync(directory.GroupSync{Name: "Old", Members: refs(bob), Exact: true}))
	want = map[string][]string{"ann": {"New=ADMIN"}, "bob": {"New=ADMIN", "Old"}, "eve": {}}
	if diff := cmp.Diff(want, have()); diff != "" {
		t.Error(diff)
	}
	// An unknown user or a bad name changes nothing.
	for _, list := range [][]directory.GroupSync{
		{{Name: "Third"}, {Name: "Old", Members: []directory.UserRef{directory.ByUserName("nobody")}}},
		{{Name: "Third"}, {Name: ""}},
	} {
		if err := sync(list...); err == nil {
			t.Errorf("%+v was done", list)
		}
	}
	if page := must(f.svc.Groups(f.ctx, f.sys(), directory.GroupQuery{Kind: directory.GroupPlain, Limit: 10}))(t); page.Total != 2 {
		t.Errorf("%d groups", page.Total)
	}
	var many []directory.UserRef
	for i := range directory.MaxLimit + 1 {
		many = append(many, directory.ByUserName(fmt.Sprint(i)))
	}
	if err := sync(directory.GroupSync{Name: "Many", Members: many}); !directory.IsReason(err, directory.ReasonFieldLength) {
		t.Errorf("too many members: %v", err)
	}
}

// One's own groups need no rank; whoever is no person has none.
func TestMyGroups(t *testing.T) {
	f := newFixture(t)
	f.groups("Mine", "Other")
	u := f.someone(func(in *directory.NewUser) { in.Password = password })
	person := f.session(u)
	f.regroup(u, named(directory.GroupPlain, directory.GroupsAdd, "Mine"))
	page := must(f.svc.Groups(f.ctx, person(), directory.GroupQuery{Kind: directory.GroupPlain, Mine: true, Limit: 10}))(t)
	if page.Total != 1 || page.Groups[0].Name != "Mine" {
		t.Errorf("%+v", page)
	}
	if _, err := f.svc.Groups(f.ctx, person(), directory.GroupQuery{Kind: directory.GroupPlain, Limit: 10}); directory.CodeOf(err) != directory.CodeForbidden {
		t.Errorf("all groups: %v", err)
	}
	page = must(f.svc.Groups(f.ctx, f.sys(), directory.GroupQuery{Kind: directory.GroupPlain, Mine: true, Limit: 10}))(t)
	if page.Total != 0 || len(page.Groups) != 0 {
		t.Errorf("of nobody: %+v", page)
	}
}

// A reference can say where the group must stand.
func TestGroupRefParent(t *testing.T) {
	f := newFixture(t)
	parent := f.groups("Parent")[0]
	must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: directory.GroupPlain, Name: "Child"}}, []string{parent.ID}))(t)
	for ref, found := range map[directory.GroupRef]bool{
		{Kind: directory.GroupPlain, Name: "child", Parent: parent.ID}:                              true,
		{Kind: directory.GroupPlain, Name: "child", Parent: "no id"}:                                false,
		{Kind: directory.GroupPlain, Name: "parent", Parent: parent.ID}:                             false,
		{Kind: directory.GroupPlain, Name: "child", Parent: "a570e68e-2134-11e6-b63c-6ce229284b01"}: false,
	} {
		_, _, err := f.svc.Group(f.ctx, f.sys(), ref)
		if found != (err == nil) || !found && !directory.IsReason(err, directory.ReasonGroupNotFound) {
			t.Errorf("%+v: %v", ref, err)
		}
	}
}
