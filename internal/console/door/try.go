package door

import (
	"bytes"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// tryView is a door with the panel in which a request can be tried.
type tryView struct {
	row
	Methods []string
	Method  string
	Path    string
	Body    string
	Type    string
	Faults  page.Faults
	Answer  *answer
	Docs    bool
	Base    string
}

// answer is what a door answered.
type answer struct {
	Status  int
	Text    string
	Header  [][2]string
	Body    string
	Cut     bool
	Elapsed time.Duration
}

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// maxShown is how much of an answer is shown.
const maxShown = 64 << 10

func (p *pages) showOne(r *page.Request) (web.Response, error) { return p.oneWith(r, nil) }

// find is the door of the path.
func find(r *page.Request) (known, error) {
	at := slices.IndexFunc(doors, func(k known) bool { return k.Door.String() == r.PathValue("name") })
	if at < 0 {
		return known{}, directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such door.")
	}
	return doors[at], nil
}

// oneWith shows a door after edit has put the request that was tried into it.
func (p *pages) oneWith(r *page.Request, edit func(*tryView)) (web.Response, error) {
	k, err := find(r)
	if err != nil {
		return web.Response{}, err
	}
	t, err := r.Kit.Service.OwnTenant(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	v := tryView{row: rowOf(r, k, t.Doors, &t.Settings), Methods: methods, Method: k.Method, Path: k.Path, Type: "application/json", Docs: k.Method != "", Base: r.Kit.Options.PublicURL}
	if edit != nil {
		edit(&v)
	}
	view := page.View{Title: k.Title, Section: "doors", Data: v, Crumbs: []page.Crumb{{Text: "Doors", Path: "/doors"}}}
	if v.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.one, view)
}

// try sends a request to the door inside of the process, with the credential that the
// person gives: never with the console's session.
func (p *pages) try(r *page.Request) (web.Response, error) {
	k, err := find(r)
	if err != nil {
		return web.Response{}, err
	}
	viewer, err := r.Viewer()
	if err != nil {
		return web.Response{}, err
	}
	if !viewer.Administers() {
		return web.Response{}, directory.Wrong(directory.CodeForbidden, directory.ReasonRankTooLow, "Administrators try doors here.")
	}
	method, path, body := r.Value("method"), r.Value("path"), r.Value("body")
	req, err := http.NewRequestWithContext(r.Context(), method, "http://"+r.Host+path, strings.NewReader(body))
	return p.oneWith(r, func(v *tryView) {
		v.Method, v.Path, v.Body, v.Type = method, path, body, r.Value("type")
		if err != nil || !strings.HasPrefix(path, "/") || !slices.Contains(methods, method) || strings.HasPrefix(strings.ToLower(path), page.Path) {
			v.Faults = page.Faults{"path": "Give a path of the door, as in " + k.Path}
			return
		}
		// The client's own address: the limits of sign-ins are by it.
		req.RemoteAddr, req.RequestURI = net.JoinHostPort(r.Event.Addr, "0"), path
		if body != "" {
			req.Header.Set("Content-Type", v.Type)
		}
		if key := r.Value("key"); key != "" && k.Header != "" {
			req.Header[k.Header] = []string{strings.ReplaceAll(k.Value, "$KEY", key)}
		}
		v.Answer = send(r.Kit.Options.Front, req)
	})
}

// send asks and notes what comes back.
func send(front http.Handler, req *http.Request) *answer {
	start := time.Now()
	w := &recorder{header: http.Header{}}
	front.ServeHTTP(w, req)
	a := &answer{Status: w.status, Text: http.StatusText(w.status), Elapsed: time.Since(start).Round(10 * time.Microsecond)}
	for name, values := range w.header {
		for _, value := range values {
			a.Header = append(a.Header, [2]string{name, value})
		}
	}
	slices.SortFunc(a.Header, func(x, y [2]string) int { return strings.Compare(x[0], y[0]) })
	text := w.body.Bytes()
	if a.Cut = w.cut; !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte("�"))
	}
	a.Body = string(text)
	return a
}

// recorder is a http.ResponseWriter that keeps the beginning of an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	cut    bool
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if room := maxShown - w.body.Len(); len(b) > room {
		w.cut = true
		w.body.Write(b[:room])
	} else {
		w.body.Write(b)
	}
	return len(b), nil
}
