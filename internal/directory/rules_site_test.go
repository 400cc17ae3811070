package directory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// offices are the names of a company's locations, the headquarters with a star.
func (f *fixture) offices(company int64) string {
	f.t.Helper()
	return officeNames(must(f.svc.CompanyDetail(f.ctx, f.sys(), directory.CompanyRef{Number: company}))(f.t))
}

func officeNames(d directory.CompanyDetail) string {
	var names []string
	for _, l := range d.Locations {
		if l.Headquarters {
			l.Name += "*"
		}
		names = append(names, l.Name)
	}
	return strings.Join(names, " ")
}

// A company is made with its locations, one of which at most is the
// headquarters; without any it gets one.
func TestRulesCreateSite(t *testing.T) {
	f := newFixture(t)
	owner, mark := f.ranked(ownerRank), f.mark()
	bare := must(f.svc.CreateSite(f.ctx, f.sys(), directory.Company{Name: "Bare", Metadata: `{"a":1}`}, nil))(t)
	f.wantEvents(mark, directory.EventCompanyCreated, directory.EventLocationCreated)
	if got := officeNames(bare); got != "headquarters*" || bare.Company.Parent != f.root || bare.Owner.Number != owner.Number || bare.Owner.Email != owner.Email {
		t.Errorf("locations %q of %+v, owner %+v", got, bare.Company, bare.Owner)
	}
	full := must(f.svc.CreateSite(f.ctx, f.sys(), directory.Company{Name: "Full"}, []directory.Location{{Name: "a", Headquarters: true}, {Name: "b", Address: directory.Address{City: "York"}}, {Name: "c", Headquarters: true}}))(t)
	if got := officeNames(full); got != "a b c*" || full.Locations[1].Address.City != "York" {
		t.Errorf("locations %q: %+v", got, full.Locations)
	}
	for name, ref := range map[string]directory.CompanyRef{"id": {ID: strings.ToUpper(full.Company.ID)}, "name": {Name: "FULL"}, "number": {Number: full.Company.Number}} {
		if got := must(f.svc.CompanyDetail(f.ctx, f.sys(), ref))(t); got.Company.Number != full.Company.Number || officeNames(got) != "a b c*" || got.Owner != full.Owner {
			t.Errorf("by %s: %+v", name, got)
		}
	}
	for _, ref := range []directory.CompanyRef{{}, {ID: "x"}, {ID: owner.ID}, {Name: "no"}, {Name: "a\x00"}, {Number: 987_654}, {Number: -1}} {
		_, err := f.svc.CompanyDetail(f.ctx, f.sys(), ref)
		wantError(t, err, directory.CodeNotFound, noCompany)
	}
	dump := f.dump()
	for _, c := range []struct {
		company   directory.Company
		locations []directory.Location
		want      string
	}{
		{directory.Company{Name: "full"}, nil, "company company.name_taken"},
		{directory.Company{}, []directory.Location{{}}, "name field.required, name field.required"},
		{directory.Company{Name: "x"}, []directory.Location{{Name: "a"}, {Name: "A"}}, "locations location.name_taken"},
		{directory.Company{Name: "x"}, []directory.Location{{Name: "a", Address: directory.Address{Zip: "\x00"}, Fax: strings.Repeat("1", 65), ID: "x"}}, "id field.format, fax field.length, address field.format"},
		{directory.Company{Name: "x"}, slices.Repeat([]directory.Location{{Name: "a"}}, 501), "locations field.length"},
	} {
		_, err := f.svc.CreateSite(f.ctx, f.sys(), c.company, c.locations)
		if got := strings.Join(fieldReasons(err), ", "); got != c.want {
			t.Errorf("%+v: %v, want %s", c.company, err, c.want)
		}
	}
	f.wantUnchanged(dump, "a refused site")
}

// Of all locations of a company one at most is the headquarters, whichever way
// it became that.
func TestRulesHeadquarters(t *testing.T) {
	f := newFixture(t)
	a, b := f.company("A", f.root), f.company("B", f.root)
	add := func(company, name string, hq bool) directory.LocationDetail {
		t.Helper()
		return must(f.svc.AddLocation(f.ctx, f.sys(), directory.CompanyRef{Name: company}, directory.Location{Name: name, Headquarters: hq}))(t)
	}
	other := add("B", "one", true)
	first := add("A", "one", true)
	if first.Company.Number != a || first.Location.Company != a || first.Location.Version != 1 {
		t.Errorf("made %+v", first)
	}
	mark := f.mark()
	second := add("A", "two", true)
	f.wantEvents(mark, directory.EventLocationUpdated, directory.EventLocationCreated)
	must(f.svc.CreateLocation(f.ctx, f.sys(), directory.Location{Company: a, Name: "three", Headquarters: true}))(t)
	if got := f.offices(a); got != "one two three*" {
		t.Errorf("locations %q", got)
	}
	mark = f.mark()
	next := must(f.svc.UpdateLocation(f.ctx, f.sys(), first.Location.ID, directory.LocationPatch{Headquarters: directory.Some(true)}))(t)
	f.wantEvents(mark, directory.EventLocationUpdated, directory.EventLocationUpdated)
	if got := f.offices(a); got != "one* two three" || next.Location.Version != 3 {
		t.Errorf("locations %q, version %d", got, next.Location.Version)
	}
	if got := f.offices(b); got != "one*" {
		t.Errorf("another company's locations: %q", got)
	}
	must(f.svc.UpdateLocation(f.ctx, f.sys(), other.Location.ID, directory.LocationPatch{Headquarters: directory.Some(false)}))(t)
	if got := f.offices(b); got != "one" {
		t.Errorf("locations without headquarters: %q", got)
	}
	if got := must(f.svc.LocationByID(f.ctx, f.sys(), second.Location.ID))(t); got.Location.Headquarters || got.Location.Version != 2 || got.Company.Number != a {
		t.Errorf("read: %+v", got)
	}
}

