// Package reset is the page behind a reset link: a person sets a new password
// with a token that was mailed or handed to it.
//
// It keeps no session and sets no cookie. The token travels in the query of the
// link and in the form's body, never in a redirect, and the page sends no
// referrer, so that no other server sees it.
package reset

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// Path is where links of messages lead.
const Path = "/reset"

// maxForm is far above a token and two passwords of the greatest length, each
// byte escaped.
const maxForm = 16 << 10

//go:embed page.html
var source string

var page = template.Must(template.New("reset").Parse(source))

// styleHash names the page's own style sheet, so that no other is taken (Content
// Security Policy Level 3, section 2.3.1, hash-source).
var styleHash = func() string {
	_, rest, _ := strings.Cut(source, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

// view is what the page shows; at most one of Done, Gone and Failed.
type view struct {
	UserName string
	Token    string
	Problem  string
	Done     bool
	Gone     bool
	Failed   bool
}

// New makes the page's handler over a directory. It answers GET, HEAD and POST
// at whatever path it is mounted.
func New(svc *directory.Service) http.Handler {
	return web.Adapt(directory.DoorConsole.String(), "reset password", func(r *web.Request) (web.Response, error) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			return show(svc, r)
		case http.MethodPost:
			return set(svc, r)
		}
		response := answer(http.StatusMethodNotAllowed, view{Failed: true, Problem: "This page takes GET and POST."})
		response.Header = append(response.Header, [2]string{"Allow", "GET, HEAD, POST"})
		return response, nil
	}, refuse)
}

// show asks for the password, if the token is good.
func show(svc *directory.Service, r *web.Request) (web.Response, error) {
	token := r.URL.Query().Get("token")
	call := newCall(r)
	user, err := svc.ResetOf(r.Context(), call, directory.Secret(token))
	if err != nil {
		return web.Response{}, err
	}
	return answer(http.StatusOK, view{UserName: user.UserName, Token: token}), nil
}

// set spends the token. What is wrong with the password is said on the page,
// and the token stays good.
func set(svc *directory.Service, r *web.Request) (web.Response, error) {
	body, err := r.Body(maxForm)
	if err != nil {
		return web.Response{}, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return answer(http.StatusBadRequest, view{Failed: true, Problem: "The form could not be read."}), nil
	}
	call, token := newCall(r), directory.Secret(form.Get("token"))
	problem := "The two passwords are not the same."
	if form.Get("password") == form.Get("again") {
		err := svc.SpendReset(r.Context(), call, token, directory.Secret(form.Get("password")))
		if err == nil {
			return answer(http.StatusOK, view{Done: true}), nil
		}
		if directory.CodeOf(err) != directory.CodeInvalid {
			return web.Response{}, err
		}
		problem = directory.AsError(err).Message
		call = newCall(r)
	}
	user, err := svc.ResetOf(r.Context(), call, token)
	if err != nil {
		return web.Response{}, err
	}
	return answer(http.StatusUnprocessableEntity, view{UserName: user.UserName, Token: string(token), Problem: problem}), nil
}

func newCall(r *web.Request) *directory.Call {
	return &directory.Call{Door: directory.DoorConsole, Host: r.Host, Addr: r.Event.Addr, RequestID: r.Event.RequestID}
}

// refuse is the page for an error.
func refuse(r *web.Request, err error) web.Response {
	if errors.Is(err, web.ErrTooLarge) || errors.Is(err, web.ErrBadBody) {
		return answer(http.StatusBadRequest, view{Failed: true, Problem: "The form could not be read."})
	}
	e := directory.AsError(err)
	switch e.Code {
	case directory.CodeUnauthenticated, directory.CodeNotFound, directory.CodeForbidden:
		return answer(http.StatusGone, view{Gone: true})
	case directory.CodeRateLimited:
		response := answer(http.StatusTooManyRequests, view{Failed: true, Problem: "Too many attempts. Try again in a few minutes."})
		response.Header = append(response.Header, [2]string{"Retry-After", strconv.Itoa(int(e.Retry/time.Second) + 1)})
		return response
	case directory.CodeUnavailable:
		return answer(http.StatusServiceUnavailable, view{Failed: true, Problem: "The server is busy. Try again in a minute."})
	}
	return answer(http.StatusInternalServerError, view{Failed: true, Problem: "Something went wrong on the server (" + r.Event.ErrorID + ")."})
}

// answer renders the page. A template that fails would be a defect that the
// tests find; the client then gets an empty page with the status.
func answer(status int, v view) web.Response {
	var body bytes.Buffer
	if err := page.Execute(&body, v); err != nil {
		body.Reset()
	}
	return web.Response{Status: status, ContentType: "text/html; charset=utf-8", Body: body.Bytes(), Header: [][2]string{
		{"Cache-Control", "no-store"},
		{"Referrer-Policy", "no-referrer"},
		{"X-Content-Type-Options", "nosniff"},
		{"Content-Security-Policy", "default-src 'none'; style-src '" + styleHash + "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
	}}
}
