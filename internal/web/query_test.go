package web

import (
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"unicode/utf8"
)

func TestQueryGet(t *testing.T) {
	for _, c := range []struct {
		name, raw, ask, want string
		ok                   bool
	}{
		{"plain", "a=1&b=2", "b", "2", true},
		{"case of the name", "PageSize=20", "pagesize", "20", true},
		{"case of the question", "pagesize=20", "PageSize", "20", true},
		{"escaped dollar", "%24top=5", "$top", "5", true},
		{"dollar", "$top=5", "$top", "5", true},
		{"escaped dollar and case", "%24TOP=5", "$top", "5", true},
		{"absent", "a=1", "b", "", false},
		{"no query", "", "b", "", false},
		{"no value", "a", "a", "", true},
		{"empty value", "a=", "a", "", true},
		{"empty name", "=1&a=2", "a", "2", true},
		{"empty name is nobody", "=1", "", "", false},
		{"empty parts", "&&a=1&&", "a", "1", true},
		{"first wins", "a=1&A=2", "a", "1", true},
		{"plus", "q=a+b", "q", "a b", true},
		{"escaped space", "q=a%20b", "q", "a b", true},
		{"escaped plus", "q=a%2Bb", "q", "a+b", true},
		{"escaped ampersand", "q=a%26b=c", "q", "a&b=c", true},
		{"equals in the value", "q=a=b", "q", "a=b", true},
		{"broken escape", "q=100%", "q", "100%", true},
		{"broken escape with letters", "q=%zz%4", "q", "%zz%4", true},
		{"broken escape in the name", "%=1&%zz=2", "%zz", "2", true},
		{"escape in both cases", "q=%c3%A9", "q", "é", true},
		{"semicolon is a character", "q=a;b=c", "q", "a;b=c", true},
		{"not UTF-8", "q=a%ff", "q", "a\uFFFD", true},
		{"raw bytes that are not UTF-8", "q=a\xff", "q", "a\uFFFD", true},
		{"prefix of a name", "$topmost=1", "$top", "", false},
		{"longer than the name", "$to=1", "$top", "", false},
		{"Kelvin sign is no k", "%E2%84%AAey=1", "key", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := Query(c.raw).Get(c.ask)
			if got != c.want || ok != c.ok {
				t.Errorf("Query(%q).Get(%q) = %q, %v; want %q, %v", c.raw, c.ask, got, ok, c.want, c.ok)
			}
		})
	}
}

func TestQueryAll(t *testing.T) {
	q := Query("id=1&x=9&ID=2&=7&id=a%2Fb")
	if got, want := q.All("id"), []string{"1", "2", "a/b"}; !slices.Equal(got, want) {
		t.Errorf("All(id) = %q, want %q", got, want)
	}
	if got := q.All("y"); got != nil {
		t.Errorf("All(y) = %q, want nil", got)
	}
}

func TestQueryEach(t *testing.T) {
	var got []string
	for n, v := range Query("%24a=1&=x&b=c+d&e=5").Each {
		if n == "e" {
			break
		}
		got = append(got, n+":"+v)
	}
	if want := []string{"$a:1", "b:c d"}; !slices.Equal(got, want) {
		t.Errorf("Each yields %q, want %q", got, want)
	}
}

func TestRequestQuery(t *testing.T) {
	r := &Request{Request: httptest.NewRequest("GET", "/x?A=%zz", nil)}
	if got, ok := r.Query().Get("a"); got != "%zz" || !ok {
		t.Errorf("Get(a) = %q, %v", got, ok)
	}
}

func TestQueryWithoutAllocation(t *testing.T) {
	for _, raw := range []string{"", "a=1&pagesize=20&%24top=5"} {
		q := Query(raw)
		if n := testing.AllocsPerRun(100, func() {
			q.Get("$top")
			q.Get("missing")
		}); n != 0 {
			t.Errorf("Query(%q).Get makes %v allocations, want none", raw, n)
		}
	}
}

// FuzzQuery: no input panics, values are UTF-8, and a query that net/url
// accepts reads as net/url reads it.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "a=1", "%24top=1&$TOP=2", "a=%", "a=%zz&%=", "=&=&", "a+b=c+d", "é=%C3%A9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q := Query(raw)
		count := 0
		for n, v := range q.Each {
			count++
			if !utf8.ValidString(n) || !utf8.ValidString(v) {
				t.Fatalf("Each of %q yields %q, %q", raw, n, v)
			}
		}
		if count == 0 && len(q.All("a")) > 0 {
			t.Fatalf("%q has no parts but a value", raw)
		}
		want, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		for name, values := range want {
			if name == "" || !utf8.ValidString(name) {
				continue
			}
			all := q.All(name)
			for _, v := range values {
				if utf8.ValidString(v) && !slices.Contains(all, v) {
					t.Fatalf("Query(%q).All(%q) = %q, net/url has %q", raw, name, all, values)
				}
			}
		}
	})
}
