package smartapp

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// FuzzPath: no path breaks the parser; what stands behind a path has no slash,
// is never empty and leads back to the same operation, and comes out as text.
func FuzzPath(f *testing.F) {
	for i := range operations {
		f.Add(operations[i].paths[0])
	}
	f.Add("/user/get/uniqueid/a%2Fb%")
	f.Add("/USER/%67et/email///")
	d := testDoor(Options{})
	f.Fuzz(func(t *testing.T, path string) {
		op, subject := d.find(path)
		if !utf8.ValidString(unescape(subject)) && utf8.ValidString(subject) {
			t.Errorf("%q: %q is no text", path, unescape(subject))
		}
		switch {
		case op == nil && subject != "":
			t.Errorf("%q: no operation, with %q behind it", path, subject)
		case subject == "":
		case !op.subject || strings.Contains(subject, "/"):
			t.Errorf("%q: %s with %q behind it", path, op.name, subject)
		default:
			if again, same := d.find(op.paths[0] + "/" + subject); d.paths[foldPath(op.paths[0]+"/"+subject)] == nil && (again != op || same != subject) {
				t.Errorf("%q: %s with %q, then %v with %q", path, op.name, subject, again, same)
			}
		}
	})
}

// valuesOf are the values of a request with a query and a body; ok is false if
// the body is refused, which must be the client's fault.
func valuesOf(t *testing.T, d *door, path, query, body string) (v *values, ok bool) {
	t.Helper()
	r := httptest.NewRequest("POST", "/user/update", strings.NewReader(body))
	r.URL = &url.URL{Path: path, RawPath: path, RawQuery: query}
	v, err := (&exchange{req: &web.Request{Request: r}}).values(d)
	if err != nil && directory.CodeOf(err) != directory.CodeInvalid && directory.CodeOf(err) != directory.CodeTooLarge {
		t.Errorf("%q: %v", body, err)
	}
	return v, err == nil
}

// FuzzQuery: every query gives an id and a page in range, or an invalid error.
func FuzzQuery(f *testing.F) {
	f.Add("UniqueID=9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870&skip=1&take=10&apiKey=k")
	f.Add("uniqueid=a&USERID=A&take=%00&skip=+1")
	f.Add("UniqueID=a&UniqueID=b&take=1001")
	d := testDoor(Options{})
	f.Fuzz(func(t *testing.T, query string) {
		v, ok := valuesOf(t, d, "/user/update", query, "")
		if !ok {
			t.Fatalf("%q: refused without a body", query)
		}
		id, err := v.id("userID")
		if err == nil && strings.TrimSpace(id) == "" || err != nil && directory.CodeOf(err) != directory.CodeInvalid || !utf8.ValidString(id) {
			t.Errorf("%q: id %q, %v", query, id, err)
		}
		skip, take, err := v.page()
		if err == nil && (skip < 0 || take < 1 || take > maxTake) || err != nil && directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("%q: skip %d, take %d, %v", query, skip, take, err)
		}
	})
}

// FuzzUser: no query or body breaks the converters, every fault names a field,
// no text is longer than the limits, and what is accepted is shown as JSON and
// means the same when it is sent back.
func FuzzUser(f *testing.F) {
	f.Add("", `{"firstName":"Caleb","lastName":"Carr","email":"ccarr@smartapp.com","phone":"555","fax":7,"mobile":null,"companyName":"smartapp.com","companyLocationName":"headquarters","licenceType":"LicencedUser","metadata":{"Favorite employee":true},"applicationRoles":["a"],"groups":["b","c"],"dashboardGroups":[]}`)
	f.Add("groups=a&groups=b&metadata=%7B%7D&licenceType=Transaction+Based+User&phone=1", ``)
	f.Add("groups=&email=&metadata=[&firstName=%ff", `{"metadata":[],"groups":[1],"licenceType":"x","phone":1.5}`)
	f.Add("", `{"metadata":{"a":"\u0000"},"lastName":"\u0007"}`)
	d := testDoor(Options{})
	f.Fuzz(func(t *testing.T, query, body string) {
		v, ok := valuesOf(t, d, "/user/update", query, body)
		if !ok {
			return
		}
		in := &input{values: v}
		patch := in.userPatch()
		checkFaults(t, in)
		if len(in.faults) > 0 {
			return
		}
		sent := shown(t, &patch)
		again, ok := valuesOf(t, d, "/user/update", "", string(sent))
		if !ok {
			t.Fatalf("%q %q: shown as %s, which is refused", query, body, sent)
		}
		second := &input{values: again}
		if patch := second.userPatch(); len(second.faults) > 0 && patch.Email.Set && patch.Email.Value != "" {
			t.Errorf("%q %q: shown as %s, then %v", query, body, sent, second.faults)
		} else if string(shown(t, &patch)) != string(sent) && len(second.faults) == 0 {
			t.Errorf("%q %q: shown as %s, then as %s", query, body, sent, shown(t, &patch))
		}
	})
}

