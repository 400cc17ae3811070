package scim

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// notOurs reports an error that is not the client's fault.
func notOurs(err error) bool {
	return err != nil && directory.CodeOf(err) != directory.CodeInvalid && directory.CodeOf(err) != directory.CodeTooLarge
}

// sample is a user with something of everything.
func sample() directory.UserDetail {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	u := directory.User{Number: 7, ID: "2819c223-7f76-453a-919d-413861904646", UserName: "bjensen", Email: "b@x.org", GivenName: "Barbara",
		FamilyName: "Jensen", State: directory.StateActive, Version: 3, CreatedAt: at, UpdatedAt: at, Company: 1, Title: "Guide",
		Phones:  []directory.Phone{{Number: "555", Type: "work", Extension: "1"}, {Number: "556"}},
		Address: directory.Address{Set: true, Line1: "1 Road", Line2: "Floor 2", City: "Oslo", Country: "NO"}}
	u.Profile.ExternalIDs = map[string]string{"c": "e1"}
	u.Profile.Extras = map[string]json.RawMessage{doorName: json.RawMessage(`{"nickName":"Babs","name":{"middleName":"J","formatted":"B","of":"Barbara\nJensen"},` +
		`"emails":[{"value":"h@x.org","type":"home"}],"manager":"m1","roles":[{"value":"x","display":"X"}],"roleLabels":["x"],"ims":[{"value":"i"}]}`)}
	return directory.UserDetail{User: u, Roles: []directory.HeldRole{{Role: directory.Role{Number: 1, Key: "tech", Name: "Technician"}}}}
}

// after is the user that a patch makes, as far as the door itself decides it.
func after(u directory.UserDetail, p *directory.UserPatch) directory.UserDetail {
	text := func(to *string, value directory.Opt[string]) {
		if value.Set {
			*to = value.Value
		}
	}
	text(&u.User.UserName, p.UserName)
	text(&u.User.Email, p.Email)
	text(&u.User.GivenName, p.GivenName)
	text(&u.User.FamilyName, p.FamilyName)
	text(&u.User.DisplayName, p.DisplayName)
	text(&u.User.Title, p.Title)
	text(&u.User.EmployeeNumber, p.EmployeeNumber)
	text(&u.User.LicenceType, p.LicenceType)
	text(&u.User.Profile.Language, p.Language)
	text(&u.User.Profile.TimeZone, p.TimeZone)
	if p.ExternalID.Set {
		u.User.Profile.ExternalIDs = map[string]string{"c": p.ExternalID.Value}
	}
	if p.Phones.Set {
		u.User.Phones = p.Phones.Value
	}
	if p.Address.Set {
		u.User.Address = p.Address.Value
	}
	if p.State.Set {
		u.User.State = p.State.Value
	}
	kept := map[string]json.RawMessage{}
	_ = json.Unmarshal(u.User.Profile.Extras[doorName], &kept) // nothing is kept at first
	for name, value := range p.ExtraFields {
		if kept[name] = value; string(value) == "null" {
			delete(kept, name)
		}
	}
	if p.PlainRoles.Set {
		u.Roles = nil
		kept["roleLabels"] = asJSON(p.PlainRoles.Value.Keys)
	}
	u.User.Profile.Extras = map[string]json.RawMessage{doorName: asJSON(kept)}
	return u
}

