package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// A company tree is at most eight deep; names are unique in the tenant however
// they are written.
func TestRulesCompanies(t *testing.T) {
	f := newFixture(t)
	parent, path := f.root, []int64{f.root}
	for depth := 2; depth <= directory.MaxDepth; depth++ {
		c := must(f.svc.CreateCompany(f.ctx, f.sys(), directory.Company{Name: fmt.Sprint("Level ", depth), Parent: parent}))(t)
		parent, path = c.Number, append(path, c.Number)
		if got := must(f.svc.Company(f.ctx, f.sys(), c.Number))(t); !slices.Equal(got.Path, path) || got.Parent != path[len(path)-2] {
			t.Errorf("the path of a company at depth %d is %v, want %v", depth, got.Path, path)
		}
	}
	dump := f.dump()
	for what, c := range map[string]struct {
		in     directory.Company
		code   directory.Code
		reason directory.Reason
	}{
		"too deep":       {directory.Company{Name: "Level 9", Parent: parent}, directory.CodeInvalid, directory.ReasonCompanyDepth},
		"a taken name":   {directory.Company{Name: "LEVEL ２", Parent: f.root}, directory.CodeConflict, directory.ReasonCompanyTaken},
		"no name":        {directory.Company{Parent: f.root}, directory.CodeInvalid, directory.ReasonFieldRequired},
		"blank name":     {directory.Company{Name: " \u00a0", Parent: f.root}, directory.CodeInvalid, directory.ReasonFieldRequired},
		"unknown parent": {directory.Company{Name: "Orphan", Parent: 987_654}, directory.CodeInvalid, noCompany},
		"wrong id":       {directory.Company{Name: "Odd", ID: "x"}, directory.CodeInvalid, directory.ReasonFieldFormat},
		"wrong metadata": {directory.Company{Name: "Odd", Metadata: "{"}, directory.CodeInvalid, directory.ReasonFieldFormat},
	} {
		_, err := f.svc.CreateCompany(f.ctx, f.sys(), c.in)
		if directory.CodeOf(err) != c.code || !directory.IsReason(err, c.reason) {
			t.Errorf("%s: error %v, want %s", what, err, c.reason)
		}
	}
	f.wantUnchanged(dump, "a refused company")
	must(f.svc.CreateCompany(f.ctx, f.sys(), directory.Company{Name: "Second root"}))(t)
}

// A location's name is unique in its company.
func TestRulesLocations(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	create := func(name string, company int64) error {
		_, err := f.svc.CreateLocation(f.ctx, f.sys(), directory.Location{Name: name, Company: company})
		return err
	}
	check(t, create("Shop", f.root))
	wantError(t, create("SHOP ", f.root), directory.CodeConflict, directory.ReasonLocationTaken)
	check(t, create("Shop", a))
	wantError(t, create("Shop", 987_654), directory.CodeInvalid, noCompany)
	wantError(t, create("", a), directory.CodeInvalid, directory.ReasonFieldRequired)
}

// Adding what is there and removing what is not changes nothing; what changes
// a membership is one event and one version of the user.
func TestRulesMemberships(t *testing.T) {
	f := newFixture(t)
	u, place := f.someone(), f.location(f.root)
	ref := directory.ByNumber(u.Number)
	must(f.svc.CreateGroup(f.ctx, f.sys(), directory.Group{Kind: directory.GroupPlain, Name: "Crew"}))(t)
	for _, step := range []struct {
		run   func() error
		event directory.EventType
		held  []int64
	}{
		{func() error { return f.svc.UnassignLocation(f.ctx, f.sys(), ref, place) }, "", nil},
		{func() error { return f.svc.AssignLocation(f.ctx, f.sys(), ref, place) }, directory.EventLocationAssigned, []int64{place}},
		{func() error { return f.svc.AssignLocation(f.ctx, f.sys(), ref, place) }, "", []int64{place}},
		{func() error { return f.svc.UnassignLocation(f.ctx, f.sys(), ref, place) }, directory.EventLocationRemoved, nil},
		{func() error { return f.join(ref, directory.GroupPlain, "CREW") }, directory.EventGroupsChanged, nil},
		{func() error { return f.join(ref, directory.GroupPlain, "CREW") }, "", nil},
	} {
		before, mark, dump := f.stored(u.Number), f.mark(), f.dump()
		check(t, step.run())
		if step.event == "" {
			f.wantUnchanged(dump, "a membership that was so already")
		} else {
			f.wantEvents(mark, step.event)
			if got := f.stored(u.Number); got.Version != before.Version+1 || got.DoorVersion != before.DoorVersion {
				t.Errorf("%s: version %d after %d, door version %d", step.event, got.Version, before.Version, got.DoorVersion)
			}
		}
		number, held, err := f.svc.UserLocations(f.ctx, f.sys(), ref)
		if err != nil || number != u.Number || !slices.Equal(held, step.held) {
			t.Errorf("user %d is at %v, want %v: %v", number, held, step.held, err)
		}
	}
	wantError(t, f.svc.AssignLocation(f.ctx, f.sys(), ref, 987_654), directory.CodeNotFound, directory.ReasonLocationNotFound)
	if err := f.join(ref, directory.GroupDashboard, "crew"); !directory.IsReason(err, directory.ReasonGroupNotFound) {
		t.Errorf("a group of another kind: error %v", err)
	}
	gone := directory.ByNumber(f.inState(deleted).Number)
	dump := f.dump()
	wantError(t, f.svc.AssignLocation(f.ctx, f.sys(), gone, place), directory.CodeNotFound, directory.ReasonUserDeleted)
	wantError(t, f.join(gone, directory.GroupPlain, "crew"), directory.CodeNotFound, directory.ReasonUserDeleted)
	wantError(t, f.assign(f.sys(), directory.User{Number: gone.Number}, f.role(selfRank).Number), directory.CodeNotFound, directory.ReasonUserDeleted)
	if got := f.dump("user_locations", "group_members", "user_roles", "users"); !cmp.Equal(got["users"], dump["users"]) || got["user_locations"] != dump["user_locations"] || got["user_roles"] != dump["user_roles"] {
		t.Error("a refused membership changed the database")
	}
}

