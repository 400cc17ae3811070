package directory_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// guessed are the fields of a header's columns.
func guessed(header ...string) []string {
	var fields []string
	for _, c := range directory.GuessColumns(header) {
		fields = append(fields, c.Field)
	}
	return fields
}

// Headers mean what people and other directories mean by them.
func TestGuessColumns(t *testing.T) {
	for what, c := range map[string]struct{ header, want string }{
		"usher's own": {"id,number,user_name,rank,created_at,phones.mobile,attributes.Cost Centre,address.city,version", "id,number,user_name,,,phones.mobile,attributes.Cost Centre,address.city,"},
		"by hand":     {"First Name,LAST-NAME,E-Mail,User Name,Mobile,Department,Shoe size,Zip Code,Active", "given_name,family_name,email,user_name,phones.mobile,attributes.department,,address.zip,status"},
		"active directory": {"sAMAccountName,givenName,sn,mail,telephoneNumber,title,company,department,userPrincipalName,objectGUID",
			"user_name,given_name,family_name,email,phones.work,title,company,attributes.department,,id"},
		"google": {"First Name [Required],Last Name [Required],Email Address [Required],Employee ID", "given_name,family_name,email,employee_number"},
		"iqmetrix": {"Id,FirstName,LastName,UserName,ClientUserId,Email,IsActive,JobTitle,ParentEntityId,PhoneNumbers,Version",
			"id,given_name,family_name,user_name,client_user_id,email,status,title,company,phones,"},
		"encore":          {"UserId,UserName,EmployeeNumber,EPTTWebMDN,LicenseType,Phone,MobileOnly,GroupName", "id,user_name,employee_number,web_mdn,licence_type,phones,mobile_only,groups"},
		"servicemobility": {"UserID,FirstName,LastName,Activated,Locked,StorageLocationID,LanguageCode", "user_name,given_name,family_name,status,locked,storage_location,language"},
		"smartapp":        {"uniqueID,userName,displayName,companyName,licenceType,applicationRoles,fax", "id,user_name,display_name,company_name,licence_type,roles,phones.fax"},
		"scim":            {"userName,name.givenName,name.familyName,active,preferredLanguage,externalId", "user_name,given_name,family_name,status,language,"},
		"twice":           {"mail,email,login,user_name", ",email,,user_name"},
		"nothing":         {",  ,()", ",,"},
	} {
		t.Run(what, func(t *testing.T) {
			if diff := cmp.Diff(strings.Split(c.want, ","), guessed(strings.Split(c.header, ",")...)); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

// A column is of a field that there is, and no two are of one.
func TestCheckColumns(t *testing.T) {
	column := func(field string) directory.ImportColumn { return directory.ImportColumn{Header: "A", Field: field} }
	check(t, directory.CheckColumns([]directory.ImportColumn{column("id"), column(""), column(""), column("attributes.x"), column("address.zip")}))
	for _, bad := range []string{"rank", "created_at", "version", "undo", "shoe_size", "address.planet", "attributes.", "phones.", "id.x", "attributes.a\x00"} {
		wantError(t, directory.CheckColumns([]directory.ImportColumn{column(bad)}), directory.CodeInvalid, directory.ReasonFieldUnknown)
	}
	wantError(t, directory.CheckColumns([]directory.ImportColumn{column("id"), column("id")}), directory.CodeInvalid, directory.ReasonFieldValue)
}

// read reads one cell of a column.
func read(field, cell string) directory.Record {
	return directory.RecordOf([]directory.ImportColumn{{Header: field, Field: field}}, []string{cell}, 3)
}

// Cells say what people write, and an empty one says nothing.
func TestRecordOf(t *testing.T) {
	day := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	at := func(t time.Time) func(*directory.Record) {
		return func(r *directory.Record) { r.ExpiresAt = &t }
	}
	state := func(s directory.State) func(*directory.Record) {
		return func(r *directory.Record) { r.Status = &s }
	}
	locked := func(v bool) func(*directory.Record) { return func(r *directory.Record) { r.Locked = &v } }
	for _, c := range []struct {
		field, cell string
		want        func(*directory.Record)
	}{
		{"user_name", "", func(*directory.Record) {}},
		{"user_name", " \t", func(*directory.Record) {}},
		{"", "x", func(*directory.Record) {}},
		{"user_name", " ann ", func(r *directory.Record) { r.UserName = new("ann") }},
		{"given_name", " Ann", func(r *directory.Record) { r.GivenName = new(" Ann") }},
		{"id", "17", func(r *directory.Record) { r.Number = new(int64(17)) }},
		{"id", "5f0a1c2e-0000-4000-8000-000000000001", func(r *directory.Record) { r.ID = new("5f0a1c2e-0000-4000-8000-000000000001") }},
		{"company", "North", func(r *directory.Record) { r.CompanyName = new("North") }},
		{"company", "12", func(r *directory.Record) { r.Company = new(int64(12)) }},
		{"expires_at", "2026-12-31", at(day)},
		{"expires_at", "2026-12-31T01:00:00+01:00", at(day)},
		{"expires_at", "2026-12-31 00:00", at(day)},
		{"status", "Enabled", state(directory.StateActive)}, {"status", "TRUE", state(directory.StateActive)},
		{"status", "Disabled", state(directory.StateInactive)}, {"status", "0", state(directory.StateInactive)},
		{"status", "Not activated", state(directory.StateStaged)}, {"status", "deleted", state(directory.StateDeleted)},
		{"locked", "Yes", locked(true)}, {"locked", "off", locked(false)},
		{"phones", "1; 2|3", func(r *directory.Record) { r.Phones = &[]directory.Phone{{Number: "1"}, {Number: "2"}, {Number: "3"}} }},
		{"phones", `[{"number":"1","type":"work"}]`, func(r *directory.Record) { r.Phones = &[]directory.Phone{{Number: "1", Type: "work"}} }},
		{"groups", "Team; service_team:Aa", func(r *directory.Record) {
			r.Groups = &[]directory.RecordGroup{{Kind: directory.GroupPlain, Key: "Team", Name: "Team"}, {Kind: directory.GroupServiceTeam, Key: "Aa", Name: "Aa"}}
		}},
		{"roles", "a|b", func(r *directory.Record) { r.Roles = &[]string{"a", "b"} }},
		{"locations", "3;1", func(r *directory.Record) { r.Locations = &[]int64{3, 1} }},
		{"attributes", `{"a":1}`, func(r *directory.Record) { r.Attributes = &map[string]json.RawMessage{"a": raw("1")} }},
		{"extras", `{"encore":{"a":1}}`, func(r *directory.Record) { r.Extras = map[string]json.RawMessage{"encore": raw(`{"a":1}`)} }},
		{"attributes.x", "007", func(r *directory.Record) {
			r.Parts = &directory.RecordParts{Attributes: map[string]string{"x": "007"}}
		}},
		{"phones.mobile", " 5 ", func(r *directory.Record) {
			r.Parts = &directory.RecordParts{Phones: []directory.Phone{{Number: "5", Type: "mobile"}}}
		}},
		{"address.city", "Oslo", func(r *directory.Record) {
			r.Parts = &directory.RecordParts{Address: map[string]string{"city": "Oslo"}}
		}},
		{"address", "1 Road", func(r *directory.Record) { r.Address = &directory.Address{Line1: "1 Road"} }},
	} {
		want := directory.Record{Line: 3}
		c.want(&want)
		if diff := cmp.Diff(want, read(c.field, c.cell)); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", c.field, c.cell, diff)
		}
	}
}

// What a cell does not say is a fault of its member.
func TestRecordOfFaults(t *testing.T) {
	for field, cell := range map[string]string{"number": "one", "expires_at": "31/12/2026", "status": "perhaps", "locked": "perhaps", "phones": "[1",
		"attributes": "x", "extras": "x", "locations": "here", "lock_reason": "x", "user_name": "\xff", "groups": `[1]`} {
		r := read(field, cell)
		if len(r.Faults) != 1 || r.Faults[0].Field != field || r.Faults[0].Reason != directory.ReasonFieldFormat {
			t.Errorf("%s %q gave %+v", field, cell, r)
		}
	}
}

// Parts of members leave the others as they are, and an attribute keeps its type.
func TestRulesImportParts(t *testing.T) {
	f := newFixture(t)
	u := f.user("ann", func(in *directory.NewUser) {
		in.Fields.Phones = directory.Some([]directory.Phone{{Number: "1", Type: "Work"}, {Number: "2", Type: "Mobile"}})
		in.Fields.Address = directory.Some(directory.Address{Set: true, City: "Oslo", Zip: "0150"})
		in.Fields.Attributes = directory.Some(map[string]json.RawMessage{"floor": raw("3"), "room": raw(`"3"`), "pet": raw(`"cat"`)})
	})
	header := []string{"user_name", "phones.mobile", "address.zip", "attributes.floor", "attributes.room", "attributes.badge"}
	same := directory.RecordOf(directory.GuessColumns(header), []string{"ann", "2", "0150", "3", "3", ""}, 1)
	if _, verdicts := f.imported(importOf(), same); verdicts[0].Verdict != directory.RowSkip {
		t.Errorf("the verdict is %+v", verdicts[0])
	}
	other := directory.RecordOf(directory.GuessColumns(header), []string{"ann", "5", "0151", "4", "4", "007"}, 1)
	_, verdicts := f.imported(importOf(), other)
	if diff := cmp.Diff([]string{"update: phones, address, attributes"}, whatCame(verdicts)); diff != "" {
		t.Errorf("the verdict (-want +got):\n%s", diff)
	}
	got := f.stored(u.Number)
	want := got
	want.Phones = []directory.Phone{{Number: "1", Type: "Work"}, {Number: "5", Type: "Mobile"}}
	want.Address.Zip = "0151"
	want.Profile.Attributes = map[string]json.RawMessage{"floor": raw("4"), "room": raw(`"4"`), "pet": raw(`"cat"`), "badge": raw(`"007"`)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the user (-want +got):\n%s", diff)
	}
}

// Whatever stands in a header or a cell is read or is a fault.
func FuzzRecordOf(f *testing.F) {
	for _, seed := range [][3]string{{"First Name", "given_name", "Ann"}, {"phones.x", "phones.x", "1;2"}, {"a", "attributes", `{"a":[1,{"b":null}]}`},
		{"[", "groups", `[{"kind":"group"}]`}, {"(", "expires_at", "2026-02-30"}, {"ı", "status", "\u0130"}, {"ﬁrst", "id", "00000000000000000000"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, header, field, cell string) {
		guess := directory.GuessColumns([]string{header, header})
		if err := directory.CheckColumns(guess); err != nil {
			t.Fatalf("the columns guessed of %q are refused: %v", header, err)
		}
		if guess[0].Field != "" && guess[0].Field == guess[1].Field {
			t.Fatalf("two columns are %s", guess[0].Field)
		}
		columns := []directory.ImportColumn{{Header: header, Field: field}}
		if directory.CheckColumns(columns) != nil {
			columns[0].Field = guess[0].Field
		}
		record := directory.RecordOf(columns, []string{cell, "more"}, 7)
		for _, fault := range record.Faults {
			if fault.Field != columns[0].Field || fault.Message == "" || strings.Contains(fault.Field, "password") {
				t.Fatalf("the fault is %+v", fault)
			}
		}
		again := directory.RecordOf(columns, []string{cell}, 7)
		if diff := cmp.Diff(record, again); diff != "" {
			t.Fatalf("the second time (-first +second):\n%s", diff)
		}
	})
}