// FuzzUserBody: no body breaks the converters; a refusal is the client's fault,
// and what is accepted is shown as JSON that means the same when it is sent
// back.
func FuzzUserBody(f *testing.F) {
	f.Add(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a","name":{"formatted":"x"},"emails":[{"value":"a@b.c","primary":"True"},{"value":"d@e.f"}]}`)
	f.Add(`{"userName":"a","addresses":[{"streetAddress":"a\nb\nc","formatted":"x","primary":false},{"locality":"y"}],"roles":[{"value":"r"}],"phoneNumbers":{"value":"5","display":"x"}}`)
	f.Add(`{"userName":["a"],"active":"false","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"$ref":"../Users/x"}},"password":null,"ims":[{"value":"\u0000"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		object, err := decode([]byte(text), maxDepth, web.MaxJSONValues)
		if err != nil {
			if notOurs(err) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if _, err := newUser(object); notOurs(err) {
			t.Errorf("%q: new: %v", text, err)
		}
		p, err := replacement(object)
		if err != nil {
			if notOurs(err) {
				t.Errorf("%q: replacement: %v", text, err)
			}
			return
		}
		v := userView{base: "https://x", credential: "c", stored: true}
		u := after(sample(), &p)
		shown := v.appendUser(nil, &u)
		if !json.Valid(shown) {
			t.Fatalf("%q: shown as %s", text, shown)
		}
		object, err = decode(shown, maxDepth, web.MaxJSONValues)
		if err != nil {
			t.Fatalf("%q: shown as %s: %v", text, shown, err)
		}
		again, err := replacement(object)
		if err != nil {
			t.Fatalf("%q: shown as %s: %v", text, shown, err)
		}
		u = after(sample(), &again)
		if twice := v.appendUser(nil, &u); string(twice) != string(shown) {
			t.Errorf("%q: shown as %s, then as %s", text, shown, twice)
		}
	})
}

// FuzzPatch: no PATCH breaks on a user; a refusal is the client's fault, twice
// the same gives the same, and the user that it is carried out on is not
// touched.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{"Operations":[{"op":"add","path":"emails[type eq \"work\"].value","value":"x@y.z"},{"op":"Replace","value":{"name.familyName":"S","active":"False"}}]}`,
		`{"Operations":[{"op":"remove","path":"emails[type eq \"home\"]"},{"op":"remove","path":"phoneNumbers","value":[{"value":"555"}]},{"op":"remove","path":"name"}]}`,
		`{"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"$ref":"a/b"}},{"op":"add","path":"roles","value":"x"}]}`,
		`{"Operations":[{"op":"replace","path":"addresses[primary eq true]","value":{"country":null}},{"op":"add","path":"addresses.locality","value":["x"]}]}`,
		`{"Operations":[{"op":"add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D"},"emails[type eq \"home\"].display":"x","password":"p"}}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		object, err := decode([]byte(text), maxDepth, web.MaxJSONValues)
		if err != nil {
			return
		}
		p, err := readUserPatch(object)
		if err != nil {
			if notOurs(err) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		u := sample()
		before := string(asJSON(u))
		first, err := p.of(&u, "c")
		if notOurs(err) {
			t.Fatalf("%q: %v", text, err)
		}
		second, errAgain := p.of(&u, "c")
		if string(asJSON(u)) != before {
			t.Errorf("%q: the user was touched", text)
		}
		if (err == nil) != (errAgain == nil) || string(asJSON(first)) != string(asJSON(second)) {
			t.Errorf("%q: first %s, %v, then %s, %v", text, asJSON(first), err, asJSON(second), errAgain)
		}
		if err != nil {
			return
		}
		v := userView{base: "https://x", credential: "c"}
		changed := after(u, &first)
		if shown := v.appendUser(nil, &changed); !json.Valid(shown) {
			t.Errorf("%q: shown as %s", text, shown)
		}
	})
}

// FuzzFilter: every filter gives a condition of the core that can be asked of a
// user, or is refused as the client's fault; so does the one for lists of every
// type.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{`userName eq "x" and not (active eq true)`, `emails[type eq "work" and value co "@"]`, `groups.value eq "g" and title pr`,
		`phoneNumbers[type eq "work" and value sw "5"] or meta.created gt "2020-01-01T00:00:00Z"`, `emails.primary ne "False"`, `members.value eq "x"`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "m1" or schemas co "core"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for path, kind := range map[string]string{"/scim/v2/Users": "users", "/scim/v2/Groups": "groups", "/scim/v2": "all"} {
			r := httptest.NewRequest("GET", path, nil)
			r.URL.RawQuery = "filter=" + url.QueryEscape(text)
			x := &exchange{req: &web.Request{Request: r}}
			l, err := x.queryList()
			if err == nil && l.filter != nil {
				err = compileFor(x, &l, kind)
			}
			if notOurs(err) {
				t.Errorf("%s: %q: %v", kind, text, err)
			}
		}
	})
}

// compileFor compiles a filter for a list and asks a sample of it.
func compileFor(x *exchange, l *listRequest, kind string) error {
	u := sample()
	switch kind {
	case "users":
		q, err := userQuery(l)
		if q.Filter != nil && err == nil {
			q.Filter.Match(&u.User)
		}
		return err
	case "groups":
		s, err := groupSearch(l)
		if s.Match != nil && err == nil {
			s.Match(&directory.GroupDetail{})
		}
		return err
	}
	_, err := x.rootList(l)
	return err
}

// FuzzList: every query is a list in range or refused as the client's fault; a
// list shows itself as JSON.
func FuzzList(f *testing.F) {
	f.Add("startIndex=-1&count=999999999999999999&sortBy=name.givenName&sortOrder=descending&attributes=userName,emails.value")
	f.Add("cursor=&count=5&excludedAttributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
	f.Add("cursor=g.x%00&count=0&filter=%22")
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest("GET", "/scim/v2/Users", nil)
		r.URL.RawQuery = raw
		l, err := (&exchange{req: &web.Request{Request: r}}).queryList()
		if err != nil {
			if notOurs(err) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		if l.start < 1 || l.count < 0 || l.count > maxPageSize || l.byCursor && l.start > 1 {
			t.Errorf("%q: %+v", raw, l)
		}
		show, err := userResource.projected(l.attributes, l.excluded)
		if err != nil {
			return
		}
		u, v := sample(), userView{show: show}
		page := listPage{total: 1, shown: 1, next: "x", request: &l}
		if body := appendListTail(append(v.appendUser(page.appendListHead(nil), &u), ',')); !json.Valid(body) {
			t.Errorf("%q: %s", raw, body)
		}
	})
}

// FuzzTags: no header breaks the reader of entity tags, and a tag is read as
// the version that it was made of.
func FuzzTags(f *testing.F) {
	f.Add(`"1", W/"22" , *`, int64(7))
	f.Fuzz(func(t *testing.T, header string, version int64) {
		versions, _ := tags([]string{header})
		for _, v := range versions {
			if v != noVersion && v < 1 {
				t.Errorf("%q: %v", header, versions)
			}
		}
		if back, any := tags([]string{"W/" + etag(version)}); version > 0 && (any || len(back) != 1 || back[0] != version) {
			t.Errorf("%d: %v", version, back)
		}
	})
}
