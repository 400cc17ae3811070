package iqmetrix

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// Errors of the token service, all answered with 400 (authentication page,
// Errors; dossier 2.2), except where the server is at fault.
const (
	oauthInvalidRequest = "invalid_request"
	oauthInvalidClient  = "invalid_client"
	oauthInvalidGrant   = "invalid_grant"
	oauthUnsupported    = "unsupported_grant_type"
	oauthServerError    = "server_error"
	oauthUnavailable    = "temporarily_unavailable"
)

// oauthError is a token error that this door finds by itself.
type oauthError struct {
	cause *directory.Error
	name  string
}

// Error is the text for a log.
func (e oauthError) Error() string { return e.cause.Error() }

// Unwrap lets directory.AsError find the error.
func (e oauthError) Unwrap() error { return e.cause }

func badToken(name, text string) error {
	return oauthError{&directory.Error{Code: directory.CodeInvalid, Reason: directory.ReasonGrantInvalid, Message: text}, name}
}

// token answers POST /v1/oauth2/token: the grants "password" and
// "refresh_token", with their parameters in the body only (authentication
// page; dossier 2.2).
func token(d *door, x *exchange) (web.Response, error) {
	form, err := readForm(d, x)
	if err != nil {
		return web.Response{}, err
	}
	// The grant brings its own credential: an Authorization header is not one.
	x.call.Secret = ""
	grant := directory.Grant{
		ClientID: form.Get("client_id"), ClientSecret: directory.Secret(form.Get("client_secret")),
		UserName: form.Get("username"), Password: directory.Secret(form.Get("password")),
		RefreshToken: directory.Secret(form.Get("refresh_token")),
	}
	var pair directory.TokenPair
	switch kind := form.Get("grant_type"); kind {
	case "password":
		pair, err = d.svc.PasswordGrant(x.req.Context(), &x.call, grant)
	case "refresh_token":
		pair, err = d.svc.RefreshGrant(x.req.Context(), &x.call, grant)
	default:
		// The text of the vendor's FAQ, which a client sees when it sends the
		// parameters anywhere but in the body.
		err = badToken(oauthUnsupported, "The authorization grant type '"+kind+"' is not supported by the authorization server")
	}
	if err != nil {
		return web.Response{}, err
	}
	return tokenResponse(&pair), nil
}

// readForm reads the parameters. A body of another media type holds none. A
// parameter sent twice is an error (RFC 6749 section 3.2).
func readForm(d *door, x *exchange) (url.Values, error) {
	media, _, _ := mime.ParseMediaType(x.req.Header.Get("Content-Type"))
	if media != "application/x-www-form-urlencoded" {
		return url.Values{}, nil
	}
	body, err := x.body(d)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, badToken(oauthInvalidRequest, "The request body is malformed")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, badToken(oauthInvalidRequest, "A parameter is included more than once")
		}
		if !utf8.ValidString(name) || !utf8.ValidString(values[0]) || strings.IndexByte(values[0], 0) >= 0 {
			return nil, badToken(oauthInvalidRequest, "The request body is not valid UTF-8 text")
		}
	}
	return form, nil
}

// noStore keeps tokens out of caches (RFC 6749 section 5.1).
var noStore = [2]string{"Cache-Control", "no-store"}

// tokenResponse is the vendor's body: no token_type (dossier 2.2).
func tokenResponse(p *directory.TokenPair) web.Response {
	b := make([]byte, 0, 192)
	b = appendText(b, `{"access_token":`, p.Access)
	b = append(b, `,"expires_in":`...)
	b = strconv.AppendInt(b, int64(p.ExpiresIn.Seconds()), 10)
	b = appendText(b, `,"refresh_token":`, p.Refresh)
	b = append(b, '}')
	return web.Response{Status: http.StatusOK, ContentType: contentJSON, Header: [][2]string{noStore, {"Pragma", "no-cache"}}, Body: b}
}

// tokenAnswer is a row of the token service's error table.
type tokenAnswer struct {
	status int
	name   string
	text   string // "": the core's own message
}

// tokenByCode maps every code; who fails to sign in is invalid_grant whatever
// the cause, and the core's message says which.
var tokenByCode = map[directory.Code]tokenAnswer{
	directory.CodeInvalid:         {http.StatusBadRequest, oauthInvalidRequest, ""},
	directory.CodeNotFound:        {http.StatusBadRequest, oauthInvalidGrant, ""},
	directory.CodeConflict:        {http.StatusBadRequest, oauthInvalidGrant, ""},
	directory.CodeStale:           {http.StatusBadRequest, oauthInvalidGrant, ""},
	directory.CodeUnauthenticated: {http.StatusBadRequest, oauthInvalidGrant, ""},
	directory.CodeForbidden:       {http.StatusBadRequest, oauthInvalidGrant, ""},
	directory.CodeExhausted:       {http.StatusBadRequest, oauthInvalidGrant, ""},
	directory.CodeRateLimited:     {http.StatusTooManyRequests, "", "rate limit exceeded"},
	directory.CodeTooLarge:        {http.StatusRequestEntityTooLarge, oauthInvalidRequest, ""},
	directory.CodeUnsupported:     {http.StatusBadRequest, oauthUnsupported, ""},
	directory.CodeUnavailable:     {http.StatusServiceUnavailable, oauthUnavailable, ""},
	directory.CodeInternal:        {http.StatusInternalServerError, oauthServerError, ""},
}

// onTokenError writes an error as the token service's: error and
// error_description (RFC 6749 section 5.2), plain text over the limit.
func (d *door) onTokenError(r *web.Request, err error) web.Response {
	e := noteError(r, err)
	row, known := tokenByCode[e.Code]
	if !known {
		row = tokenByCode[directory.CodeInternal]
	}
	if e.Reason == directory.ReasonClientInvalid {
		row.name = oauthInvalidClient
	}
	if own, ok := errors.AsType[oauthError](err); ok {
		row.name = own.name
	}
	text := row.text
	switch {
	case e.Code == directory.CodeInternal:
		text = "Internal Server Error: error id " + r.Event.ErrorID
	case text == "":
		text = e.Message
	}
	response := web.Response{Status: row.status, ContentType: contentJSON, Header: [][2]string{noStore}}
	if row.name == "" {
		response.ContentType, response.Body = "text/plain", []byte(text)
	} else {
		b := appendText(make([]byte, 0, 160), `{"error":`, row.name)
		b = appendText(b, `,"error_description":`, text)
		response.Body = append(b, '}')
	}
	if e.Retry > 0 || e.Code == directory.CodeUnavailable {
		response.Header = append(response.Header, [2]string{"Retry-After", retryAfter(e.Retry)})
	}
	return d.withQuota(response, err)
}

// ping answers without a credential (dossier 3.2).
func ping(d *door, _ *exchange) (web.Response, error) {
	b := appendText(nil, `{"ApplicationVersion":`, d.opts.Version)
	b = append(b, `,"DbVersion":`...)
	b = strconv.AppendInt(b, d.opts.DBVersion, 10)
	return jsonResponse(http.StatusOK, append(b, '}'))
}
