package encore

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// codeOf is the code of an error that this door made by itself, 0 of any other.
func codeOf(err error) int {
	if c, ok := err.(coded); ok {
		return c.code
	}
	return 0
}

// FuzzPath: no path breaks the parser; a key has no slash and is never empty,
// and leads back to the same pattern.
func FuzzPath(f *testing.F) {
	for _, rt := range routes {
		f.Add(strings.Replace(rt.pattern, "{id}", "123456", 1))
	}
	f.Add("/users/v1/users/a%2Fb%/active")
	f.Add("/USERS/v1/users///")
	f.Fuzz(func(t *testing.T, path string) {
		pattern, id := parsePath(path)
		if pattern == "" || pattern == listPattern {
			if id != "" {
				t.Errorf("%q: %q with a key %q", path, pattern, id)
			}
			return
		}
		if id == "" || strings.Contains(id, "/") {
			t.Errorf("%q: key %q", path, id)
		}
		if again, key := parsePath(strings.Replace(pattern, "{id}", id, 1)); again != pattern || key != id {
			t.Errorf("%q: %q %q, then %q %q", path, pattern, id, again, key)
		}
	})
}

// FuzzUserRef: every key of a path names a user or is code 2 or 4; an external
// id comes back from its own escaped form.
func FuzzUserRef(f *testing.F) {
	f.Add("123456", false)
	f.Add("%20", true)
	f.Add("a%2Fb%zz", true)
	f.Fuzz(func(t *testing.T, escaped string, external bool) {
		ref, err := userRef(escaped, external)
		switch {
		case err != nil:
			if code := codeOf(err); code != codeInternalID && code != codeExternalIDEmpty || (code == codeExternalIDEmpty) != external {
				t.Errorf("%q: %v", escaped, err)
			}
		case !external:
			if ref.Number < 1 || ref.Number > directory.MaxNumber {
				t.Errorf("%q: number %d", escaped, ref.Number)
			}
		default:
			if again, err := userRef(url.PathEscape(ref.Key), true); err != nil || again != ref {
				t.Errorf("%q: %+v, then %+v, %v", escaped, ref, again, err)
			}
		}
	})
}

// FuzzQuery: every query and header gives a page in range, a truth value and a
// key, or a code of 400.
func FuzzQuery(f *testing.F) {
	f.Add("use-external-id=true&pageNumber=2&pageSize=10&subscription-key=k", "false")
	f.Add("=1&pageSize=%00&use-external-id=%ff", "")
	f.Add("pageNumber=2147483647&pageSize=2000", " TRUE ")
	f.Fuzz(func(t *testing.T, raw, header string) {
		r := &web.Request{Request: &http.Request{URL: &url.URL{RawQuery: raw}, Header: http.Header{"Use-External-Id": {header}}}}
		skip, limit, err := parsePage(r.Query())
		switch {
		case err != nil && codeOf(err) != codeFormat:
			t.Errorf("%q: %v", raw, err)
		case err == nil && (skip < 0 || limit < 1 || limit > maxPageSize || skip%limit != 0):
			t.Errorf("%q: skip %d, limit %d", raw, skip, limit)
		}
		if _, err := useExternalID(r, true); err != nil && codeOf(err) != codeExternalIDMissing {
			t.Errorf("%q, %q: %v", raw, header, err)
		}
		if strings.Contains(string(subscriptionKey(r)), "\xff") {
			t.Errorf("%q: the key is no text", raw)
		}
	})
}

// FuzzBody: no body breaks the converters, a refusal is code 3, every fault has
// a code of its own, and what is accepted is shown as JSON and means the same
// when it is sent back.
func FuzzBody(f *testing.F) {
	f.Add(`{"UserName":"pwalker","Password":"secret1","GroupName":"interns","EmployeeNumber":"7","Email":"a@b.test","Phone":"+1 (813) 555","RoleId":5,"IsActive":true,"EPTTEnabled":true,"EPTTNumber":"1","EPTTWebMDN":"2","EPTTToken":"3\u00e9","GPSEnabled":true,"MobileOnly":true,"LicenseType":3}`)
	f.Add(`{"UserName":" ","RoleId":1e3,"LicenseType":-1,"Phone":"+","Nickname":1}`)
	f.Add(`{"UserName":"\u0000","RoleId":1.5}`)
	f.Add(`[]`)
	d := testDoor()
	f.Fuzz(func(t *testing.T, text string) {
		for _, creating := range []bool{true, false} {
			in, err := exchangeOf(text).replacement(d, creating)
			if err != nil {
				if codeOf(err) != codeFormat && directory.CodeOf(err) != directory.CodeInvalid && directory.CodeOf(err) != directory.CodeTooLarge {
					t.Errorf("%q: %v", text, err)
				}
				continue
			}
			checkFaults(t, text, in)
			sent := shown(t, in)
			again, err := exchangeOf(string(sent)).replacement(d, false)
			if err != nil || len(in.faults) == 0 && string(shown(t, again)) != string(sent) {
				t.Errorf("%q: shown as %s, then %v", text, sent, err)
			}
		}
		if in, err := exchangeOf(text).changes(d); err == nil {
			checkFaults(t, text, in)
		}
	})
}

func exchangeOf(body string) *exchange {
	return &exchange{req: &web.Request{Request: httptest.NewRequest("PUT", "/users/v1/users/1", strings.NewReader(body))}}
}

// checkFaults fails for a fault that the vendor has no code for, and for more
// of them than there are properties.
func checkFaults(t *testing.T, text string, in *input) {
	t.Helper()
	if len(in.faults) == 0 {
		return
	}
	codes := codesOf(&directory.Error{Code: directory.CodeInvalid, Fields: in.faults})
	for i, code := range codes {
		if code <= lastRequestCode || messages[code] == "" {
			t.Errorf("%q: %+v has code %d", text, in.faults[i], code)
		}
	}
	if len(codes) > 2*len(properties) {
		t.Errorf("%q: %d faults", text, len(codes))
	}
}

// shown is the ReadUser that the fields of a patch would make.
func shown(t *testing.T, in *input) []byte {
	t.Helper()
	p := &in.patch
	u := directory.User{Number: 1, UserName: p.UserName.Value, GivenName: p.GivenName.Value, FamilyName: p.FamilyName.Value, Email: p.Email.Value,
		EmployeeNumber: p.EmployeeNumber.Value, WebMDN: p.WebMDN.Value, LicenceType: p.LicenceType.Value, State: p.State.Value}
	u.Profile.MobileOnly = p.MobileOnly.Value
	if p.Administrator.Value {
		u.Rank = directory.RankAdministrator
	}
	if p.FirstPhone.Value != "" {
		u.Phones = []directory.Phone{{Number: p.FirstPhone.Value}}
	}
	raw, err := json.Marshal(p.ExtraFields)
	if err != nil {
		t.Fatal(err)
	}
	u.Profile.Extras = map[string]json.RawMessage{"encore": raw}
	detail := directory.UserDetail{User: u}
	for _, change := range p.Groups {
		for _, g := range change.Groups {
			detail.Groups = append(detail.Groups, directory.Membership{Group: directory.Group{Kind: g.Kind, Name: g.Name}})
		}
	}
	b := appendReadUser(nil, &detail)
	if !json.Valid(b) {
		t.Fatalf("shown as %s", b)
	}
	return b
}
