package crossdoor

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// snapshot is all that the core knows of a user, each field as JSON under its
// name. It is made by reflection, so that a field which somebody adds to the
// core is in it.
type snapshot map[string]string

// bookkeeping changes with every change.
var bookkeeping = []string{"Version", "DoorVersion", "UpdatedAt"}

func (w *world) snapshot(t testing.TB, number int64) snapshot {
	t.Helper()
	detail := w.detail(t, number)
	u := detail.User
	s := snapshot{}
	flat := reflect.ValueOf(u)
	for i := range flat.NumField() {
		s.add(flat.Type().Field(i).Name, flat.Field(i).Interface())
	}
	delete(s, "Profile")
	flat = reflect.ValueOf(u.Profile)
	for i := range flat.NumField() {
		s.add(flat.Type().Field(i).Name, flat.Field(i).Interface())
	}
	delete(s, "Extras")
	for door, raw := range u.Profile.Extras {
		s.add("Extras."+door, raw)
	}
	s.add("Locations", detail.Locations)
	groups := map[directory.GroupKind][][2]string{directory.GroupPlain: {}, directory.GroupDashboard: {}, directory.GroupServiceTeam: {}}
	for _, m := range detail.Groups {
		groups[m.Group.Kind] = append(groups[m.Group.Kind], [2]string{m.Group.Name, m.Role})
	}
	for kind, list := range groups {
		s.add("Groups."+string(kind), list)
	}
	s.add("Roles", detail.Roles)
	holds, err := w.service.Holds(context.Background(), w.system(), directory.ByNumber(number))
	must(t, err)
	s.add("Holds", holds)
	return s
}

// add adds a value as JSON; what holds nothing is "".
func (s snapshot) add(name string, value any) {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err) // the core's own values
	}
	switch text := string(b); text {
	case "null", "0", "false", `""`, "{}", "[]", `"0001-01-01T00:00:00Z"`:
		s[name] = ""
	default:
		s[name] = text
	}
}

// changed is what differs from an earlier snapshot, bookkeeping left out.
func (s snapshot) changed(before snapshot) []string {
	names := slices.Sorted(maps.Keys(s))
	for name := range before {
		if _, ok := s[name]; !ok {
			names = append(names, name)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return s[name] == before[name] || slices.Contains(bookkeeping, name) })
}

