package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// furniture is what a description's judge finds in a tenant, since made-up keys
// lead to nothing but refusals.
type furniture struct {
	users, companies, locations, reasons, roles []int64 // numbers
	names, mails, ids                           []string
	companyIDs, locationIDs, groupIDs           []string
	companyNames, groupNames, roleKeys, teams   []string
}

// furnish puts some of everything into the tenant, under rules for passwords
// that take what vendors' documents show.
func (s subject) furnish(t *testing.T) furniture {
	t.Helper()
	ctx, call := t.Context(), directory.System(s.tenantNo(t), "furnish")
	tenant, err := s.Service.TenantByName(ctx, call, s.tenant.Tenant.Name)
	check(t, err)
	tenant.Settings.Password = directory.PasswordPolicy{MinLength: 6, AllowBlocked: true, AllowContext: true}
	_, err = s.Service.UpdateTenant(ctx, call, tenant)
	check(t, err)
	f := furniture{companies: []int64{1}, companyIDs: []string{s.tenant.Company.ID}, companyNames: []string{s.tenant.Company.Name}}
	for _, name := range []string{"North", "South"} {
		c, err := s.Service.CreateCompany(ctx, call, directory.Company{Name: name, Parent: 1})
		check(t, err)
		f.companies, f.companyIDs, f.companyNames = append(f.companies, c.Number), append(f.companyIDs, c.ID), append(f.companyNames, name)
		l, err := s.Service.CreateLocation(ctx, call, directory.Location{Company: 1, Name: name + " depot"})
		check(t, err)
		f.locations, f.locationIDs = append(f.locations, l.Number), append(f.locationIDs, l.ID)
		r, err := s.Service.CreateLockReason(ctx, call, directory.LockReason{Company: 1, Name: name + " lock", Description: "Call the " + name + " office."})
		check(t, err)
		role, err := s.Service.CreateRole(ctx, call, directory.Role{Name: name + " crew"})
		check(t, err)
		f.reasons, f.roles, f.roleKeys = append(f.reasons, r.Number), append(f.roles, role.Number), append(f.roleKeys, role.Key)
		g, err := s.Service.CreateGroup(ctx, call, directory.Group{Kind: directory.GroupPlain, Key: name, Name: name})
		check(t, err)
		team, err := s.Service.CreateGroup(ctx, call, directory.Group{Kind: directory.GroupServiceTeam, Key: "TEAM-" + name, Name: name})
		check(t, err)
		f.groupIDs, f.groupNames, f.teams = append(f.groupIDs, g.ID), append(f.groupNames, name), append(f.teams, team.Key)
	}
	for _, name := range []string{"anna", "bert", "carl", "dora", "emil", "fred"} {
		u, err := s.Service.CreateUser(ctx, call, directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some(name),
			GivenName: directory.Some(name), FamilyName: directory.Some("Miller"), Email: directory.Some(name + "@example.test")}})
		check(t, err)
		f.users, f.ids = append(f.users, u.Number), append(f.ids, u.ID)
		f.names, f.mails = append(f.names, name), append(f.mails, name+"@example.test")
	}
	return f
}

func (s subject) tenantNo(t *testing.T) directory.TenantNo {
	t.Helper()
	tenant, err := s.Service.TenantByName(t.Context(), directory.System(0, "furnish"), s.tenant.Tenant.Name)
	check(t, err)
	return tenant.No
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// texts are numbers as strings.
func texts(numbers []int64) []string {
	var all []string
	for _, n := range numbers {
		all = append(all, strconv.FormatInt(n, 10))
	}
	return all
}

// dictionary tells schemathesis which values of a parameter exist: it draws one
// of them half of the time. values are strings or numbers.
type dictionary struct {
	parameter string
	values    any
}

// configure writes the configuration of schemathesis into a folder.
func configure(t *testing.T, dictionaries []dictionary) string {
	t.Helper()
	var values, bindings strings.Builder
	for i, d := range dictionaries {
		list, err := json.Marshal(d.values) // a list in TOML is one in JSON
		check(t, err)
		fmt.Fprintf(&values, "[dictionaries.d%d]\nvalues = %s\n", i, list)
		fmt.Fprintf(&bindings, "%q = { dictionary = \"d%d\", probability = 0.5 }\n", d.parameter, i)
	}
	path := filepath.Join(t.TempDir(), "schemathesis.toml")
	check(t, os.WriteFile(path, []byte(values.String()+"[parameters]\n"+bindings.String()), 0o600))
	return path
}

// everyID is every id that a path or a parameter may mean.
func (f furniture) everyID() []string { return slices.Concat(f.ids, f.companyIDs, f.locationIDs) }
