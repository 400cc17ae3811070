package iqmetrix

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// answer is a row of the error table: the status and the vendor's text. An
// empty text is the core's own message.
type answer struct {
	status int
	text   string
}

// byCode maps every code of the core (dossier 4.4; texts in the seed's ERRORS
// table where it has one).
var byCode = map[directory.Code]answer{
	directory.CodeInvalid:         {http.StatusBadRequest, badRequest},
	directory.CodeNotFound:        {http.StatusNotFound, "Entity not found"},
	directory.CodeConflict:        {http.StatusConflict, ""},
	directory.CodeStale:           {http.StatusConflict, "User version mismatch"},
	directory.CodeUnauthenticated: {http.StatusUnauthorized, "invalid token"},
	directory.CodeForbidden:       {http.StatusForbidden, "Forbidden"},
	directory.CodeExhausted:       {http.StatusConflict, ""},
	directory.CodeRateLimited:     {http.StatusTooManyRequests, "rate limit exceeded"},
	directory.CodeTooLarge:        {http.StatusRequestEntityTooLarge, "Request Entity Too Large"},
	directory.CodeUnsupported:     {http.StatusBadRequest, badRequest},
	directory.CodeUnavailable:     {http.StatusServiceUnavailable, "Service Unavailable"},
	directory.CodeInternal:        {http.StatusInternalServerError, "Internal Server Error"},
}

// byReason maps the reasons whose answer differs from their code's.
var byReason = map[directory.Reason]answer{
	directory.ReasonUserNotFound:       {http.StatusNotFound, "User not found"},
	directory.ReasonUserDeleted:        {http.StatusNotFound, "User not found"},
	directory.ReasonCompanyNotFound:    {http.StatusNotFound, "Entity not found"},
	directory.ReasonLocationNotFound:   {http.StatusNotFound, "Entity not found"},
	directory.ReasonLockReasonNotFound: {http.StatusNotFound, "LockReason not found"},
	directory.ReasonRoleNotFound:       {http.StatusNotFound, "SecurityRole not found"},
	directory.ReasonRouteNotFound:      {http.StatusNotFound, "Not Found"},
	directory.ReasonUserNameTaken:      {http.StatusConflict, "Username and email already exist"},
	directory.ReasonEmailTaken:         {http.StatusConflict, "Username and email already exist"},
}

// badRequest is the seed's text for invalid input. The details follow it in
// Description only.
const badRequest = "Bad Request"

// The texts of the seed's ERRORS table that belong to one operation.
const (
	textTemporaryPassword = "The temporary password must be at least 6 characters long"
	textNoTerms           = "No search terms provided"
	textTopPrefix         = "Query string parameter '$top' should be within 1 to 100 range but was "
	textSkipPrefix        = "Query string parameter '$skip' should be non-negative but was "
)

// spoken is an invalid error whose text the vendor prints letter for letter.
type spoken struct{ cause *directory.Error }

// say makes a spoken error.
func say(reason directory.Reason, text string) error {
	return spoken{&directory.Error{Code: directory.CodeInvalid, Reason: reason, Message: text}}
}

// Error is the text for a log.
func (s spoken) Error() string { return s.cause.Error() }

// Unwrap lets directory.AsError find the error.
func (s spoken) Unwrap() error { return s.cause }

// failure carries an error to the error writer together with the state of the
// request limit, which is told on every answer (dossier 2.4).
type failure struct {
	err   error
	quota directory.Quota
}

// Error is the text of the failure's error.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap is the failure's error.
func (f *failure) Unwrap() error { return f.err }

// lookUp finds the row of the error table for an error.
func lookUp(e *directory.Error) answer {
	if e.Code != directory.CodeInvalid {
		if row, ok := byReason[e.Reason]; ok {
			return row
		}
	}
	if row, ok := byCode[e.Code]; ok {
		return row
	}
	return byCode[directory.CodeInternal]
}

// onError writes any error as the door's own.
func (d *door) onError(r *web.Request, err error) web.Response {
	e := noteError(r, err)
	row := lookUp(e)
	if s, ok := errors.AsType[spoken](err); ok {
		row.text = s.cause.Message
	}
	var response web.Response
	switch row.status {
	case http.StatusUnauthorized, http.StatusTooManyRequests:
		// Plain text, not JSON (dossier 2.3 and 2.4).
		response = web.Response{Status: row.status, ContentType: "text/plain", Body: []byte(row.text)}
	default:
		text, description := row.text, describe(r, e, row.text)
		if text == "" {
			text = description
		}
		response = errorResponse(row.status, text, description)
	}
	if e.Retry > 0 || e.Code == directory.CodeUnavailable {
		response.Header = append(response.Header, [2]string{"Retry-After", retryAfter(e.Retry)})
	}
	return d.withQuota(response, err)
}

