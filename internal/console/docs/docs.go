// Package docs is the documentation of the APIs, for people who write against
// them: a page that lists the doors, a page for each made of the door's OpenAPI
// 3.1 description, and that description itself.
//
//	/docs                      what is served
//	/docs/<door>               the operations of a door
//	/docs/<door>/openapi.json  its description
//
// Descriptions are checked when the server starts; pages are made once, when the
// first is asked for, since most processes of tests and commands ask for none.
// They need no script and nothing from elsewhere. They show what a description
// says and nothing about the directory, so they ask for no credential.
package docs

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// Path is where the list of APIs lies; all other pages are below it.
const Path = "/docs"

//go:embed index.html
var indexSource string

//go:embed api.html
var apiSource string

//go:embed style.css
var style []byte

var (
	indexPage = template.Must(template.New("index").Parse(indexSource))
	apiPage   = template.Must(template.New("api").Parse(apiSource))
)

// Document is the description of one API.
type Document struct {
	// Name is the last part of the page's path, of small letters and hyphens.
	Name string
	// Title is what the API is called on the pages.
	Title string
	// JSON is the description, of OpenAPI 3.1. It is published as it is.
	JSON []byte
	// About and Documents are of an API that describes itself in documents of its
	// own: one sentence, and their paths. It has no JSON, and no page.
	About     string
	Documents []string
}

var goodName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// file is one answer, ready to send.
type file struct {
	contentType string
	body        []byte
	etag        string
}

// site is every page.
type site struct {
	base  string
	apis  []api
	self  []Document                      // of APIs that describe themselves
	files func() (map[string]file, error) // by path, made once
}

// api is one description, checked.
type api struct {
	Document
	spec *spec
}

// New makes the pages of documents, in their order. Base is where clients reach
// the server, without a slash at its end; the commands on the pages have it. The
// handler answers GET and HEAD at Path and below. A document that is not a sound
// description is an error that names it.
func New(base string, documents []Document) (http.Handler, error) {
	s := &site{base: base}
	for _, d := range documents {
		taken := slices.ContainsFunc(s.apis, func(a api) bool { return a.Name == d.Name })
		if taken || !goodName.MatchString(d.Name) {
			return nil, fmt.Errorf("docs: %q is no name for a page, or is taken", d.Name)
		}
		if len(d.Documents) > 0 {
			s.self = append(s.self, d)
			continue
		}
		description, err := checkedSpec(d.JSON)
		if err != nil {
			return nil, fmt.Errorf("docs: the description of %s: %w", d.Name, err)
		}
		s.apis = append(s.apis, api{d, description})
	}
	s.files = sync.OnceValues(s.render)
	return web.Adapt(directory.DoorConsole.String(), "documentation", s.serve, fail), nil
}

// checked are the descriptions that were found sound, by the sum of their text.
// Every server of a process has the same ones, and tests start many.
var checked sync.Map

func checkedSpec(text []byte) (*spec, error) {
	sum := sha256.Sum256(text)
	if s, ok := checked.Load(sum); ok {
		return s.(*spec), nil
	}
	s, err := readSpec(text)
	if err == nil {
		checked.Store(sum, s)
	}
	return s, err
}

const styleFile = Path + "/style.css"

// render makes every page.
func (s *site) render() (map[string]file, error) {
	files := map[string]file{}
	add := func(at, contentType string, body []byte) {
		sum := sha256.Sum256(body)
		files[at] = file{contentType, body, `"` + hex.EncodeToString(sum[:12]) + `"`}
	}
	show := func(at string, t *template.Template, data any) error {
		var body bytes.Buffer
		err := t.Execute(&body, data)
		add(at, "text/html; charset=utf-8", bytes.TrimLeft(body.Bytes(), "\n"))
		return err
	}
	list := &index{Base: s.base, Self: s.self}
	for _, a := range s.apis {
		v := a.spec.view(&a.Document, s.base)
		list.APIs = append(list.APIs, v)
		if err := show(Path+"/"+a.Name, apiPage, v); err != nil {
			return nil, fmt.Errorf("docs: the page of %s: %w", a.Name, err)
		}
		add(Path+"/"+a.Name+"/openapi.json", "application/json", a.JSON)
	}
	add(styleFile, "text/css; charset=utf-8", style)
	return files, show(Path, indexPage, list)
}

func (s *site) serve(r *web.Request) (web.Response, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		response := plain(http.StatusMethodNotAllowed, "These pages take GET and HEAD.")
		response.Header = append(response.Header, [2]string{"Allow", "GET, HEAD"})
		return response, nil
	}
	files, err := s.files()
	if err != nil {
		return web.Response{}, err
	}
	found, ok := files[strings.TrimSuffix(strings.ToLower(r.URL.Path), "/")]
	if !ok {
		r.Event.Code, r.Event.Reason = string(directory.CodeNotFound), string(directory.ReasonRouteNotFound)
		return plain(http.StatusNotFound, "There is no such page. What there is: "+Path), nil
	}
	header := append(headers(), [2]string{"ETag", found.etag}, [2]string{"Cache-Control", "no-cache"})
	if matches(r.Header.Values("If-None-Match"), found.etag) {
		return web.Response{Status: http.StatusNotModified, Header: header}, nil
	}
	return web.Response{Status: http.StatusOK, ContentType: found.contentType, Body: found.body, Header: header}, nil
}

// matches reports whether If-None-Match names a tag (RFC 9110, 13.1.2: weak
// comparison).
func matches(values []string, etag string) bool {
	for _, value := range values {
		for candidate := range strings.SplitSeq(value, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == etag {
				return true
			}
		}
	}
	return false
}

// fail answers an error, which only a defect can cause.
func fail(r *web.Request, _ error) web.Response {
	return plain(http.StatusInternalServerError, "Something went wrong on the server ("+r.Event.ErrorID+").")
}

func plain(status int, text string) web.Response {
	return web.Response{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(text + "\n"),
		Header: append(headers(), [2]string{"Cache-Control", "no-store"})}
}

// headers allow a page its own style sheet and nothing else.
func headers() [][2]string {
	return [][2]string{
		{"Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
	}
}
