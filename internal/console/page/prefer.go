package page

import (
	"net/http"

	"github.com/usher-id/usher/internal/web"
)

// preferencePrefix begins the names of cookies in which a browser keeps how somebody
// likes pages: nothing that anybody else could make use of.
const preferencePrefix = "usher_"

// Preference is what Prefer put into the browser under a name; "" for nothing.
func (r *Request) Preference(name string) string {
	c, err := r.Request.Cookie(preferencePrefix + name)
	if err != nil {
		return ""
	}
	return c.Value
}

// Prefer keeps a preference in the browser for a year; "" removes it. The value must
// be fit for a cookie.
func (r *Request) Prefer(resp *web.Response, name, value string) {
	r.setCookie(resp, preferencePrefix+name, value, 365*24*3600)
}

// File is an answer that the browser keeps as a file of that name.
func File(name, contentType string) web.Response {
	return web.Response{Status: http.StatusOK, ContentType: contentType,
		Header: append(headers[:len(headers):len(headers)], [2]string{"Content-Disposition", `attachment; filename="` + name + `"`})}
}