// withQuota puts the limit headers on an error's answer.
func (d *door) withQuota(response web.Response, err error) web.Response {
	if f, ok := errors.AsType[*failure](err); ok {
		response.Header = d.limitHeaders(response.Header, f.quota)
	}
	return response
}

// noteError puts the error's code and reason into the request's event and
// returns it as the core's. An internal error has its id there already; one
// without only says that the client went away, and the kit has noted that.
func noteError(r *web.Request, err error) *directory.Error {
	e := directory.AsError(err)
	if e.Code != directory.CodeInternal || r.Event.ErrorID != "" {
		r.Event.Code, r.Event.Reason = string(e.Code), string(e.Reason)
	}
	return e
}

// describe is the text of Description: the fixed text, with the details behind
// "Bad Request" and the error id behind an internal error.
func describe(r *web.Request, e *directory.Error, text string) string {
	switch {
	case e.Code == directory.CodeInternal:
		return text + ": error id " + r.Event.ErrorID
	case text == badRequest:
		return describeInput(e)
	case text == "" || e.Code == directory.CodeForbidden || e.Code == directory.CodeUnavailable || e.Code == directory.CodeTooLarge:
		return e.Message
	}
	return text
}

// maxFaults bounds how many violations one answer lists, so that a small
// request cannot ask for a large answer.
const maxFaults = 20

// describeInput is "Bad Request: " and every violation under the vendor's own
// field names.
func describeInput(e *directory.Error) string {
	if len(e.Fields) == 0 {
		return badRequest + ": " + e.Message
	}
	parts := make([]string, 0, len(e.Fields))
	for i, f := range e.Fields {
		if i == maxFaults {
			parts = append(parts, strconv.Itoa(len(e.Fields)-i)+" more")
			break
		}
		parts = append(parts, describeField(f))
	}
	return badRequest + ": " + strings.Join(parts, "; ")
}

// describeField is a violation under the vendor's name of the field. The core's
// messages begin with the core's own name.
func describeField(f directory.FieldError) string {
	message := strings.TrimSuffix(f.Message, ".")
	name, ok := fieldNames[f.Field]
	if !ok {
		return message
	}
	if rest, ok := strings.CutPrefix(message, f.Field); ok {
		return name + rest
	}
	return name + ": " + message
}

// fieldNames are the vendor's names of the core's fields, for violations that
// the core finds. Those that the door finds name the vendor's field already.
var fieldNames = map[string]string{
	directory.FieldNumber.String():       "Id",
	directory.FieldGivenName.String():    "FirstName",
	directory.FieldFamilyName.String():   "LastName",
	directory.FieldUserName.String():     "UserName",
	directory.FieldEmail.String():        "Email",
	directory.FieldAddress.String():      "Address",
	directory.FieldClientUserID.String(): "ClientUserId",
	directory.FieldTitle.String():        "JobTitle",
	directory.FieldCompany.String():      "ParentEntityId",
	directory.FieldPhones.String():       "PhoneNumbers",
	directory.FieldPicture.String():      "Picture",
	directory.FieldAttributes.String():   "Attributes",
	directory.FieldPassword.String():     "Password",
	directory.FieldLockReason.String():   "LockReasonId",
	directory.FieldState.String():        "IsActive",
	"name":                               "Name",
	"description":                        "Description",
	"role":                               "SecurityRoleId",
	"key":                                "Name",
}

// errorResponse is the one place that knows the shape of an error body: the
// vendor published none, so this is dossier 4.4's decision.
func errorResponse(status int, message, description string) web.Response {
	body := make([]byte, 0, len(message)+len(description)+40)
	body = append(body, `{"Message":`...)
	body = web.AppendString(body, message)
	body = append(body, `,"Description":`...)
	body = web.AppendString(body, description)
	body = append(body, '}')
	return web.Response{Status: status, ContentType: contentJSON, Body: body}
}

// retryAfter is a whole number of seconds, at least 1 (RFC 9110 section
// 10.2.3).
func retryAfter(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

// faults collects violations of a body under the vendor's field names, so that
// one answer names them all.
type faults []directory.FieldError

func (f *faults) add(field string, reason directory.Reason, message string) {
	*f = append(*f, directory.FieldError{Field: field, Reason: reason, Message: message})
}

// required is the text of the security roles page, on the same host.
func (f *faults) required(field string) {
	f.add(field, directory.ReasonFieldRequired, "The field "+field+" is a required field but was not found in the request")
}

// mismatch is the same page's text for a URI and a body that differ.
func (f *faults) mismatch(field, want, have string) {
	f.add(field, directory.ReasonFieldMismatch, "Expected "+field+" to contain "+want+" but found "+have)
}

// wrongType says what a value must be.
func (f *faults) wrongType(field, want string) {
	f.add(field, directory.ReasonFieldFormat, field+" must be "+want)
}

// err is nil without violations, else one invalid error with all of them.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &directory.Error{Code: directory.CodeInvalid, Reason: f[0].Reason, Message: f[0].Message, Fields: f}
}
