package edubrite

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// FuzzParams: every body and query is a list of named texts, or an error that
// is the client's; and what was read says the same when it is sent again.
func FuzzParams(f *testing.F) {
	f.Add("dispatch=get", "application/x-www-form-urlencoded", "userName=a%00&x=%ff;y=%zz&=1&+=2")
	f.Add("", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"dispatch\"\r\n\r\nget\r\n--x--\r\n")
	f.Add("a=1&a=2", "multipart/form-data; boundary=\"\"", "--")
	f.Add("customUpdPropMap%5B%27address%27%5D=1", "text/plain", "a=1")
	f.Fuzz(func(t *testing.T, query, media, body string) {
		r := httptest.NewRequest("POST", "/site/userService.do", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", media)
		p, err := readParams(&web.Request{Request: r}, 1<<16)
		if err != nil {
			if code := directory.CodeOf(err); code != directory.CodeInvalid && code != directory.CodeTooLarge {
				t.Errorf("%q %q: %v", query, body, err)
			}
			return
		}
		values := url.Values{}
		for _, parameter := range p {
			if parameter.name == "" || !utf8.ValidString(parameter.name+parameter.value) || strings.ContainsRune(parameter.name+parameter.value, 0) {
				t.Errorf("%q %q: %+v", query, body, parameter)
			}
			values.Add(parameter.name, parameter.value)
		}
		var again params
		if err := again.addForm(values.Encode()); err != nil {
			t.Fatalf("%q: %v", values.Encode(), err)
		}
		for _, parameter := range p {
			if again.get(parameter.name) != p.get(parameter.name) {
				t.Errorf("%q: %q, then %q", parameter.name, p.get(parameter.name), again.get(parameter.name))
			}
		}
	})
}

// FuzzCookies: whatever a client sends as cookies and header is a session of
// the vendor's alphabet or none, and an acting user that is text.
func FuzzCookies(f *testing.F) {
	f.Add("$Version=0; SESSION_ID=a*; $Path=/", "$Version=0; SESSION_INFO=b; $Path=/", "chenry||")
	f.Add("SESSION_ID=\"a\"; SESSION_ID=b", "SESSION_INFO=a\n", "a|b|c\xff")
	f.Fuzz(func(t *testing.T, first, second, name string) {
		r := httptest.NewRequest("GET", "/site/userService.do", nil)
		r.Header["Cookie"] = []string{first, second}
		pair := sessionOf(r, params{{"sessionId", first}, {"sInfo", second}})
		for _, half := range []string{pair.ID, pair.Info} {
			if half != "" && !sessionText(half) {
				t.Errorf("%q %q: %+v", first, second, pair)
			}
		}
		user := actingUser(http.Header{"Real_uname": {name}})
		if !utf8.ValidString(user) || strings.Contains(user, "|") || user != strings.TrimSpace(user) {
			t.Errorf("%q: %q", name, user)
		}
	})
}

// FuzzList: every query of list is one that the core may be asked, or invalid;
// its page is within bounds.
func FuzzList(f *testing.F) {
	f.Add("search=john+d*e&inactive=true&pageSize=20&currPage=-1")
	f.Add("fromDate=31/12/2020+23:59:59&toDate=2020-12-31T00:00:00Z&dateFilterMode=ALL&dateFilterIgnoreTime=true")
	f.Add("groupId=a,b,,&groupName=x&siteRole=STUDENT&customPropertyMap['a']=b&pwToken=true&sortAsc=false&activeEnrollment=true")
	f.Add("search=%2A%25%2A&pageSize=2147483647&currPage=2147483647")
	f.Fuzz(func(t *testing.T, query string) {
		var p params
		if p.addForm(query) != nil {
			return
		}
		q, at, with, err := p.userQuery()
		if err != nil {
			if directory.CodeOf(err) != directory.CodeInvalid {
				t.Errorf("%q: %v", query, err)
			}
			return
		}
		if q.Limit < 1 || q.Limit > directory.MaxLimit || q.Skip < 0 || q.Limit != at.size || with == directory.IncludeReset && q.Limit > maxResetPageSize {
			t.Errorf("%q: %+v", query, q)
		}
		if q.Filter != nil {
			q.Filter.Match(&directory.User{UserName: "a", GivenName: "John"}) // must not panic
		}
	})
}

// FuzzSearchWords: a word without wildcards finds who has it, and a search for
// a whole field with its middle replaced by a wildcard finds that user.
func FuzzSearchWords(f *testing.F) {
	f.Add("jdoe", 2)
	f.Add("Ångström", 3)
	f.Fuzz(func(t *testing.T, name string, at int) {
		if !utf8.ValidString(name) || strings.ContainsAny(name, "*%") || strings.Join(strings.Fields(name), "") != name || len(name) > 100 || name == "" {
			return
		}
		u := directory.User{UserName: name}
		runes := []rune(name)
		cut := max(0, at%len(runes))
		for _, search := range []string{string(runes[:cut]) + "*" + string(runes[cut:]), name + "%", "*" + name} {
			terms, conditions := searchWords(search, searchFields)
			if len(terms) > 0 || !conditions.Match(&u) {
				// Folding may join what the cut has parted; then the parts are no
				// beginning and end of the folded name.
				if folded := directory.FoldSearch(name); strings.HasPrefix(folded, directory.FoldSearch(string(runes[:cut]))) &&
					strings.HasSuffix(folded, directory.FoldSearch(string(runes[cut:]))) {
					t.Errorf("%q does not find %q: %q %v", search, name, terms, conditions)
				}
			}
		}
	})
}

// FuzzDate: a date that is read lies within the years that can be written, and
// its unit is one of a known length.
func FuzzDate(f *testing.F) {
	for _, l := range dateLayouts {
		f.Add(l.layout)
	}
	f.Add("31/12/9999 23:59:59")
	f.Fuzz(func(t *testing.T, text string) {
		begin, unit, ok := parseDate(text)
		if !ok {
			return
		}
		if begin.Year() < 999 || begin.Year() > 10000 || unit <= 0 || begin.Location().String() != "UTC" {
			t.Errorf("%q: %v %v", text, begin, unit)
		}
	})
}

// FuzzXML: whatever texts a user has, the answer is well-formed XML 1.0 from
// which a parser reads them back, but for characters that XML has not.
func FuzzXML(f *testing.F) {
	f.Add("]]>", "a\x00b", "<&>\"'", "\r\n")
	f.Add("]]", ">", "\ufffe\uffff\U0010ffff", "\xff\xfe")
	f.Add("<![CDATA[", "&amp;", "]]]]>>", "")
	f.Fuzz(func(t *testing.T, first, id, name, value string) {
		extras, err := json.Marshal(map[string]string{propertyPrefix + name: value})
		if err != nil {
			t.Fatal(err)
		}
		u := directory.UserDetail{User: directory.User{ID: id, UserName: name, GivenName: first,
			Profile: directory.Profile{Extras: map[string]json.RawMessage{"edubrite": extras}}}}
		response, err := success(codeSuccess, value, appendUser(nil, &u, ""))
		if err != nil {
			t.Fatal(err)
		}
		var e envelope
		if err := xml.Unmarshal(response.Body, &e); err != nil {
			t.Fatalf("%v: %q", err, response.Body)
		}
		if len(e.Users) != 1 || e.Users[0].FirstName != shown(first) || e.Users[0].UserName != shown(name) || e.Msgs[0].Value != shown(value) {
			t.Errorf("%q %q %q: %+v", first, name, value, e)
		}
		if e.Users[0].ID != shownAttribute(id) {
			t.Errorf("id %q: %q", id, e.Users[0].ID)
		}
		if len(e.Users[0].Properties) != 1 || e.Users[0].Properties[0].Value != shown(strings.ToValidUTF8(value, "\ufffd")) && utf8.ValidString(value) {
			t.Errorf("%q %q: %+v", name, value, e.Users[0].Properties)
		}
	})
}

// shown is a text as a parser reads it from CDATA: XML 1.0 section 2.11 makes
// every line end one line feed.
func shown(text string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(shownAttribute(text))
}

// shownAttribute is a text as a parser reads it from an attribute whose line
// ends are character references.
func shownAttribute(text string) string {
	var b strings.Builder
	for _, r := range text {
		if !xmlRune(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}
