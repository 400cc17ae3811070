package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/web"
)

func TestNextStaysInTheConsole(t *testing.T) {
	for target, want := range map[string]string{
		"/console/users?q=a": "/console/users?q=a", "": "/console/", "/api/v1/users": "/console/", "//evil.example": "/console/",
		"/console//evil.example": "/console/", "https://evil.example/console/": "/console/", "/console/\\evil": "/console/", "/console/a\r\nX: y": "/console/",
		"/consolex": "/console/",
	} {
		if got := Next(target); got != want {
			t.Errorf("Next(%q) = %q, want %q", target, got, want)
		}
	}
}

func TestNumbersAndTimes(t *testing.T) {
	for n, want := range map[any]string{0: "0", 999: "999", int64(1000): "1\u202f000", 1234567: "1\u202f234\u202f567", -1000: "−1\u202f000", "10 000+": "10 000+"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%v) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{30 * time.Second: "just now", 5 * time.Minute: "5 min ago", 30 * time.Hour: "30 h ago", 72 * time.Hour: "3 days ago", -90 * time.Minute: "in 1 h"} {
		if got := Ago(d); got != want {
			t.Errorf("Ago(%s) = %q, want %q", d, got, want)
		}
	}
	if got := Link("/users", "q", "a b", "company", 0, "status", ""); got != "/console/users?company=0&q=a+b" {
		t.Errorf("Link: %s", got)
	}
}

// Assets are served under a path that has their hash, and under no other.
func TestAssets(t *testing.T) {
	k := New(nil, Options{})
	for name := range k.assets {
		path, err := k.assetURL(name)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		k.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.Len() == 0 {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		w = httptest.NewRecorder()
		k.ServeHTTP(w, httptest.NewRequest(http.MethodGet, assetPath+"000000000000/"+name, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("another version of %s: %d", name, w.Code)
		}
	}
}

// Who has no session is led to signing in, and back to the page from there.
func TestWithoutASession(t *testing.T) {
	k := New(nil, Options{})
	k.Get("/users", func(*Request) (web.Response, error) { t.Error("the page was made"); return web.Response{}, nil })
	k.Post("/users", func(*Request) (web.Response, error) { t.Error("the form was read"); return web.Response{}, nil })
	w := httptest.NewRecorder()
	k.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/console/users?q=a", nil))
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != "/console/sign-in?next=%2Fconsole%2Fusers%3Fq%3Da" {
		t.Errorf("%d to %s", w.Code, got)
	}
	w = httptest.NewRecorder()
	k.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/console/users", nil))
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != "/console/sign-in" {
		t.Errorf("%d to %s", w.Code, got)
	}
}
