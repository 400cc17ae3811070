package edubrite

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A page of another site is known by what the browser says of it, and where
// that says nothing, by where the page is.
func TestForeignPage(t *testing.T) {
	d := &door{opts: Options{PublicURL: "https://users.example.com"}}
	for _, test := range []struct {
		site, origin, referer string
		foreign               bool
	}{
		{"", "", "", false}, // no browser
		{"none", "", "", false},
		{"same-origin", "", "http://proxied.example/", false},
		{"cross-site", "", "", true},
		{"same-site", "", "", true},
		{"", "http://evil.example", "", true},
		{"", "null", "", true},
		{"", "http://usher.example.com.evil.example", "", true},
		{"", "http://usher.example.com:81", "", true},
		{"", "%", "", true},
		{"", "http://USHER.example.com:8080", "", false},
		{"", "https://users.example.com", "", false},
		{"", "", "http://evil.example/?http://usher.example.com:8080/", true},
		{"", "", "http://usher.example.com:8080@evil.example/", true},
		{"", "", "http://usher.example.com:8080/site/home.do?x=1", false},
		{"", "http://evil.example", "http://usher.example.com:8080/", true},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://usher.example.com:8080/site/userService.do", nil)
		for name, value := range map[string]string{"Sec-Fetch-Site": test.site, "Origin": test.origin, "Referer": test.referer} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if got := d.foreignPage(r); got != test.foreign {
			t.Errorf("%+v: %v", test, got)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "http://usher.example.com:8080/site/userService.do", nil)
	r.Header.Set("Origin", "null")
	if !(&door{}).foreignPage(r) {
		t.Error("without public_url a page without an origin is one of this server's")
	}
}