func TestRulesUpdateLocation(t *testing.T) {
	f := newFixture(t)
	a := f.company("A", f.root)
	add := func(name string) directory.Location {
		t.Helper()
		return must(f.svc.AddLocation(f.ctx, f.sys(), directory.CompanyRef{Number: a}, directory.Location{Name: name, Phone: "1", Address: directory.Address{City: "York", Zip: "1"}}))(t).Location
	}
	one := add("one")
	add("two")
	got := must(f.svc.UpdateLocation(f.ctx, f.sys(), one.ID, directory.LocationPatch{Name: directory.Some("ONE"), Fax: directory.Some("2"), Address: func(a *directory.Address) { a.City = "Leeds" }}))(t).Location
	if got.Name != "ONE" || got.Phone != "1" || got.Fax != "2" || got.Address != (directory.Address{City: "Leeds", Zip: "1"}) || got.Version != 2 {
		t.Errorf("updated: %+v", got)
	}
	dump, again := f.dump(), f.sys()
	must(f.svc.UpdateLocation(f.ctx, again, one.ID, directory.LocationPatch{Name: directory.Some("ONE")}))(t)
	if again.Changed {
		t.Error("a patch that changes nothing is a change")
	}
	for want, p := range map[string]directory.LocationPatch{
		"locations location.name_taken": {Name: directory.Some("Two")}, "name field.required": {Name: directory.Some(" ")},
		"address field.length": {Address: func(a *directory.Address) { a.Line1 = strings.Repeat("x", 257) }}, "phone field.format": {Phone: directory.Some("\n")},
	} {
		_, err := f.svc.UpdateLocation(f.ctx, f.sys(), one.ID, p)
		if got := strings.Join(fieldReasons(err), ", "); got != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, id := range []string{"", "x", "3f0c3a52-2d3c-4f6e-8e55-0d2f7a3c1b9e"} {
		_, err := f.svc.UpdateLocation(f.ctx, f.sys(), id, directory.LocationPatch{})
		wantError(t, err, directory.CodeNotFound, directory.ReasonLocationNotFound)
	}
	_, err := f.svc.AddLocation(f.ctx, f.sys(), directory.CompanyRef{Name: "no"}, directory.Location{Name: "x"})
	if got := fieldReasons(err); !slices.Equal(got, []string{"company company.not_found"}) || directory.CodeOf(err) != directory.CodeInvalid {
		t.Errorf("a location of an unknown company: %v", err)
	}
	f.wantUnchanged(dump, "a patch that is refused or changes nothing")
}

// The tenant's entity is read by anybody of the tenant and replaced as a whole.
func TestRulesEntity(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	me, ref := f.session(u), directory.ByNumber(u.Number)
	mark := f.mark()
	set := must(f.svc.SetEntity(f.ctx, f.sys(), directory.Some(ref), `{"Name":"Acme","ApiToken":"sesame"}`))(t)
	f.secret("sesame")
	f.wantEvents(mark, directory.EventTenantUpdated)
	for who, got := range map[string]directory.Tenant{
		"the tenant": must(f.svc.Entity(f.ctx, me()))(t), "a user's": must(f.svc.UserEntity(f.ctx, me(), ref))(t), "the one that was set": set,
	} {
		if got.Entity != `{"Name":"Acme","ApiToken":"sesame"}` || got.ID != f.tenant.ID {
			t.Errorf("%s: %q of %s", who, got.Entity, got.ID)
		}
	}
	dump, again := f.dump(), f.sys()
	must(f.svc.SetEntity(f.ctx, again, directory.Opt[directory.UserRef]{}, set.Entity))(t)
	if again.Changed {
		t.Error("the same entity is a change")
	}
	for _, text := range []string{"", "[]", "null", `{"a":`, `{"a":"\u0000"}`, "{\"a\":\"\xff\"}", `{"a":"` + strings.Repeat("x", 64<<10) + `"}`} {
		_, err := f.svc.SetEntity(f.ctx, f.sys(), directory.Some(ref), text)
		if got := fieldReasons(err); len(got) != 1 || !strings.HasPrefix(got[0], "entity field.") {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for _, ref := range []directory.UserRef{directory.ByNumber(987_654), directory.ByUserName("nobody")} {
		_, err := f.svc.SetEntity(f.ctx, f.sys(), directory.Some(ref), `{}`)
		wantError(t, err, directory.CodeNotFound, noUser)
	}
	f.wantUnchanged(dump, "an entity that is refused or the same")
	must(f.svc.SetEntity(f.ctx, f.sys(), directory.Some(ref), " {} "))(t)
}
