package directory_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/usher-id/usher/internal/directory"
)

// onePatches has a patch of each single field, by the field's name.
func onePatches(f *fixture) map[string]directory.UserPatch {
	some := directory.Some[string]
	return map[string]directory.UserPatch{
		"user_name":        {UserName: some(f.unique("renamed"))},
		"email":            {Email: some(f.unique("mail") + "@example.org")},
		"given_name":       {GivenName: some("Ada")},
		"family_name":      {FamilyName: some("Lovelace")},
		"display_name":     {DisplayName: some("Ada L.")},
		"title":            {Title: some("Analyst")},
		"company":          {Company: directory.Some(f.company(f.unique("company"), f.root))},
		"employee_number":  {EmployeeNumber: some(f.unique("e"))},
		"open_id":          {OpenID: some(f.unique("openid"))},
		"web_mdn":          {WebMDN: some(f.unique("mdn"))},
		"client_user_id":   {ClientUserID: some("crm-17")},
		"licence_type":     {LicenceType: some("Other")},
		"phones":           {Phones: directory.Some([]directory.Phone{{Number: "+1 555", Extension: "9", Type: "Work"}})},
		"address":          {Address: directory.Some(directory.Address{Set: true, City: "Bath", Country: "GB"})},
		"picture":          {Picture: directory.Some(raw(`{ "Id": "7f", "Href": "https://x.example/?a=1&b=<2>" }`))},
		"language":         {Language: some("en-GB")},
		"time_zone":        {TimeZone: some("Europe/London")},
		"attributes":       {Attributes: directory.Some(map[string]json.RawMessage{"shoe": raw(`{ "size": 44.50 }`)})},
		"mobile_only":      {MobileOnly: directory.Some(true)},
		"storage_location": {StorageLocation: some(f.unique("van"))},
		"extras":           {Extras: directory.Some(raw(`{"EPTTToken": "extras-secret-4711", "Mode": "a < b"}`))},
		"external_id":      {ExternalID: some("ext-1")},
		"valid_from":       {ValidFrom: directory.Some(start.Add(-24*time.Hour + 1234*time.Nanosecond))},
		"expires_at":       {ExpiresAt: directory.Some(start.Add(24*time.Hour + 1234*time.Nanosecond))},
	}
}

// shownByIQmetrix are the fields whose changes that door's version counts
// (docs/dialects/iqmetrix.md 5.13 and 5.18).
var shownByIQmetrix = []string{"user_name", "email", "given_name", "family_name", "title", "company", "client_user_id",
	"phones", "address", "picture", "attributes"}

// A patch changes the field that it names and no other, raises the version
// once, the door's version only when the door shows the field, and writes one
// event that names the field. The same patch again changes nothing at all.
func TestRulesUpdateOneField(t *testing.T) {
	f := newFixture(t)
	f.secret("extras-secret-4711")
	admin := f.key(adminRank)
	for name, patch := range onePatches(f) {
		t.Run(name, func(t *testing.T) {
			f := f.sub(t)
			before := f.someone(withLicence)
			f.clock.advance(time.Second)
			mark := f.mark()
			result := must(f.svc.UpdateUser(f.ctx, f.as(admin), directory.ByNumber(before.Number), patch, directory.UpdateOptions{ClaimEmail: true}))(t)
			after := f.stored(before.Number)
			if diff := cmp.Diff(after, result, sameUser); diff != "" {
				t.Errorf("the result is not what is stored (-stored +result):\n%s", diff)
			}
			if got := changedFields(before, after); !cmp.Equal(got, []string{name}) {
				t.Errorf("changed %v, want %s", got, name)
			}
			door := before.DoorVersion
			if slices.Contains(shownByIQmetrix, name) {
				door++
			}
			if after.Version != before.Version+1 || after.DoorVersion != door || !after.UpdatedAt.Equal(f.clock.now()) {
				t.Errorf("version %d, door version %d (want %d), updated at %v", after.Version, after.DoorVersion, door, after.UpdatedAt)
			}
			list := f.events(mark)
			if len(list) != 1 || list[0].Type != directory.EventUserUpdated || !cmp.Equal(payloadFields(t, list[0]), []string{name}) {
				t.Errorf("events %+v, want one of %s", list, name)
			}
			dump := f.dump()
			must(f.svc.UpdateUser(f.ctx, f.as(admin), directory.ByNumber(before.Number), patch, directory.UpdateOptions{ClaimEmail: true}))(t)
			f.wantUnchanged(dump, "the same patch again")
		})
	}
}

// sameUser compares users whatever the spacing of their JSON, nil as empty.
var sameUser = cmp.Options{cmpopts.EquateEmpty(), cmp.FilterValues(
	func(a, b json.RawMessage) bool { return len(a) > 0 || len(b) > 0 },
	cmp.Transformer("JSON", func(raw json.RawMessage) any {
		var v any
		if json.Unmarshal(raw, &v) != nil {
			return string(raw)
		}
		return v
	}))}

