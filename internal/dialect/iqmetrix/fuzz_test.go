package iqmetrix

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// FuzzPath: no path breaks the parser, a parsed one has a shape of lower-case
// letters without keys, and its keys are numbers in range or none.
func FuzzPath(f *testing.F) {
	for _, rt := range routes {
		f.Add(strings.NewReplacer("{UserId}", "2576", "{CompanyId}", "14146", "{LocationId}", "2").Replace(rt.pattern))
	}
	f.Add("/v1/Users(99999999999999999999)/")
	f.Add("/v1/Users(((")
	f.Add("/v1/Users()()()")
	f.Fuzz(func(t *testing.T, path string) {
		var at target
		if !at.parse(path) {
			return
		}
		shape := string(at.shape[:at.length])
		if len(shape) > len(path) || strings.Count(shape, "()") < at.count {
			t.Errorf("%q: shape %q with %d keys", path, shape, at.count)
		}
		for i := range at.count {
			if n := at.number(i); n != noNumber && (n < 1 || n > directory.MaxNumber) {
				t.Errorf("%q: number %d", path, n)
			}
		}
		var again target
		if !again.parse(strings.ToUpper(shape)) && isASCII(shape) {
			t.Errorf("%q: its shape %q is no path", path, shape)
		}
		if isASCII(path) && again.length > 0 && string(again.shape[:again.length]) != strings.TrimSuffix(shape, "/") && string(again.shape[:again.length]) != shape {
			t.Errorf("%q: shape %q parses to %q", path, shape, again.shape[:again.length])
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// FuzzFilter: what is accepted is an exact match of ClientUserId, and writing
// its value back gives the same filter; all else is invalid.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{"ClientUserId eq '132'", "clientuserid EQ 'O''Neil'", "ClientUserId eq ''", "ClientUserId eq 'a'b'", "Email eq 'x'"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := parseFilter(text)
		if err != nil {
			if directory.CodeOf(err) != directory.CodeInvalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		value := filter.(directory.Text).Value
		again, err := parseFilter("ClientUserId eq '" + strings.ReplaceAll(value, "'", "''") + "'")
		if err != nil || again != filter {
			t.Errorf("%q: value %q gives %v, %v", text, value, again, err)
		}
	})
}

// FuzzQuery: every query gives a page in range or an invalid error, and search
// terms that come back from the page's own link are the same.
func FuzzQuery(f *testing.F) {
	f.Add("$skip=1&$top=10")
	f.Add("%24skip=-1&terms=Sam+Smith")
	f.Add("=1&=10&terms=%ff%00%C2%AD")
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := parsePage(web.Query(raw))
		switch {
		case err != nil && directory.CodeOf(err) != directory.CodeInvalid:
			t.Errorf("%q: %v", raw, err)
		case err == nil && (p.skip < 0 || p.top < 1 || p.top > maxTop):
			t.Errorf("%q: %+v", raw, p)
		}
		terms, err := parseTerms(web.Query(raw))
		if err != nil {
			return
		}
		link, err := url.Parse(linkBase(1, terms) + "$skip=0&$top=30")
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		again, err := parseTerms(web.Query(link.RawQuery))
		if err != nil || strings.Join(again, " ") != strings.Join(terms, " ") {
			t.Errorf("%q: link %s gives %q, want %q (%v)", raw, link, again, terms, err)
		}
	})
}

// FuzzForm: every body of a token request is a form whose values are texts, or
// an error that the token service has a name for.
func FuzzForm(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "grant_type=password&username=a%00&password=%ff")
	f.Add("application/x-www-form-urlencoded; charset=utf-8", "a=1&a=2;b=%zz")
	f.Add("text/plain", "grant_type=password")
	d := New(nil, Options{}).(*door)
	f.Fuzz(func(t *testing.T, media, body string) {
		r := httptest.NewRequest("POST", tokenPattern, strings.NewReader(body))
		r.Header.Set("Content-Type", media)
		form, err := readForm(d, &exchange{req: &web.Request{Request: r}})
		if err != nil {
			if _, own := errors.AsType[oauthError](err); !own && directory.CodeOf(err) != directory.CodeTooLarge {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		for name, values := range form {
			if len(values) != 1 || !utf8.ValidString(name+values[0]) || strings.Contains(values[0], "\x00") {
				t.Errorf("%q: %q = %q", body, name, values)
			}
		}
	})
}

// FuzzUserBody: no body breaks the converters; a refusal is invalid, and what
// is accepted can be shown as JSON and says the same when it is sent back.
func FuzzUserBody(f *testing.F) {
	f.Add(sampleBody)
	f.Add(`{"UserName":"\u0000","ParentEntityId":1e400,"PhoneNumbers":[[]],"Address":{"Zip":"\ud800"}}`)
	f.Add(`{"UserName":"a","ParentEntityId":1,"Picture":{"a":1},"Attributes":{"a":{"b":[1,2]}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		object, err := decode([]byte(text))
		if err != nil {
			if directory.CodeOf(err) != directory.CodeInvalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if _, err := newUser(object); err != nil && directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("%q: import: %v", text, err)
		}
		p, _, err := userUpdate(object, 2576)
		if err != nil {
			if directory.CodeOf(err) != directory.CodeInvalid {
				t.Errorf("%q: put: %v", text, err)
			}
			return
		}
		sent := shown(&p)
		if !json.Valid(sent) {
			t.Fatalf("%q: shown as %s", text, sent)
		}
		object, err = decode(sent)
		if err != nil {
			t.Fatalf("%q: shown as %s: %v", text, sent, err)
		}
		again, _, err := userUpdate(object, 2576)
		if err != nil || string(shown(&again)) != string(sent) {
			t.Errorf("%q: shown as %s, then as %s (%v)", text, sent, shown(&again), err)
		}
	})
}

// shown is the User that the fields of a patch would make.
func shown(p *directory.UserPatch) []byte {
	u := directory.User{Number: 2576, UserName: p.UserName.Value, Email: p.Email.Value, GivenName: p.GivenName.Value, FamilyName: p.FamilyName.Value,
		Title: p.Title.Value, Company: p.Company.Value, ClientUserID: p.ClientUserID.Value, Phones: p.Phones.Value, Address: p.Address.Value}
	if u.Company == noNumber {
		u.Company = directory.MaxNumber
	}
	u.Profile.Picture, u.Profile.Attributes = p.Picture.Value, p.Attributes.Value
	return appendUser(nil, &u, false)
}
