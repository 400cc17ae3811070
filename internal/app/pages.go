package app

import (
	"net/http"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/console/docs"
	"github.com/usher-id/usher/internal/console/reset"
)

// pages are what people open in a browser, by whole path in any letter case,
// before any door is asked: EduBrite's reset page lies among that door's paths
// (docs/dialects/edubrite.md 3.2). The documentation has whole paths of its own
// below docs.Path.
type pages struct {
	at   []segmentRoute
	docs http.Handler
	next http.Handler
}

// resetPaths are where the page lies at which people set a new password.
var resetPaths = []string{reset.Path, "/oltpublish/site/resetpasswd.do", "/site/resetpasswd.do"}

func (a *App) pages(next http.Handler) http.Handler {
	form := reset.New(a.service)
	p := &pages{docs: a.documentation(), next: next}
	for _, path := range resetPaths {
		p.at = append(p.at, segmentRoute{path, form})
	}
	return p
}

// isPage reports whether a path is one of the pages.
func isPage(path string) bool {
	return slices.ContainsFunc(resetPaths, func(page string) bool { return strings.EqualFold(page, path) })
}

// ServeHTTP is on the path of every request: mostly it compares lengths.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for i := range p.at {
		if len(p.at[i].segment) == len(r.URL.Path) && strings.EqualFold(p.at[i].segment, r.URL.Path) {
			p.at[i].handler.ServeHTTP(w, r)
			return
		}
	}
	if isDocumentation(r.URL.Path) {
		p.docs.ServeHTTP(w, r)
		return
	}
	p.next.ServeHTTP(w, r)
}

// isDocumentation reports whether a path is docs.Path or below it.
func isDocumentation(path string) bool {
	const n = len(docs.Path)
	return len(path) >= n && (len(path) == n || path[n] == '/') && strings.EqualFold(path[:n], docs.Path)
}