// payloadFields are the fields that an event says have changed.
func payloadFields(t *testing.T, e directory.Event) []string {
	t.Helper()
	var payload struct {
		Changes map[string][2]json.RawMessage `json:"changes"`
	}
	check(t, json.Unmarshal(e.Payload, &payload))
	var names []string
	for name, values := range payload.Changes {
		if string(values[0]) == string(values[1]) && name != "password" && name != "extras" {
			t.Errorf("the event says that %s changed from %s to the same", name, values[0])
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// changedFields names the fields of a patch in which two users differ.
func changedFields(a, b directory.User) []string {
	views := []map[string]any{view(a), view(b)}
	var names []string
	for name := range views[0] {
		if !cmp.Equal(views[0][name], views[1][name], sameUser) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// view is every field of a user that a patch can name, and the state.
func view(u directory.User) map[string]any {
	return map[string]any{
		"user_name": u.UserName, "email": u.Email, "given_name": u.GivenName, "family_name": u.FamilyName,
		"display_name": u.DisplayName, "title": u.Title, "company": u.Company, "employee_number": u.EmployeeNumber,
		"open_id": u.OpenID, "web_mdn": u.WebMDN, "client_user_id": u.ClientUserID, "licence_type": u.LicenceType,
		"phones": u.Phones, "address": u.Address, "picture": u.Profile.Picture, "language": u.Profile.Language,
		"time_zone": u.Profile.TimeZone, "attributes": u.Profile.Attributes, "extras": u.Profile.Extras,
		"mobile_only": u.Profile.MobileOnly, "storage_location": u.Profile.StorageLocation,
		"external_id": u.Profile.ExternalIDs, "valid_from": u.ValidFrom.UnixMicro(), "expires_at": u.ExpiresAt.UnixMicro(),
		"state": u.State, "locked": u.Locked, "rank": u.Rank, "must_change_password": u.MustChangePassword,
	}
}

// Every violation is reported at once, and nothing of the patch is kept.
func TestRulesUpdateViolations(t *testing.T) {
	f := newFixture(t)
	some, long := directory.Some[string], strings.Repeat("x", 257)
	patch := directory.UserPatch{
		UserName: some(""), Email: some("not an address"), GivenName: some(long), FamilyName: some("a\x00b"),
		DisplayName: some("\xff"), Title: some("a\nb"), EmployeeNumber: some("a\u200bb"), OpenID: some("a\tb"),
		WebMDN: some("\u202eabc"), ClientUserID: some(long), LicenceType: some(long), TimeZone: some(long),
		Phones: directory.Some(make([]directory.Phone, 101)), Address: directory.Some(directory.Address{City: long}),
		Picture: directory.Some(raw(`{`)), Language: some("not a language"), ExternalID: some("a\x01"),
		Attributes: directory.Some(map[string]json.RawMessage{"a": raw(`[`)}), Extras: directory.Some(raw(`{"a":"\u0000"}`)),
		ValidFrom: directory.Some(start), ExpiresAt: directory.Some(start),
	}
	want := []string{"address", "attributes", "client_user_id", "display_name", "email", "employee_number", "expires_at", "external_id",
		"extras", "family_name", "given_name", "language", "licence_type", "open_id", "phones", "picture", "time_zone", "title", "user_name", "web_mdn"}
	u := f.someone()
	dump := f.dump()
	_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), patch, directory.UpdateOptions{})
	_, created := f.svc.CreateUser(f.ctx, f.sys(), directory.NewUser{Fields: patch})
	for what, err := range map[string]error{"update": err, "create": created} {
		if directory.CodeOf(err) != directory.CodeInvalid {
			t.Fatalf("%s: error %v, want invalid", what, err)
		}
		var fields []string
		for _, v := range directory.AsError(err).Fields {
			fields = append(fields, v.Field)
			if v.Message == "" || strings.Contains(v.Message, "\xff") {
				t.Errorf("%s: message %q of %s", what, v.Message, v.Field)
			}
		}
		slices.Sort(fields)
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Errorf("%s: fields at fault (-want +got):\n%s", what, diff)
		}
	}
	f.wantUnchanged(dump, "a refused patch")
}

func TestRulesUpdateVersions(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	ref, patch := directory.ByNumber(u.Number), directory.UserPatch{Title: directory.Some("First")}
	must(f.svc.UpdateUser(f.ctx, f.sys(), ref, patch, directory.UpdateOptions{IfVersion: directory.Some(u.Version), IfDoorVersion: directory.Some(u.DoorVersion)}))(t)
	dump := f.dump()
	for what, o := range map[string]directory.UpdateOptions{
		"an old version":        {IfVersion: directory.Some(u.Version)},
		"an old door version":   {IfDoorVersion: directory.Some(u.DoorVersion)},
		"a version of 0":        {IfVersion: directory.Some[int64](0)},
		"a version to come":     {IfVersion: directory.Some(u.Version + 9)},
		"one of two is too old": {IfVersion: directory.Some(u.Version + 1), IfDoorVersion: directory.Some(u.DoorVersion)},
	} {
		_, err := f.svc.UpdateUser(f.ctx, f.sys(), ref, directory.UserPatch{Title: directory.Some("Lost"), GivenName: directory.Some("\x00")}, o)
		if directory.CodeOf(err) != directory.CodeStale || !directory.IsReason(err, directory.ReasonVersionMismatch) {
			t.Errorf("%s: error %v, want stale before the fields are looked at", what, err)
		}
	}
	f.wantUnchanged(dump, "an update of an old version")
}

// An unknown company is a wrong field in a body, and not found in a path.
func TestRulesUnknownCompany(t *testing.T) {
	f := newFixture(t)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	u := f.someone()
	for _, company := range []int64{-1, 0, 987_654, directory.MaxNumber + 1, other.root} {
		dump := f.dump()
		_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{Company: directory.Some(company)}, directory.UpdateOptions{})
		wantError(t, err, directory.CodeInvalid, noCompany)
		if got := fieldReasons(err); !cmp.Equal(got, []string{"company company.not_found"}) {
			t.Errorf("company %d: fields %v", company, got)
		}
		if company != 0 { // a new user without a company gets the tenant's default
			in := newUser(f.unique("new"))
			withCompany(company)(&in)
			_, err = f.svc.CreateUser(f.ctx, f.sys(), in)
			wantError(t, err, directory.CodeInvalid, noCompany)
		}
		_, err = f.svc.Company(f.ctx, f.sys(), company)
		wantError(t, err, directory.CodeNotFound, noCompany)
		_, err = f.svc.LockReasons(f.ctx, f.sys(), company)
		wantError(t, err, directory.CodeNotFound, noCompany)
		_, err = f.svc.Roles(f.ctx, f.sys(), company)
		wantError(t, err, directory.CodeNotFound, noCompany)
		f.wantUnchanged(dump, "an unknown company")
	}
	if got := f.someone().Company; got != f.root {
		t.Errorf("a user without a company got %d, want the default %d", got, f.root)
	}
}

// Changing the licence, the dates and the e-mail in one patch keeps every
// other field, whatever was set before.
func TestRulesUpdateKeepsTheRest(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	for name, patch := range onePatches(f) {
		if name != "valid_from" {
			must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), patch, directory.UpdateOptions{}))(t)
		}
	}
	before := f.stored(u.Number)
	zero := directory.UserPatch{Email: directory.Some(""), LicenceType: directory.Some(""), Phones: directory.Some([]directory.Phone(nil)), Picture: directory.Some(raw(""))}
	must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), zero, directory.UpdateOptions{}))(t)
	want := []string{"email", "licence_type", "phones", "picture"}
	if got := changedFields(before, f.stored(u.Number)); !cmp.Equal(got, want) {
		t.Errorf("changed %v, want %v", got, want)
	}
	dump := f.dump()
	must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{}, directory.UpdateOptions{ClaimEmail: true}))(t)
	f.wantUnchanged(dump, "an empty patch")
}

