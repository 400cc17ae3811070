package edubrite

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

func TestActionOf(t *testing.T) {
	for path, want := range map[string]string{
		"/oltpublish/site/userService.do": "userservice",
		"/site/USERSERVICE.DO":            "userservice",
		"/OLTpublish/SITE/x.do":           "x",
		"/oltpublish/site/.do":            "",
		"/oltpublish/site/a/b.do":         "a/b",
		"/oltpublish/site/a.jsp":          "",
		"/oltpublish/a.do":                "",
		"/site/":                          "",
		"/site":                           "",
		"":                                "",
		"/site/" + strings.Repeat("a", 100) + ".do": "",
	} {
		if got := actionOf(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestOperationsAreDocumented: every operation says where it comes from, and no
// two are the same.
func TestOperationsAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range operations {
		key := strings.ToLower(op.action + " " + op.dispatch)
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if op.source == "" || op.handle == nil {
			t.Errorf("%s has no source or no handler", key)
		}
	}
}

func TestActingUser(t *testing.T) {
	for value, want := range map[string]string{
		"chenry||": "chenry", "chenry": "chenry", " chenry |a@example.test|C H": "chenry", "": "", "||": "", " ": "", "a b|": "a b",
		"zo\xeb||": "zoë", "zoë||": "zoë", "|chenry": "",
	} {
		if got := actingUser(http.Header{"Real_uname": {value}}); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	if got := actingUser(http.Header{}); got != "" {
		t.Errorf("no header: %q", got)
	}
}

func TestSessionOf(t *testing.T) {
	both := directory.SessionPair{ID: "a*", Info: "b_-"}
	for _, test := range []struct {
		cookies []string
		query   string
		want    directory.SessionPair
	}{
		{[]string{"SESSION_ID=a*; SESSION_INFO=b_-"}, "", both},
		{[]string{"$Version=0; SESSION_ID=a*; $Path=/", "$Version=0; SESSION_INFO=b_-; $Path=/"}, "", both},
		{[]string{`$Version="1"; SESSION_ID="a*"; $Path="/"; SESSION_INFO="b_-"`}, "", both},
		{[]string{"other=1; SESSION_INFO=b_-"}, "", directory.SessionPair{Info: "b_-"}},
		{[]string{"session_id=a*; SESSION_INFO=b_-"}, "", directory.SessionPair{Info: "b_-"}},
		{[]string{"SESSION_ID=a.b; SESSION_INFO=b_-"}, "", directory.SessionPair{Info: "b_-"}},
		{[]string{"SESSION_ID=" + strings.Repeat("a", 129)}, "", directory.SessionPair{}},
		{nil, "sessionId=a*&sInfo=b_-", both},
		{nil, "sessionId=a*", directory.SessionPair{}},
		{nil, "sessionId=a*&sInfo=b%0A", directory.SessionPair{}},
		{[]string{"SESSION_ID=c"}, "sessionId=a*&sInfo=b_-", directory.SessionPair{ID: "c"}},
		{nil, "", directory.SessionPair{}},
	} {
		r := httptest.NewRequest("GET", "/site/x.do?"+test.query, nil)
		r.Header["Cookie"] = test.cookies
		var p params
		if err := p.addForm(r.URL.RawQuery); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, sessionOf(r, p)); diff != "" {
			t.Errorf("%q %s: %s", test.cookies, test.query, diff)
		}
	}
}

func TestPropertyName(t *testing.T) {
	for text, want := range map[string]string{
		"m['address']": "address", `m["address"]`: "address", "m[address]": "address", "m['a b']": "a b", "m['']": "", "m[]": "", "m": "",
		"m['a'": "", "x['a']": "", "m['a\"]": "'a\"", "m[']": "'", "m['it's']": "it's", "m[a]]": "a]",
	} {
		if got, ok := propertyName(text, "m"); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", text, got, ok, want)
		}
	}
}

func TestParseDate(t *testing.T) {
	utc := func(y int, m time.Month, d, h, min, s, ns int) time.Time {
		return time.Date(y, m, d, h, min, s, ns, time.UTC)
	}
	for text, want := range map[string]struct {
		begin time.Time
		unit  time.Duration
	}{
		"31/12/2020 23:59:58":           {utc(2020, 12, 31, 23, 59, 58, 0), time.Second},
		"12/31/2020":                    {utc(2020, 12, 31, 0, 0, 0, 0), 24 * time.Hour},
		"2020-12-31":                    {utc(2020, 12, 31, 0, 0, 0, 0), 24 * time.Hour},
		"2020-12-31T23:59":              {utc(2020, 12, 31, 23, 59, 0, 0), time.Minute},
		"2020-12-31T23:59Z":             {utc(2020, 12, 31, 23, 59, 0, 0), time.Minute},
		"2020-12-31T23:59:58":           {utc(2020, 12, 31, 23, 59, 58, 0), time.Second},
		"2020-12-31T23:59:58.5Z":        {utc(2020, 12, 31, 23, 59, 58, 500_000_000), time.Millisecond},
		"2020-12-31T23:59:58.123+02:00": {utc(2020, 12, 31, 21, 59, 58, 123_000_000), time.Millisecond},
		"2020-12-31T23:59:58+0200":      {utc(2020, 12, 31, 21, 59, 58, 0), time.Second},
		"2020-12-31 23:59:58":           {utc(2020, 12, 31, 23, 59, 58, 0), time.Second},
	} {
		begin, unit, ok := parseDate(text)
		if !ok || !begin.Equal(want.begin) || unit != want.unit {
			t.Errorf("%s: %v %v %v", text, begin, unit, ok)
		}
	}
	for _, text := range []string{"", "today", "31/12/2020", "13/32/2020", "2020-02-30", "2020", "12/31/20", "0001-01-01", "2020-12-31T", "1e9", " 2020-12-31"} {
		if begin, _, ok := parseDate(text); ok {
			t.Errorf("%q: %v", text, begin)
		}
	}
}

// TestDateFilterEnds: both ends belong to the range, in the unit that the
// client wrote, or as days (dossier 5.20).
func TestDateFilterEnds(t *testing.T) {
	noon := time.Date(2020, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		query string
		at    time.Time
		want  bool
	}{
		{"toDate=2020-06-01", noon, true},
		{"toDate=2020-05-31", noon, false},
		{"fromDate=2020-06-01", noon, true},
		{"fromDate=2020-06-02", noon, false},
		{"toDate=01/06/2020 12:00:00", noon.Add(999 * time.Millisecond), true},
		{"toDate=01/06/2020 12:00:00", noon.Add(time.Second), false},
		{"fromDate=01/06/2020 12:00:00", noon, true},
		{"fromDate=01/06/2020 12:00:01", noon, false},
		{"fromDate=01/06/2020 23:00:00&dateFilterIgnoreTime=true", noon, true},
		{"toDate=01/06/2020 01:00:00&dateFilterIgnoreTime=true", noon, true},
		{"toDate=01/06/2020 01:00:00&dateFilterIgnoreTime=false", noon, false},
		{"fromDate=2020-06-01T23:30:00-01:00&dateFilterIgnoreTime=true", noon, false}, // the next day in UTC
	} {
		var p params
		if err := p.addForm(strings.ReplaceAll(test.query, "+", "%2B") + "&dateFilterMode=CREATED_DATE"); err != nil {
			t.Fatal(err)
		}
		var f faults
		filter := p.dateFilter(&f)
		if err := f.err(); err != nil || filter.Match(&directory.User{CreatedAt: test.at}) != test.want {
			t.Errorf("%s at %v: %v (%v)", test.query, test.at, filter, err)
		}
	}
}

// TestSearchWords: what a search finds among three people (dossier 5.8, 5.21).
func TestSearchWords(t *testing.T) {
	people := []directory.User{
		{UserName: "jdoe", GivenName: "John", FamilyName: "Doe", Email: "jd@example.test"},
		{UserName: "jsmith", GivenName: "Jane", FamilyName: "Smithson", Email: "js@example.test"},
		{UserName: "bo", GivenName: "Bo", FamilyName: "Li", Email: "bo@example.org"},
	}
	for search, want := range map[string]string{
		"": "jdoe jsmith bo", "*": "jdoe jsmith bo", "** %": "jdoe jsmith bo", "john doe": "jdoe", "john smith": "", "DOE": "jdoe",
		"jo*": "jdoe", "*son": "jsmith", "j*n": "jdoe", "j*": "jdoe jsmith", "%mith%": "jsmith", "*exam*org": "bo", "*o*": "jdoe jsmith bo",
		"s*i*s*n": "jsmith", "ane*": "", "*jan": "", "j%oe li": "", "bo* l*": "bo", "b": "bo", "*b*": "bo",
	} {
		terms, conditions := searchWords(search, searchFields)
		var found []string
		for i := range people {
			var folded []string
			for _, term := range terms {
				folded = append(folded, directory.FoldSearch(term))
			}
			if directory.MatchTerms(&people[i], folded) && conditions.Match(&people[i]) {
				found = append(found, people[i].UserName)
			}
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%q: %q, want %q", search, got, want)
		}
	}
}

func TestPage(t *testing.T) {
	for query, want := range map[string][3]int64{ // currPage, pageSize, skip
		"": {-1, 20, 0}, "currPage=-1&pageSize=20": {-1, 20, 0}, "currPage=0": {0, 20, 0}, "currPage=3&pageSize=7": {3, 7, 21},
		"pageSize=0": {-1, 20, 0}, "pageSize=-3": {-1, 20, 0}, "pageSize=99999": {-1, 2000, 0},
		"currPage=2147483647&pageSize=2000": {2147483647, 2000, 2147482000}, "currPage=-2147483648": {-2147483648, 20, 0},
	} {
		var p params
		if err := p.addForm(query); err != nil {
			t.Fatal(err)
		}
		var f faults
		at := p.page(&f, maxPageSize)
		if got := [3]int64{at.current, int64(at.size), int64(at.skip())}; got != want || f.err() != nil {
			t.Errorf("%s: %v, want %v (%v)", query, got, want, f.err())
		}
	}
}

// TestForeignExtras: what another program wrote into the extras harms nobody.
func TestForeignExtras(t *testing.T) {
	for raw, want := range map[string]string{
		`[1]`: roleStudent, `"INSTRUCTOR"`: roleStudent, `{"siteRole":7,"prop.a":7,"prop.b":null}`: roleStudent,
		`{"siteRole":"INSTRUCTOR"}`: roleInstructor, `{"siteRole":"ADMIN"}`: roleStudent, `{`: roleStudent,
	} {
		u := directory.UserDetail{User: directory.User{ID: "1", Profile: directory.Profile{Extras: map[string]json.RawMessage{"edubrite": json.RawMessage(raw)}}}}
		body := string(appendUser(nil, &u, ""))
		if !strings.HasPrefix(body, `<user id="1" siteRole="`+want+`" status="INACTIVE">`) {
			t.Errorf("%s: %s", raw, body)
		}
	}
}

// TestResetURL: the address of the request, by TLS where the page takes nothing
// else, or what the operator says it is (dossier 3.2).
func TestResetURL(t *testing.T) {
	for target, want := range map[string]string{
		"http://users.example.com:8080/site/x.do": "http://users.example.com:8080/oltpublish/site/resetpasswd.do?token=",
		"https://users.example.com/site/x.do":     "https://users.example.com/oltpublish/site/resetpasswd.do?token=",
	} {
		x := newExchange(&web.Request{Request: httptest.NewRequest("GET", target, nil), Event: &web.Event{}})
		if got := newDoor().resetURL(x); got != want {
			t.Errorf("%s: %s", target, got)
		}
		secure := New(nil, Options{HTTPS: true}).(*door)
		if got := secure.resetURL(x); got != "https"+want[strings.Index(want, "://"):] {
			t.Errorf("%s with a certificate: %s", target, got)
		}
		public := New(nil, Options{PublicURL: "https://public.example/"}).(*door)
		if got := public.resetURL(x); got != "https://public.example/oltpublish/site/resetpasswd.do?token=" {
			t.Errorf("%s with a setting: %s", target, got)
		}
	}
}
