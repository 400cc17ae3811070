package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// Path is where the console lies; all its paths are below it.
const Path = "/console"

// Options are what the console needs from outside.
type Options struct {
	// PublicURL is where people reach the server, without a slash at the end.
	PublicURL string
	// HTTPS says that browsers come by TLS, so that cookies are for TLS only.
	HTTPS bool
	// Version is the program's, for the foot of the pages.
	Version string
	// SeenBy shows a user as a door shows it, in the order of the page. The doors are
	// packages that the console must not know.
	SeenBy []SeenBy
	// Front is everything that the server serves, for trying a door from its page.
	Front http.Handler
	// Serves reports whether this process serves a door.
	Serves func(directory.Door) bool
}

// SeenBy makes the answer in which a door shows a user, and the request that
// fetches it.
type SeenBy struct {
	Door  directory.Door
	Title string
	Show  func(u *directory.UserDetail, settings *directory.Settings) (web.Sample, error)
}

// Handler answers one route. Errors become the page for the error.
type Handler func(*Request) (web.Response, error)

// Kit makes the console's pages. Mount everything before the first request.
type Kit struct {
	Service *directory.Service
	Options Options

	mux    *http.ServeMux
	assets map[string]asset
	base   *template.Template
	origin *http.CrossOriginProtection
}

// New makes a kit without pages.
func New(svc *directory.Service, o Options) *Kit {
	k := &Kit{Service: svc, Options: o, mux: http.NewServeMux(), assets: map[string]asset{}, origin: http.NewCrossOriginProtection()}
	for _, name := range []string{"app.css", "app.js", "htmx-2.0.11.min.js", "mark.svg"} {
		body, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // embedded: the build has it
		}
		k.Asset(name, body)
	}
	k.base = template.Must(template.New("base").Funcs(k.funcs()).ParseFS(templateFiles, "templates/*.html"))
	return k
}

// Templates parses a package's templates into a set of their own beside the kit's.
// It panics on a template that does not parse: pages are mounted at the start.
func (k *Kit) Templates(files fs.FS, patterns ...string) *template.Template {
	return template.Must(template.Must(k.base.Clone()).ParseFS(files, patterns...))
}

// Get registers a page of a signed-in person. The path is below Path and may have
// wildcards, as in "/users/{number}".
func (k *Kit) Get(path string, h Handler) { k.handle("GET", path, signedIn(h)) }

// Post registers a form of a signed-in person.
func (k *Kit) Post(path string, h Handler) { k.handle("POST", path, signedIn(h)) }

// GetOpen and PostOpen register what needs no session: signing in.
func (k *Kit) GetOpen(path string, h Handler) { k.handle("GET", path, h) }

// PostOpen is GetOpen for a form.
func (k *Kit) PostOpen(path string, h Handler) { k.handle("POST", path, h) }

func (k *Kit) handle(method, path string, h Handler) {
	pattern := method + " " + Path + path
	if path == "/" {
		pattern += "{$}"
	}
	k.mux.Handle(pattern, web.Adapt(directory.DoorConsole.String(), pattern, func(r *web.Request) (web.Response, error) {
		req := &Request{Request: r, Kit: k}
		if err := k.checkOrigin(req); err != nil {
			return k.refuse(req, err)
		}
		resp, err := h(req)
		req.note()
		if err != nil {
			return k.refuse(req, err)
		}
		return resp, nil
	}, k.failed))
}

// ServeHTTP serves Path and everything below it.
func (k *Kit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == Path {
		http.Redirect(w, r, Path+"/", http.StatusSeeOther)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, assetPath); ok {
		k.serveAsset(w, r, name)
		return
	}
	if _, pattern := k.mux.Handler(r); pattern == "" {
		k.unknown(w, r)
		return
	}
	k.mux.ServeHTTP(w, r)
}

// asset is a file that never changes under its path.
type asset struct {
	path        string // with a part of its hash
	contentType string
	body        []byte
}

const assetPath = Path + "/assets/"

// Asset makes a file available; templates link it with {{asset "name"}}. Its path has
// a part of its hash, so that browsers may keep it for ever.
func (k *Kit) Asset(name string, body []byte) {
	kind := map[string]string{"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}[name[strings.LastIndexByte(name, '.')+1:]]
	if kind == "" {
		panic(fmt.Sprintf("page: asset %s is of no known kind", name))
	}
	sum := sha256.Sum256(body)
	k.assets[name] = asset{path: assetPath + hex.EncodeToString(sum[:6]) + "/" + name, contentType: kind, body: body}
}

func (k *Kit) assetURL(name string) (string, error) {
	a, ok := k.assets[name]
	if !ok {
		return "", fmt.Errorf("page: there is no asset %s", name)
	}
	return a.path, nil
}

func (k *Kit) serveAsset(w http.ResponseWriter, r *http.Request, rest string) {
	_, name, _ := strings.Cut(rest, "/")
	web.Adapt(directory.DoorConsole.String(), "asset", func(req *web.Request) (web.Response, error) {
		a, ok := k.assets[name]
		if !ok || a.path != req.URL.Path {
			return web.Response{Status: http.StatusNotFound, Header: headers}, nil
		}
		return web.Response{ContentType: a.contentType, Body: a.body, Header: [][2]string{
			{"Cache-Control", "public, max-age=31536000, immutable"}, {"X-Content-Type-Options", "nosniff"}}}, nil
	}, k.failed).ServeHTTP(w, r)
}