// Tenants have unique names that fit into host names, and one version.
func TestRulesTenants(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"", "Acme", "-a", "a-", "a_b", "a.b", "é"} {
		_, err := f.svc.CreateTenant(f.ctx, directory.System(0, "test"), directory.Tenant{Name: name}, directory.Company{})
		if got := fieldReasons(err); !cmp.Equal(got, []string{"name field.format"}) {
			t.Errorf("tenant %q: error %v", name, err)
		}
	}
	_, err := f.svc.CreateTenant(f.ctx, directory.System(0, "test"), directory.Tenant{Name: "acme"}, directory.Company{})
	wantError(t, err, directory.CodeConflict, directory.ReasonTenantTaken)
	for _, host := range []string{"", "a b", "a.", ".a", "a:80", "http://a", "a_b", "é.test", strings.Repeat("a", 64)} {
		_, err := f.svc.CreateTenant(f.ctx, directory.System(0, "test"), directory.Tenant{Name: "hosted", Hosts: []string{host}}, directory.Company{})
		if got := fieldReasons(err); !cmp.Equal(got, []string{"hosts field.format"}) {
			t.Errorf("host %q: error %v", host, err)
		}
	}
	hosted, err := f.svc.CreateTenant(f.ctx, directory.System(0, "test"),
		directory.Tenant{Name: "hosted", Hosts: []string{"Users.Example.TEST", "users.example.test", "10.0.0.1"}}, directory.Company{})
	check(t, err)
	if want := []string{"users.example.test", "10.0.0.1"}; !cmp.Equal(hosted.Hosts, want) {
		t.Errorf("hosts %q, want %q", hosted.Hosts, want)
	}
	_, err = f.svc.CreateTenant(f.ctx, directory.System(0, "test"), directory.Tenant{Name: "second", Hosts: []string{"users.example.test"}}, directory.Company{})
	wantError(t, err, directory.CodeConflict, directory.ReasonHostTaken)
	taken := f.tenant
	taken.Hosts = []string{"USERS.example.test"}
	_, err = f.svc.UpdateTenant(f.ctx, f.sys(), taken)
	wantError(t, err, directory.CodeConflict, directory.ReasonHostTaken)
	hosted.Disabled = true
	if _, err := f.svc.UpdateTenant(f.ctx, directory.System(hosted.No, "test"), hosted); err != nil {
		t.Errorf("a tenant that keeps its hosts: %v", err)
	}
	stale := f.tenant
	f.settings(func(t *directory.Tenant) { t.Settings.MaxFailedLogins = 5 })
	dump := f.dump()
	_, err = f.svc.UpdateTenant(f.ctx, f.sys(), stale)
	wantError(t, err, directory.CodeStale, directory.ReasonVersionMismatch)
	unknown := f.tenant
	unknown.DefaultCompany = 987_654
	_, err = f.svc.UpdateTenant(f.ctx, f.sys(), unknown)
	wantError(t, err, directory.CodeNotFound, noCompany)
	f.wantUnchanged(dump, "a refused tenant")
}

// The events of a tenant and of a pool say what was there before.
func TestRulesTenantEvents(t *testing.T) {
	f := newFixture(t)
	mark := f.mark()
	f.settings(func(t *directory.Tenant) { t.Hosts, t.Disabled = []string{"users.example.test"}, true })
	f.settings(func(t *directory.Tenant) { t.Disabled = false })
	f.setPool(5)
	f.setPool(7)
	var got []string
	for _, e := range f.events(mark) {
		got = append(got, string(e.Payload))
	}
	want := []string{`{"changes":{"hosts":["","users.example.test"],"disabled":["false","true"]}}`,
		`{"changes":{"disabled":["true","false"]}}`, `{"changes":{"total":["","5"]}}`, `{"changes":{"total":["5","7"]}}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
