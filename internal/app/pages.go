package app

import (
	"net/http"
	"strings"

	"github.com/usher-id/usher/internal/console/reset"
)

// pages are what people open in a browser, by whole path in any letter case,
// before any door is asked: EduBrite's reset page lies among that door's paths
// (docs/dialects/edubrite.md 3.2).
type pages struct {
	at   []segmentRoute
	next http.Handler
}

func (a *App) pages(next http.Handler) http.Handler {
	form := reset.New(a.service)
	return &pages{next: next, at: []segmentRoute{
		{reset.Path, form},
		{"/oltpublish/site/resetpasswd.do", form},
		{"/site/resetpasswd.do", form},
	}}
}

// ServeHTTP is on the path of every request: mostly it compares lengths.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for i := range p.at {
		if len(p.at[i].segment) == len(r.URL.Path) && strings.EqualFold(p.at[i].segment, r.URL.Path) {
			p.at[i].handler.ServeHTTP(w, r)
			return
		}
	}
	p.next.ServeHTTP(w, r)
}
