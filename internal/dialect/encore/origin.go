package encore

import (
	"net/http"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/web"
)

// anyOrigin allows every origin: the key travels in a header that no page sends
// by itself, and credentials of the browser are never allowed (dossier 5.14).
const anyOrigin = "*"

// isPreflight tells a preflight request (Fetch standard, CORS-preflight fetch)
// from any other use of OPTIONS.
func isPreflight(h http.Header) bool {
	return h.Get("Origin") != "" && h.Get("Access-Control-Request-Method") != ""
}

// preflight answers what a browser asks before the call itself, without a key
// because the browser sends none. The gateway of the vendor answers 200.
func preflight(res *resource) handler {
	return func(*door, *exchange) (web.Response, error) {
		return web.Response{Status: http.StatusOK, Header: [][2]string{
			{"Access-Control-Allow-Methods", strings.Join(res.methods, ", ")},
			// By name for browsers that do not know the asterisk.
			{"Access-Control-Allow-Headers", keyHeader + ", " + externalIDName + ", X-API-Version, Content-Type, Accept, *"},
			{"Access-Control-Max-Age", "600"},
		}}, nil
	}
}

// allowOrigin adds what lets a page of an allowed origin read the answer,
// errors included.
func (d *door) allowOrigin(r *web.Request, header [][2]string) [][2]string {
	allowed := anyOrigin
	if d.opts.AllowedOrigins[0] != anyOrigin {
		header = append(header, [2]string{"Vary", "Origin"})
		allowed = r.Header.Get("Origin")
		if !slices.Contains(d.opts.AllowedOrigins, allowed) {
			return header
		}
	}
	return append(header,
		[2]string{"Access-Control-Allow-Origin", allowed},
		[2]string{"Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate, X-Error-Id"})
}
