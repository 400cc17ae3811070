package docs_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
)

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	return do(t, http.MethodGet, url, header...)
}

func do(t *testing.T, method, url string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

var (
	link   = regexp.MustCompile(`href="([^"]*)"`)
	id     = regexp.MustCompile(` id="([^"]*)"`)
	void   = regexp.MustCompile(`<((?:meta|link|wbr)[^>]*)>`) // elements without an end
	source = regexp.MustCompile(`(?i)<script|<img|<iframe|<form|\ssrc=|\sstyle=|\son[a-z]+=|url\(|@import`)
)

// Every page of a server: each link leads somewhere, on this server alone; each
// id is there once; nothing is fetched but the one style sheet; tags are closed
// in their order; landmarks, one h1 and the language are there.
func TestPages(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	_, list := get(t, s.URL+"/docs")
	pages := []string{"/docs"}
	for _, m := range link.FindAllStringSubmatch(list, -1) {
		if strings.Count(m[1], "/") == 2 && !strings.HasSuffix(m[1], ".css") && !slices.Contains(pages, m[1]) {
			pages = append(pages, m[1])
		}
	}
	if len(pages) < 5 {
		t.Fatalf("only %q", pages)
	}
	if !strings.Contains(list, `href="/scim/v2/Schemas"`) {
		t.Error("the API that describes itself is not listed")
	}
	for _, page := range pages {
		response, body := get(t, s.URL+page)
		header := response.Header
		if response.StatusCode != http.StatusOK || header.Get("Content-Type") != "text/html; charset=utf-8" || header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'; ") {
			t.Errorf("%s: %d %v", page, response.StatusCode, header)
		}
		if found := source.FindString(body); found != "" {
			t.Errorf("%s has %q", page, found)
		}
		for piece, n := range map[string]int{"<h1>": 1, "<main>": 1, "<header>": 1, `<html lang="en">`: 1, `name="viewport"`: 1} {
			if strings.Count(body, piece) != n {
				t.Errorf("%s has %s %d times", page, piece, strings.Count(body, piece))
			}
		}
		if !strings.HasPrefix(body, "<!DOCTYPE html>") {
			t.Errorf("%s begins with %.20q", page, body)
		}
		checkClosed(t, page, body)
		checkLinks(t, s.URL, page, body)
	}
}

func checkClosed(t *testing.T, page, body string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(void.ReplaceAllString(body, "<$1/>")))
	decoder.Entity = xml.HTMLEntity
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s is not well nested: %v", page, err)
			return
		}
	}
}

func checkLinks(t *testing.T, base, page, body string) {
	t.Helper()
	ids := map[string]bool{}
	for _, m := range id.FindAllStringSubmatch(body, -1) {
		if ids[m[1]] {
			t.Errorf("%s: the id %q is there twice", page, m[1])
		}
		ids[m[1]] = true
	}
	checked := map[string]bool{}
	for _, m := range link.FindAllStringSubmatch(body, -1) {
		target := m[1]
		if fragment, ok := strings.CutPrefix(target, "#"); ok {
			if !ids[fragment] {
				t.Errorf("%s: the link %s leads nowhere", page, target)
			}
			continue
		}
		if checked[target] {
			continue
		}
		checked[target] = true
		if response, _ := get(t, base+target); !strings.HasPrefix(target, "/docs") && !strings.HasPrefix(target, "/scim/v2/") || response.StatusCode != http.StatusOK {
			t.Errorf("%s: the link %s answers %d", page, target, response.StatusCode)
		}
	}
}

// The document is published as it is, with a tag that saves sending it again;
// what is not there says so.
func TestDocumentsAndTags(t *testing.T) {
	s := testkit.Start(t, testkit.Options{})
	response, body := get(t, s.URL+"/docs/encore/openapi.json")
	etag := response.Header.Get("ETag")
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/json" || !strings.Contains(body, `"openapi"`) || !strings.HasPrefix(etag, `"`) {
		t.Fatalf("%d %v\n%.200s", response.StatusCode, response.Header, body)
	}
	for tag, want := range map[string]int{etag: http.StatusNotModified, "W/" + etag: http.StatusNotModified, `"x", ` + etag: http.StatusNotModified, "*": http.StatusNotModified, `"x"`: http.StatusOK} {
		if response, _ := get(t, s.URL+"/docs/encore/openapi.json", "If-None-Match", tag); response.StatusCode != want || response.Header.Get("ETag") != etag {
			t.Errorf("If-None-Match %s: %d", tag, response.StatusCode)
		}
	}
	for path, want := range map[string]int{"/docs/": 200, "/Docs/Encore": 200, "/docs/encore/": 200, "/docs/none": 404, "/docs/encore/x": 404, "/docsx": 404, "/docs/style.css": 200} {
		if response, _ := get(t, s.URL+path); response.StatusCode != want {
			t.Errorf("%s: %d, not %d", path, response.StatusCode, want)
		}
	}
	if response, body := do(t, http.MethodHead, s.URL+"/docs/encore"); response.StatusCode != http.StatusOK || body != "" || response.ContentLength < 1000 {
		t.Errorf("HEAD: %d, %d bytes", response.StatusCode, response.ContentLength)
	}
	if response, _ := do(t, http.MethodPost, s.URL+"/docs"); response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", response.StatusCode, response.Header)
	}
}

// Doors that are switched off are not documented.
func TestOnlyServedDoors(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Tune: func(c *config.Config) {
		c.Doors = []string{"encore"}
		c.PublicURL = "https://people.example.test"
	}})
	_, list := get(t, s.URL+"/docs")
	if !strings.Contains(list, "/docs/encore") || strings.Contains(list, "/docs/iqmetrix") || strings.Contains(list, "/scim/v2") {
		t.Errorf("the list:\n%s", list)
	}
	if response, _ := get(t, s.URL+"/docs/iqmetrix"); response.StatusCode != http.StatusNotFound {
		t.Errorf("the page of a door that is off: %d", response.StatusCode)
	}
	if _, page := get(t, s.URL+"/docs/encore"); !strings.Contains(page, "https://people.example.test/users/v1") {
		t.Error("commands do not go to public_url")
	}
}
