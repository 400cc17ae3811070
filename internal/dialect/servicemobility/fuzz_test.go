package servicemobility

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// FuzzPath: no path breaks the parser, and one that is parsed says the same when
// its segments are escaped and put together again.
func FuzzPath(f *testing.F) {
	for _, rt := range routes {
		f.Add(rt.pattern)
	}
	f.Add("/seiapi/v3/trans/User/a%2Fb%00%ff/")
	f.Add("/seiapi//v3/%zz")
	d := newDoor(Options{})
	f.Fuzz(func(t *testing.T, escaped string) {
		var p path
		if !p.parse(escaped) {
			if d.find(escaped) != nil {
				t.Errorf("%q leads somewhere", escaped)
			}
			return
		}
		parts := make([]string, p.count)
		for i := range parts {
			parts[i] = url.PathEscape(p.segments[i])
			if p.segments[i] == "" {
				t.Errorf("%q: an empty segment", escaped)
			}
		}
		var again path
		if !again.parse("/"+strings.Join(parts, "/")) || again != p {
			t.Errorf("%q: %q, then %q", escaped, p.segments, again.segments)
		}
	})
}

// FuzzBody: no body breaks a converter, and none is the server's fault: what is
// wrong is invalid and told in an answer that is JSON. A user or an entity that
// is accepted says the same when it is shown and sent back.
func FuzzBody(f *testing.F) {
	f.Add(`{"Activated":true,"Extensions":{"key1":"value1","key1":"value2"},"Phones":[{"PhoneNum":"","PhoneType":""}],"ServiceTeamID":"T","LanguageCode":"xx-yy-zz","UserID":""}`)
	f.Add(`{"Addresses":[{"Lat":"1"}],"Contacts":[{"IsPrimary":true,"Phones":[{}]}],"Name":{"en":"a","fr":"b"},"Desc":{"de":"c"},"Permissions":["a"]}`)
	f.Add(`{"Users":["a",""],"Roles":[1],"ServiceTeams":null,"username":"\u0000","password":1e9,"Password":"\ud800"}`)
	d := newDoor(Options{Errors: ShapeProblem})
	f.Fuzz(func(t *testing.T, text string) {
		object, err := web.DecodeObject([]byte(text), maxDepth)
		if err != nil {
			return
		}
		for name, convert := range map[string]func(*exchange, web.Object){
			"user":        func(x *exchange, o web.Object) { sameUser(t, text, userReplacement(x, o), x) },
			"entity":      func(x *exchange, o web.Object) { sameEntity(t, text, readEntity(x, o), x) },
			"role":        func(x *exchange, o web.Object) { sameRole(t, text, readRole(x, o), x) },
			"token":       func(x *exchange, o web.Object) { readCreateToken(x, o) },
			"impersonate": func(x *exchange, o web.Object) { readImpersonate(x, o) },
			"users":       func(x *exchange, o web.Object) { readUsers(x, o) },
		} {
			x := &exchange{ids: []string{"u"}}
			convert(x, object)
			err := x.faults.err()
			if err == nil {
				continue
			}
			r := &web.Request{Request: &http.Request{}, Event: &web.Event{}}
			response := d.onError(r, &failure{err: err, values: x.faults.values})
			if response.Status != http.StatusBadRequest || !json.Valid(response.Body) || !utf8.Valid(response.Body) {
				t.Errorf("%s of %q: %d %s", name, text, response.Status, response.Body)
			}
		}
	})
}

// sameUser shows a replacement as the user that it would make and reads it back.
func sameUser(t *testing.T, text string, r replacement, x *exchange) {
	if x.faults.err() != nil {
		return
	}
	sent := shown(&r)
	object, err := web.DecodeObject(sent, maxDepth)
	if err != nil {
		t.Fatalf("%q: shown as %s: %v", text, sent, err)
	}
	y := &exchange{ids: []string{"u"}}
	again := userReplacement(y, object)
	if err := y.faults.err(); err != nil || string(shown(&again)) != string(sent) || string(again.fields.Extras.Value) != string(r.fields.Extras.Value) {
		t.Errorf("%q: shown as %s, then as %s (%v)", text, sent, shown(&again), err)
	}
}

// shown is the User that the fields of a replacement would make.
func shown(r *replacement) []byte {
	p := &r.fields
	detail := directory.UserDetail{User: directory.User{UserName: "u", Email: p.Email.Value, GivenName: p.GivenName.Value, FamilyName: p.FamilyName.Value,
		State: p.State.Value, Locked: p.Locked.Value, Phones: p.Phones.Value}}
	detail.User.Profile = directory.Profile{Language: p.Language.Value, StorageLocation: p.StorageLocation.Value,
		Extras: map[string]json.RawMessage{directory.DoorServiceMobility.String(): p.Extras.Value}}
	for _, change := range p.Groups {
		for _, ref := range change.Groups {
			detail.Groups = append(detail.Groups, directory.Membership{Group: directory.Group{Kind: ref.Kind, Key: ref.Name}})
		}
	}
	return appendUser(nil, &detail)
}

// sameEntity is sameUser for an entity.
func sameEntity(t *testing.T, text string, e entity, x *exchange) {
	if x.faults.err() != nil {
		return
	}
	again := entityOf(&directory.Tenant{Entity: e.json(), Name: "other"})
	if again.json() != e.json() {
		t.Errorf("%q: %s, then %s", text, e.json(), again.json())
	}
}

// sameRole is sameUser for a role.
func sameRole(t *testing.T, text string, r directory.Role, x *exchange) {
	if x.faults.err() != nil {
		return
	}
	if r.Name == "" {
		r.Name = r.Key // as the core does
	}
	sent := appendRole(nil, &r)
	object, err := web.DecodeObject(sent, maxDepth)
	if err != nil {
		t.Fatalf("%q: shown as %s: %v", text, sent, err)
	}
	y := &exchange{ids: []string{r.Key}}
	again := readRole(y, object)
	if diff := cmp.Diff(string(sent), string(appendRole(nil, &again))); diff != "" || y.faults.err() != nil {
		t.Errorf("%q: %s %v", text, diff, y.faults.err())
	}
}

// FuzzQuery: the credential of a query is a pair, or nothing.
func FuzzQuery(f *testing.F) {
	f.Add("customerid=1&customercode=2&emailNotification=true")
	f.Add("customerid=%ff%00&customercode=")
	f.Fuzz(func(t *testing.T, raw string) {
		client, secret := credential(&web.Request{Request: &http.Request{Header: http.Header{}, URL: &url.URL{RawQuery: raw}}})
		if client == "" && secret != "" || !utf8.ValidString(client) || !utf8.ValidString(string(secret)) {
			t.Errorf("%q: %q with %d bytes of code", raw, client, len(string(secret)))
		}
	})
}
