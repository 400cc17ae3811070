package directory_test

import (
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// A location is named by its number or its id, and what is neither is unknown.
func TestRulesLocationByID(t *testing.T) {
	f := newFixture(t)
	u, number := f.someone(), f.location(f.company("Kentel", 0))
	ref := directory.ByNumber(u.Number)
	id := must(f.svc.LocationOf(f.ctx, f.sys(), directory.LocationRef{Number: number}))(t).ID
	check(t, f.svc.JoinLocation(f.ctx, f.sys(), ref, directory.LocationRef{ID: id}))
	if _, list, err := f.svc.UserLocations(f.ctx, f.sys(), ref); err != nil || !slices.Equal(list, []int64{number}) {
		t.Errorf("%v, %v", list, err)
	}
	check(t, f.svc.LeaveLocation(f.ctx, f.sys(), ref, directory.LocationRef{Number: number}))
	if _, list, err := f.svc.UserLocations(f.ctx, f.sys(), ref); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	for _, unknown := range []directory.LocationRef{{}, {Number: -1}, {Number: number + 1}, {ID: "nowhere"}, {ID: u.ID}} {
		wantError(t, f.svc.JoinLocation(f.ctx, f.sys(), ref, unknown), directory.CodeNotFound, directory.ReasonLocationNotFound)
	}
}

// A change of one group by its id needs no kind: it is the group's own.
func TestRulesGroupWithoutKind(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	ref := directory.ByNumber(u.Number)
	for _, kind := range []directory.GroupKind{directory.GroupPlain, directory.GroupDashboard} {
		g := f.group(kind)
		change := directory.GroupChange{Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{ID: g.ID}}}
		must(f.svc.ChangeGroups(f.ctx, f.sys(), ref, 0, change))(t)
		if names := f.groupsOf(u.Number); !slices.Contains(names, g.Name) {
			t.Errorf("%s: %v", kind, names)
		}
		change.Mode = directory.GroupsRemove
		must(f.svc.ChangeGroups(f.ctx, f.sys(), ref, 0, change))(t)
		if names := f.groupsOf(u.Number); len(names) != 0 {
			t.Errorf("%s: %v", kind, names)
		}
	}
	_, err := f.svc.ChangeGroups(f.ctx, f.sys(), ref, 0, directory.GroupChange{Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{ID: u.ID}}})
	wantError(t, err, directory.CodeNotFound, directory.ReasonGroupNotFound)
	_, err = f.svc.ChangeGroups(f.ctx, f.sys(), ref, 0, directory.GroupChange{Mode: directory.GroupsAdd})
	wantError(t, err, directory.CodeInvalid, directory.ReasonFieldValue)
}

// Without a company a role is given for the user's own.
func TestRulesRoleForOwnCompany(t *testing.T) {
	f := newFixture(t)
	u, role := f.someone(), f.role(selfRank)
	given, fresh, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(u.Number), role.Number, 0)
	check(t, err)
	if !fresh || given.Company != u.Company || u.Company == 0 {
		t.Errorf("%+v of a user of company %d", given, u.Company)
	}
}

// An external id belongs to a credential: a person, whose sign-ins are no
// credential, has none to give.
func TestRulesExternalIDOfPersons(t *testing.T) {
	f := newFixture(t)
	admin, u := f.someone(withPassword), f.someone()
	_, _, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(admin.Number), f.role(adminRank).Number, 0)
	check(t, err)
	me := f.session(admin)
	_, err = f.svc.UpdateUser(f.ctx, me(), directory.ByNumber(u.Number), directory.UserPatch{ExternalID: directory.Some("x")}, directory.UpdateOptions{})
	wantError(t, err, directory.CodeInvalid, directory.ReasonFieldRights)
	after := must(f.svc.UpdateUser(f.ctx, me(), directory.ByNumber(u.Number), directory.UserPatch{ExternalID: directory.Some("")}, directory.UpdateOptions{}))(t)
	if after.Version != u.Version || len(after.Profile.ExternalIDs) != 0 {
		t.Errorf("%+v", after)
	}
}
