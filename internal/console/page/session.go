package page

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// The cookies of the console. All are for its own paths only.
const (
	sessionCookie = "usher_session" // the token of who is signed in
	actingCookie  = "usher_acting"  // the token with which this person acts as another
	flashCookie   = "usher_flash"   // one message for the next page
	themeCookie   = "usher_theme"   // "light" or "dark"; without one the system's
)

// csrfField is the form field, csrfHeader the header, that prove that a form is ours.
const (
	csrfField  = "csrf"
	csrfHeader = "X-Csrf-Token"
)

// errCSRF refuses a form that did not come from one of our pages.
var errCSRF = directory.Wrong(directory.CodeForbidden, directory.ReasonFormForeign,
	"The form did not come from this console, or the session in which it was opened has ended. Reload the page and try again.")

// checkOrigin refuses what another site sends in somebody's name: by what browsers say
// of where a request comes from, for every request that may change something.
func (k *Kit) checkOrigin(r *Request) error {
	if k.origin.Check(r.Request.Request) != nil {
		return errCSRF
	}
	return nil
}

// csrfToken proves that a form was made for a session.
func csrfToken(secret directory.Secret) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("usher console form"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// signedIn lets in who has a session and, with a form, its proof; all others are led
// to signing in.
func signedIn(h Handler) Handler {
	return func(r *Request) (web.Response, error) {
		if r.secret() == "" {
			return r.signIn(), nil
		}
		if r.Method == http.MethodPost {
			form, err := r.Form()
			if err != nil {
				return web.Response{}, err
			}
			proof := r.Header.Get(csrfHeader)
			if proof == "" {
				proof = form.Get(csrfField)
			}
			if subtle.ConstantTimeCompare([]byte(proof), []byte(csrfToken(r.secret()))) != 1 {
				return web.Response{}, errCSRF
			}
		}
		return h(r)
	}
}

// cookie is the value of a cookie; "" without it.
func (r *Request) cookie(name string) string {
	c, err := r.Request.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// secret is what forms are proved by: of who acts as another, the token for that, so
// that a form of before does nothing in the other's name.
func (r *Request) secret() directory.Secret {
	if acting := r.cookie(actingCookie); acting != "" && r.cookie(sessionCookie) != "" {
		return directory.Secret(acting)
	}
	return directory.Secret(r.cookie(sessionCookie))
}

// Call is a call of the core in the name of who is signed in. Each use case of a
// request gets its own; they count as one.
func (r *Request) Call() *directory.Call {
	if r.first == nil {
		r.first = r.newCall(directory.Secret(r.cookie(sessionCookie)))
		r.first.Acting = directory.Secret(r.cookie(actingCookie))
		return r.first
	}
	return r.first.Part()
}

// OwnCall is Call in the name of the person whose session it is, also while that
// person acts as another.
func (r *Request) OwnCall() *directory.Call {
	return r.newCall(directory.Secret(r.cookie(sessionCookie)))
}

// OpenCall is a call without a session: signing in.
func (r *Request) OpenCall() *directory.Call { return r.newCall("") }

func (r *Request) newCall(secret directory.Secret) *directory.Call {
	return &directory.Call{Door: directory.DoorConsole, Secret: secret, Host: r.Host, Addr: r.Event.Addr, RequestID: r.Event.RequestID}
}

// setCookie adds a cookie to an answer; an empty value removes it.
func (r *Request) setCookie(resp *web.Response, name, value string, seconds int) {
	c := http.Cookie{Name: name, Value: value, Path: Path, HttpOnly: true, Secure: r.Kit.Options.HTTPS || r.TLS != nil, SameSite: http.SameSiteLaxMode, MaxAge: seconds}
	if value == "" {
		c.MaxAge = -1
	}
	resp.Header = append(resp.Header[:len(resp.Header):len(resp.Header)], [2]string{"Set-Cookie", c.String()})
}

// HasSession reports whether the browser presents a session, which may have ended.
func (r *Request) HasSession() bool { return r.secret() != "" }

// Onward leads to where somebody wanted to go before signing in (Next).
func (r *Request) Onward(target string) web.Response { return r.redirect(Next(target)) }

// Begin puts a session's token into the browser, and ends acting as another.
func (r *Request) Begin(resp *web.Response, token directory.Secret) {
	r.setCookie(resp, sessionCookie, string(token), 0)
	r.setCookie(resp, actingCookie, "", 0)
}

// End takes the session out of the browser.
func (r *Request) End(resp *web.Response) {
	r.setCookie(resp, sessionCookie, "", 0)
	r.setCookie(resp, actingCookie, "", 0)
}

// Act puts the token with which the person acts as another into the browser; "" ends
// that.
func (r *Request) Act(resp *web.Response, token directory.Secret) {
	r.setCookie(resp, actingCookie, string(token), 0)
}

// signIn leads to signing in and from there back to the page.
func (r *Request) signIn() web.Response {
	target := Path + "/sign-in"
	if r.Method == http.MethodGet && r.URL.Path != Path+"/" && r.Header.Get("Hx-Request") == "" {
		target += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	resp := r.redirect(target)
	if r.cookie(sessionCookie) != "" {
		r.End(&resp)
	}
	return resp
}

// Next is where to go after signing in: a path of the console, never another site.
func Next(target string) string {
	if strings.HasPrefix(target, Path+"/") && !strings.HasPrefix(target, Path+"//") && !strings.ContainsAny(target, "\\\r\n\t") {
		return target
	}
	return Path + "/"
}
