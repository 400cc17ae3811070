package canonical

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// byCode maps every code of the core to a status.
var byCode = map[directory.Code]int{
	directory.CodeInvalid:         http.StatusUnprocessableEntity,
	directory.CodeNotFound:        http.StatusNotFound,
	directory.CodeConflict:        http.StatusConflict,
	directory.CodeStale:           http.StatusPreconditionFailed,
	directory.CodeUnauthenticated: http.StatusUnauthorized,
	directory.CodeForbidden:       http.StatusForbidden,
	directory.CodeExhausted:       http.StatusConflict,
	directory.CodeRateLimited:     http.StatusTooManyRequests,
	directory.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	directory.CodeUnsupported:     http.StatusUnsupportedMediaType,
	directory.CodeUnavailable:     http.StatusServiceUnavailable,
	directory.CodeInternal:        http.StatusInternalServerError,
}

// byReason maps the reasons whose status differs from their code's: what cannot
// be read at all is 400, what can be read and is wrong is 422, what was there and
// never comes back is 410.
var byReason = map[directory.Reason]int{
	directory.ReasonBodySyntax:    http.StatusBadRequest,
	directory.ReasonQuerySyntax:   http.StatusBadRequest,
	directory.ReasonHeaderSyntax:  http.StatusBadRequest,
	directory.ReasonFilterSyntax:  http.StatusBadRequest,
	directory.ReasonCursorInvalid: http.StatusBadRequest,
	directory.ReasonCursorExpired: http.StatusBadRequest,
	directory.ReasonMethod:        http.StatusMethodNotAllowed,
	directory.ReasonFeedReset:     http.StatusGone,
	directory.ReasonHistoryGone:   http.StatusGone,
}

// statusOf is the row of the error table for an error.
func statusOf(e *directory.Error) int {
	if status, ok := byReason[e.Reason]; ok && e.Code != directory.CodeInternal {
		return status
	}
	if status, ok := byCode[e.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// problem is the body of every error (RFC 9457 section 3.1).
type problem struct {
	Type    string  `json:"type" format:"uri" example:"urn:usher:problem:user.not_found" doc:"What kind of problem it is: urn:usher:problem: and the reason. Stable."`
	Title   string  `json:"title" example:"Not Found" doc:"The status in words."`
	Status  int     `json:"status" example:"404" doc:"The HTTP status."`
	Detail  string  `json:"detail" example:"User not found." doc:"What happened, for people."`
	Code    string  `json:"code" enum:"invalid,not_found,conflict,stale,unauthenticated,forbidden,exhausted,rate_limited,too_large,unsupported,unavailable,internal" doc:"The coarse class: a closed set."`
	Reason  string  `json:"reason" example:"user.not_found" doc:"The fine cause: an open set, listed in docs/errors.md. Stable."`
	Errors  []fault `json:"errors,omitempty" doc:"What is wrong with which field."`
	ErrorID string  `json:"error_id,omitempty" doc:"Of an internal error: finds its line in the server's log."`
}

// fault is one violation of one field.
type fault struct {
	Field   string `json:"field" example:"user_name" doc:"The member of the body, the query parameter or the header."`
	Reason  string `json:"reason" example:"field.required"`
	Message string `json:"message" example:"user_name is required."`
}

// problemType is the type of a problem with a reason: a name and no address, so
// that it is the same on every server.
func problemType(reason directory.Reason) string { return "urn:usher:problem:" + string(reason) }

// response is the problem as an answer.
func (p *problem) response() web.Response {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // a struct of texts can be written
	}
	return web.Response{Status: p.Status, ContentType: contentProblem, Body: body}
}

// failure carries an error to the error writer together with the state of the
// request limit, which is told on every answer.
type failure struct {
	err   error
	quota directory.Quota
}

// Error is the text of the failure's error.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap is the failure's error.
func (f *failure) Unwrap() error { return f.err }

// maxFaults bounds how many violations one answer lists, so that a small
// request cannot ask for a large answer.
const maxFaults = 20

// onError writes any error as a problem.
func (d *door) onError(r *web.Request, err error) web.Response {
	e := directory.AsError(err)
	if e.Code != directory.CodeInternal || r.Event.ErrorID != "" {
		r.Event.Code, r.Event.Reason = string(e.Code), string(e.Reason)
	}
	status := statusOf(e)
	if status == http.StatusUnprocessableEntity && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		status = http.StatusBadRequest // there is no content that could be wrong (RFC 9110 section 15.5.21)
	}
	if status == http.StatusInternalServerError {
		e = &directory.Error{Code: directory.CodeInternal, Reason: directory.ReasonInternal, Message: "Something went wrong on the server."}
	}
	p := problem{Type: problemType(e.Reason), Title: http.StatusText(status), Status: status, Detail: e.Message,
		Code: string(e.Code), Reason: string(e.Reason)}
	for i, f := range e.Fields {
		if i == maxFaults {
			break
		}
		p.Errors = append(p.Errors, fault{Field: f.Field, Reason: string(f.Reason), Message: f.Message})
	}
	if status == http.StatusInternalServerError {
		p.ErrorID = r.Event.ErrorID
	}
	response := p.response()
	if status == http.StatusUnauthorized {
		response.Header = append(response.Header, [2]string{"WWW-Authenticate", challenge(e.Reason)})
	}
	if e.Retry > 0 || status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		response.Header = append(response.Header, [2]string{"Retry-After", retryAfter(e.Retry)})
	}
	if f, ok := errors.AsType[*failure](err); ok {
		response.Header = d.limitHeaders(response.Header, f.quota)
	}
	return response
}

// challenge asks for a credential (RFC 9110 section 11.6.1), and says so when
// the one that came is no good (RFC 6750 section 3.1).
func challenge(reason directory.Reason) string {
	switch reason {
	case directory.ReasonCredentialInvalid, directory.ReasonCredentialExpired:
		return `Bearer realm="usher", error="invalid_token"`
	}
	return `Bearer realm="usher"`
}