// full makes a user of whom the core knows everything that it can know. What
// doors set, the doors of the test set again.
func (w *world) full(t *testing.T) known {
	t.Helper()
	ctx, p := t.Context(), w.newcomer()
	year := 365 * 24 * time.Hour
	u, err := w.service.CreateUser(ctx, w.system(), directory.NewUser{Password: p.password, Temporary: true, Fields: directory.UserPatch{
		UserName: directory.Some(p.userName), Email: directory.Some(p.email), GivenName: directory.Some(p.given), FamilyName: directory.Some(p.family),
		DisplayName: directory.Some("Jo B."), Title: directory.Some("Fitter"), EmployeeNumber: directory.Some("E-" + p.userName),
		OpenID: directory.Some("openid:" + p.userName), WebMDN: directory.Some("W-" + p.userName), ClientUserID: directory.Some("C-" + p.userName),
		LicenceType: directory.Some(w.seats),
		Phones: directory.Some([]directory.Phone{{Number: "6135550101", Extension: "11", Type: "Work"},
			{Number: "6135550102", Extension: "12", Type: "Cell"}, {Number: "6135550103", Type: "Home"}}),
		Address: directory.Some(directory.Address{Set: true, Line1: "1 Main St", Line2: "Flat 2", City: "Ottawa", Region: "ON", Country: "CA", Zip: "K1A 0A1"}),
		Picture: directory.Some(json.RawMessage(`{"Id":"7","Href":"https://example.test/7.png"}`)), Language: directory.Some("fr-CA"),
		TimeZone: directory.Some("EST"), Attributes: directory.Some(map[string]json.RawMessage{"shirt": json.RawMessage(`"L"`)}),
		ValidFrom: directory.Some(time.Now().Add(-year)), ExpiresAt: directory.Some(time.Now().Add(year)),
		MobileOnly: directory.Some(true), StorageLocation: directory.Some("VAN-" + p.userName), Roles: directory.Some([]string{w.role.Key}),
		Groups: []directory.GroupChange{
			{Kind: directory.GroupPlain, Mode: directory.GroupsReplace, Groups: []directory.GroupRef{{Kind: directory.GroupPlain, Name: crew}, {Kind: directory.GroupPlain, Name: otherGroup}}},
			{Kind: directory.GroupDashboard, Mode: directory.GroupsReplace, Groups: []directory.GroupRef{{Kind: directory.GroupDashboard, Name: dashboard}}},
			{Kind: directory.GroupServiceTeam, Mode: directory.GroupsReplace, Groups: []directory.GroupRef{{Kind: directory.GroupServiceTeam, Name: crew}, {Kind: directory.GroupServiceTeam, Name: otherTeam}}},
		},
	}})
	must(t, err)
	ref := directory.ByNumber(u.Number)
	_, _, err = w.service.AssignRole(ctx, w.system(), ref, w.role.Number, w.tenant.DefaultCompany)
	must(t, err)
	must(t, w.service.AssignLocation(ctx, w.system(), ref, w.office.Number))
	must(t, w.service.PlaceHold(ctx, w.system(), ref, directory.Hold{Kind: directory.HoldLegal, Source: "counsel", Ref: "case 7"}))
	_, err = w.service.Lock(ctx, w.system(), ref, w.reason.Number)
	must(t, err)
	for door, extras := range map[directory.Door]string{
		directory.DoorEncore:          `{"EPTTEnabled":true,"EPTTNumber":"5550001","EPTTToken":"kodiak","GPSEnabled":true,"RoleId":5}`,
		directory.DoorEduBrite:        `{"prop.address":"1 Main St","siteRole":"INSTRUCTOR"}`,
		directory.DoorServiceMobility: `{"DGroupID":"D1","SMS":"6135550104","Status":"On duty","IsMobileWorker":true,"Extensions":{"van":"7"}}`,
		directory.DoorSmartapp:        `{"globalUserID":"7b0c9d52-16e3-4f7a-8c4d-5a2e90b1f3d8","metadata":{"team":"blue"}}`,
		directory.DoorSCIM:            `{"department":"South","emails":[{"type":"home","value":"joey@example.test"}],"nickName":"Joey"}`,
	} {
		call := w.system()
		call.Door = door
		_, err := w.service.UpdateUser(ctx, call, ref, directory.UserPatch{Extras: directory.Some(json.RawMessage(extras))}, directory.UpdateOptions{})
		must(t, err)
	}
	_, err = w.service.UpdateUser(ctx, &directory.Call{Door: directory.DoorSCIM, Secret: directory.Secret(w.key)}, ref,
		directory.UserPatch{ExternalID: directory.Some("hr-" + p.userName)}, directory.UpdateOptions{})
	must(t, err)
	return known{u.Number, u.ID, u.UserName}
}

// wantFull fails when the core knows nothing of some field: a test of what a
// door leaves alone would prove nothing about it.
func (s snapshot) wantFull(t *testing.T) {
	t.Helper()
	for name, value := range s {
		if value == "" && name != "DeletedAt" && name != "Rank" {
			t.Errorf("%s is empty in a user that was to be full", name)
		}
	}
	for _, door := range []string{"encore", "edubrite", "servicemobility", "smartapp", "scim"} {
		if !strings.HasPrefix(s["Extras."+door], "{") {
			t.Errorf("there are no extras of %s", door)
		}
	}
}

// sameJSON compares JSON texts whatever the order of their members.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// othersIDs is what credentials but one call a user.
func othersIDs(u directory.User, credential string) map[string]string {
	ids := maps.Clone(u.Profile.ExternalIDs)
	delete(ids, credential)
	return ids
}