// Another door's fields and another credential's external id stay when one of
// them is replaced.
func TestRulesExtrasAreByDoor(t *testing.T) {
	f := newFixture(t)
	u, key, second := f.someone(), f.key(adminRank), f.key(adminRank)
	ref := directory.ByNumber(u.Number)
	put := func(c *directory.Call, p directory.UserPatch) {
		t.Helper()
		must(f.svc.UpdateUser(f.ctx, c, ref, p, directory.UpdateOptions{}))(t)
	}
	put(f.through(directory.DoorEncore, key), directory.UserPatch{Extras: directory.Some(raw(`{"a":1}`)), ExternalID: directory.Some("one")})
	put(f.through(directory.DoorSmartapp, second), directory.UserPatch{Extras: directory.Some(raw(`{"b":2}`)), ExternalID: directory.Some("two")})
	put(f.through(directory.DoorEncore, key), directory.UserPatch{Extras: directory.Some(raw(`{"a":3}`))})
	got := f.stored(u.Number).Profile
	if string(got.Extras["encore"]) != `{"a":3}` || string(got.Extras["smartapp"]) != `{"b":2}` || len(got.ExternalIDs) != 2 {
		t.Errorf("extras %s, external ids %v", got.Extras, got.ExternalIDs)
	}
	put(f.through(directory.DoorEncore, key), directory.UserPatch{Extras: directory.Some(raw("")), ExternalID: directory.Some("")})
	got = f.stored(u.Number).Profile
	if _, kept := got.Extras["encore"]; kept || len(got.Extras) != 1 || len(got.ExternalIDs) != 1 {
		t.Errorf("after clearing: extras %s, external ids %v", got.Extras, got.ExternalIDs)
	}
}
