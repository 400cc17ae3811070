package client_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/client"
)

// types are the schemas of the API with the types of the client that hold them.
var types = map[string]any{
	"User": client.User{}, "UserCreation": client.NewUser{}, "UserChange": client.UserPatch{}, "Phone": client.Phone{}, "Expanded": client.Expanded{},
	"CompanyRef": client.CompanyRef{}, "LocationRef": client.LocationRef{}, "GroupRef": client.GroupRef{}, "RoleRef": client.RoleRef{},
	"Hold": client.Hold{}, "UserSession": client.UserSession{}, "SecretToken": client.Token{}, "Event": client.Event{}, "Feed": client.EventPage{},
	"Company": client.Company{}, "NewCompany": client.NewCompany{}, "CompanyChange": client.CompanyPatch{},
	"Location": client.Location{}, "NewLocation": client.NewLocation{}, "LocationChange": client.LocationPatch{},
	"Group": client.Group{}, "NewGroup": client.NewGroup{}, "GroupChange": client.GroupPatch{}, "MemberRef": client.Member{},
	"Role": client.Role{}, "NewRole": client.NewRole{}, "RoleChange": client.RolePatch{},
	"LockReason": client.LockReason{}, "NewLockReason": client.NewLockReason{}, "LockReasonChange": client.LockReasonPatch{},
	"LicencePool": client.LicencePool{}, "NewCredential": client.Credential{}, "CredentialInput": client.NewCredential{},
	"Tenant": client.Tenant{}, "PasswordSettings": client.PasswordSettings{},
	"TenantChange": client.TenantPatch{},
	"Identity":     client.Me{}, "TenantRef": client.TenantRef{}, "SignedIn": client.Session{}, "PageUser": client.Page[client.User]{}, "Fault": client.FieldError{},
	"Webhook": client.Webhook{}, "NewWebhook": client.MadeWebhook{}, "WebhookInput": client.NewWebhook{}, "WebhookChange": client.WebhookPatch{},
	"WebhookSecret": client.WebhookSecret{}, "NewWebhookSecret": client.MadeWebhookSecret{}, "TestResult": client.WebhookTest{}, "Delivery": client.Delivery{},
	"Job": client.Job{}, "Checkpoint": client.Checkpoint{},
	"Import": client.Import{}, "ImportInput": client.NewImport{}, "ImportOptions": client.ImportOptions{}, "ImportColumn": client.ImportColumn{},
	"BulkCounts": client.BulkCounts{}, "RowVerdict": client.RowVerdict{}, "ImportThresholds": client.Thresholds{},
	"BulkAction": client.BulkAction{}, "BulkActionInput": client.NewBulkAction{}, "BulkSelect": client.UserSelect{},
}

// Whatever the description says of the members of a thing, the client has: none is
// missing, and none is made up. A reason is given by the option Reason.
func TestTypesHaveTheMembersOfTheDescription(t *testing.T) {
	_, c := newOffice(t)
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(must(c.OpenAPI(t.Context()))(t), &document); err != nil {
		t.Fatal(err)
	}
	for name, value := range types {
		schema, ok := document.Components.Schemas[name]
		if !ok {
			t.Errorf("there is no schema %s", name)
			continue
		}
		want := slices.DeleteFunc(slices.Sorted(maps.Keys(schema.Properties)), func(member string) bool {
			return member == "reason" && !slices.Contains([]string{"Event", "Fault", "Import", "BulkAction"}, name)
		})
		got := members(reflect.TypeOf(value))
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s has other members than %T (-description +client)\n%s", name, value, diff)
		}
	}
	// These schemas are written where they are used: null is among their values.
	for _, inner := range []struct {
		schema, member string
		value          any
	}{{"Tenant", "settings", client.Settings{}}, {"TenantChange", "settings", client.SettingsPatch{}}, {"User", "address", client.Address{}}, {"Webhook", "replay", client.WebhookPositions{}}} {
		var schema struct{ Properties map[string]json.RawMessage }
		if err := json.Unmarshal(document.Components.Schemas[inner.schema].Properties[inner.member], &schema); err != nil {
			t.Fatal(err)
		}
		got := members(reflect.TypeOf(inner.value))
		slices.Sort(got)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(schema.Properties)), got); diff != "" {
			t.Errorf("%s.%s has other members than %T (-description +client)\n%s", inner.schema, inner.member, inner.value, diff)
		}
	}
}

// members are the names of a type's members in JSON.
func members(of reflect.Type) []string {
	var names []string
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			names = append(names, members(f.Type)...)
		case name != "-":
			names = append(names, name)
		}
	}
	return names
}
