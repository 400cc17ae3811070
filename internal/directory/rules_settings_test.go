package directory_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// badSettings are settings that no tenant may have, with what their refusal
// says.
var badSettings = map[string]struct {
	settings directory.Settings
	want     []string
}{
	"a negative length":           {directory.Settings{Password: directory.PasswordPolicy{MinLength: -1}}, []string{"password.min_length field.value"}},
	"longer than any password":    {directory.Settings{Password: directory.PasswordPolicy{MinLength: 1025}}, []string{"password.min_length field.value"}},
	"no requests":                 {limitOf("iqmetrix", 0), []string{"requests_per_minute.iqmetrix field.value"}},
	"a negative limit":            {limitOf("iqmetrix", -1), []string{"requests_per_minute.iqmetrix field.value"}},
	"a limit that limits nothing": {limitOf("scim", 1_000_000_001), []string{"requests_per_minute.scim field.value"}},
	"a door that is not":          {limitOf("back", 5), []string{"requests_per_minute.back field.value"}},
	"the command line's door":     {limitOf("cli", 5), []string{"requests_per_minute.cli field.value"}},
	"the server's own door":       {limitOf("server", 5), []string{"requests_per_minute.server field.value"}},
	"all doors":                   {limitOf("all", 5), []string{"requests_per_minute.all field.value"}},
	"two doors":                   {limitOf("iqmetrix,scim", 5), []string{"requests_per_minute.iqmetrix,scim field.value"}},
	"no door":                     {limitOf("", 5), []string{"requests_per_minute. field.value"}},
	"negative failures":           {directory.Settings{MaxFailedLogins: -1}, []string{"max_failed_logins field.value"}},
	"more failures than allowed":  {directory.Settings{MaxFailedLogins: 101}, []string{"max_failed_logins field.value"}},
	"everything": {directory.Settings{Password: directory.PasswordPolicy{MinLength: -1},
		RequestsPerMinute: map[string]int{"scim": -1, "back": 1, "encore": 1}, MaxFailedLogins: 101},
		[]string{"password.min_length field.value", "requests_per_minute.back field.value", "requests_per_minute.scim field.value", "max_failed_logins field.value"}},
}

func limitOf(door string, limit int) directory.Settings {
	return directory.Settings{RequestsPerMinute: map[string]int{door: limit}}
}

// Wrong settings are refused by name, where a tenant is made and where it is
// changed, and leave no trace.
func TestRulesSettings(t *testing.T) {
	f := newFixture(t)
	tenant := must(f.svc.TenantByName(f.ctx, f.sys(), f.tenant.Name))(t)
	dump := f.dump()
	for name, c := range badSettings {
		next := tenant
		next.Settings = c.settings
		_, err := f.svc.UpdateTenant(f.ctx, f.sys(), next)
		if diff := cmp.Diff(c.want, fieldReasons(err)); diff != "" || directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("change to %s: %v\n%s", name, err, diff)
		}
		_, err = f.svc.CreateTenant(f.ctx, directory.System(0, "test"), directory.Tenant{Name: "other", Settings: c.settings}, directory.Company{})
		if diff := cmp.Diff(c.want, fieldReasons(err)); diff != "" {
			t.Errorf("make with %s: %v\n%s", name, err, diff)
		}
	}
	noDoor := tenant
	noDoor.Doors, noDoor.Hosts = directory.DoorSet(directory.DoorCLI), []string{"a b"}
	_, err := f.svc.UpdateTenant(f.ctx, f.sys(), noDoor)
	if diff := cmp.Diff([]string{"hosts field.format", "doors field.value"}, fieldReasons(err)); diff != "" {
		t.Errorf("change to a door that a tenant cannot have: %v\n%s", err, diff)
	}
	f.wantUnchanged(dump, "a refused setting")
	most := directory.Settings{Password: directory.PasswordPolicy{MinLength: 1024, AllowBlocked: true, AllowContext: true},
		RequestsPerMinute: map[string]int{"console": 1_000_000_000, "iqmetrix": 1}, IQmetrixPictureNull: true, MaxFailedLogins: 100}
	f.settings(func(t *directory.Tenant) { t.Settings = most })
	if diff := cmp.Diff(most, must(f.svc.TenantByName(f.ctx, f.sys(), f.tenant.Name))(t).Settings); diff != "" {
		t.Errorf("the greatest settings (-want +got):\n%s", diff)
	}
}

// The mark of the sample directory says what a tenant was made from: nobody
// sets it and nobody takes it away.
func TestRulesSettingsKeepTheSampleMark(t *testing.T) {
	f := newFixture(t)
	for _, demo := range []bool{false, true} {
		made := must(f.svc.CreateTenant(f.ctx, directory.System(0, "test"),
			directory.Tenant{Name: f.unique("sample"), Settings: directory.Settings{Demo: demo}}, directory.Company{}))(t)
		made.Settings.Demo = !demo
		changed := must(f.svc.UpdateTenant(f.ctx, directory.System(made.No, "test"), made))(t)
		if changed.Settings.Demo != demo {
			t.Errorf("a tenant made with Demo %v has %v after a change", demo, changed.Settings.Demo)
		}
	}
}

// The event of changed settings has them as objects, before and after, and one
// that changes nothing else says nothing of them.
func TestRulesSettingsInEvents(t *testing.T) {
	f := newFixture(t)
	tenant := f.tenant
	tenant.Settings.MaxFailedLogins = 7
	mark := f.mark()
	made := must(f.svc.UpdateTenant(f.ctx, f.sys(), tenant))(t)
	made.Hosts = []string{"users.example.test"}
	must(f.svc.UpdateTenant(f.ctx, f.sys(), made))(t)
	f.wantEvents(mark, directory.EventTenantUpdated, directory.EventTenantUpdated)
	var first, then struct {
		Changes map[string][]map[string]any `json:"changes"`
	}
	check(t, json.Unmarshal(f.events(mark)[0].Payload, &first))
	if s := first.Changes["settings"]; len(s) != 2 || s[0]["max_failed_logins"] != nil || s[1]["max_failed_logins"] != 7.0 {
		t.Errorf("the settings: %v", s)
	}
	_ = json.Unmarshal(f.events(mark)[1].Payload, &then) // hosts are texts
	if then.Changes["settings"] != nil {
		t.Errorf("settings that did not change: %v", then.Changes["settings"])
	}
}