// FuzzSite: the same for companies and locations.
func FuzzSite(f *testing.F) {
	f.Add("", `{"name":"Acme","website":"acme.example","metadata":{},"locations":[{"name":"plant","isHeadquarters":true,"zipCode":2893,"phoneNumber":8002544050},{"name":"b","zip":"1","phone":"2"}]}`)
	f.Add("name=a&isHeadquarters=TRUE&zipCode=1", `{"locations":[{},7]}`)
	f.Add("isHeadquarters=x", `{"locations":{},"isHeadquarters":"yes"}`)
	d := testDoor(Options{})
	f.Fuzz(func(t *testing.T, query, body string) {
		v, ok := valuesOf(t, d, "/companylocation/update", query, body)
		if !ok {
			return
		}
		in := &input{values: v}
		company, locations := in.company()
		checkFaults(t, in)
		if len(in.faults) == 0 && !json.Valid(appendCompany(nil, &directory.CompanyDetail{Company: company, Locations: locations})) {
			t.Errorf("%q %q: no JSON", query, body)
		}
		in = &input{values: v}
		location := in.location()
		checkFaults(t, in)
		if !json.Valid(appendLocation(nil, &location, "", &directory.UserSummary{})) {
			t.Errorf("%q %q: no JSON", query, body)
		}
	})
}

// checkFaults fails for a fault without a field, a message or a known reason.
func checkFaults(t *testing.T, in *input) {
	t.Helper()
	known := map[directory.Reason]bool{directory.ReasonFieldRequired: true, directory.ReasonFieldFormat: true,
		directory.ReasonFieldLength: true, directory.ReasonFieldValue: true}
	for _, f := range in.faults {
		if f.Field == "" || f.Message == "" || !known[f.Reason] {
			t.Errorf("fault %+v", f)
		}
	}
	if in.err() == nil != (len(in.faults) == 0) || in.err() != nil && directory.CodeOf(in.err()) != directory.CodeInvalid {
		t.Errorf("faults %v, error %v", in.faults, in.err())
	}
}

// shown is the User that the fields of a patch would make, with the names that
// requests have for company and location besides.
func shown(t *testing.T, p *directory.UserPatch) []byte {
	t.Helper()
	u := directory.User{ID: carrForTests, GivenName: p.GivenName.Value, FamilyName: p.FamilyName.Value, Email: p.Email.Value,
		LicenceType: p.LicenceType.Value, State: p.State.Value}
	for _, phone := range p.TypedPhones {
		if phone.Number != "" {
			u.Phones = append(u.Phones, phone)
		}
	}
	raw, err := json.Marshal(p.ExtraFields)
	if err != nil {
		t.Fatal(err)
	}
	u.Profile.Extras = map[string]json.RawMessage{"smartapp": raw}
	d := directory.UserDetail{User: u}
	for _, change := range p.Groups {
		for _, g := range change.Groups {
			d.Groups = append(d.Groups, directory.Membership{Group: directory.Group{Kind: g.Kind, Name: g.Name}})
		}
	}
	for _, key := range p.Roles.Value {
		d.Roles = append(d.Roles, directory.HeldRole{Role: directory.Role{Key: key, Name: key}})
	}
	b := appendUser(nil, &d)
	if !json.Valid(b) {
		t.Fatalf("shown as %s", b)
	}
	return b
}

const carrForTests = "9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870"
