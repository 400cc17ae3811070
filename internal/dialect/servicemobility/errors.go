package servicemobility

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// byCode maps every code of the core (dossier 4.2). The vendor has no 403: who
// may not do something is answered as who is not known. 413, 429 and 503 are
// not in its table.
var byCode = map[directory.Code]int{
	directory.CodeInvalid:         http.StatusBadRequest,
	directory.CodeNotFound:        http.StatusGone,
	directory.CodeConflict:        http.StatusConflict,
	directory.CodeStale:           http.StatusConflict,
	directory.CodeUnauthenticated: http.StatusUnauthorized,
	directory.CodeForbidden:       http.StatusUnauthorized,
	directory.CodeExhausted:       http.StatusConflict,
	directory.CodeRateLimited:     http.StatusTooManyRequests,
	directory.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	directory.CodeUnsupported:     http.StatusBadRequest,
	directory.CodeUnavailable:     http.StatusServiceUnavailable,
	directory.CodeInternal:        http.StatusInternalServerError,
}

// byReason maps the reasons whose answer differs from their code's.
var byReason = map[directory.Reason]int{
	// 404 is a wrong URL; what does not exist is 410 (dossier 5.1).
	directory.ReasonRouteNotFound: http.StatusNotFound,
	// No credential could do it: the object cannot be replaced (dossier 4.2).
	directory.ReasonOwnerProtected: http.StatusConflict,
	directory.ReasonNoAddress:      http.StatusBadRequest, // dossier 5.19
}

// wording is what the vendor calls the things that are missing, where the core
// has another word.
var wording = map[directory.Reason]string{
	directory.ReasonGroupNotFound:  "Service team not found.",
	directory.ReasonTenantNotFound: "Entity not found.",
}

// failure carries an error to the error writer together with what the exchange
// knows of the body: the values at fault by their place.
type failure struct {
	err    error
	values map[string]string
	names  map[string]string // of the core's fields in this call's body, where fieldNames has another
}

// Error is the text of the failure's error.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap is the failure's error.
func (f *failure) Unwrap() error { return f.err }

// statusOf finds the row of the error table for an error.
func statusOf(e *directory.Error) int {
	if e.Reason == directory.ReasonUserNotFound && len(e.Fields) > 0 {
		// A user in a list of the body is input; only one in the path is 410.
		return http.StatusBadRequest
	}
	if status, ok := byReason[e.Reason]; ok && e.Code != directory.CodeInvalid {
		return status
	}
	if status, ok := byCode[e.Code]; ok {
		return status
	}
	return byCode[directory.CodeInternal]
}

// onError writes any error as the door's own.
func (d *door) onError(r *web.Request, err error) web.Response {
	e := noteError(r, err)
	status := statusOf(e)
	message := e.Message
	var details []detail
	switch {
	case status == http.StatusInternalServerError:
		message = "Something went wrong on the server: error id " + r.Event.ErrorID + "."
	case len(e.Fields) > 0:
		details, message = describe(e, err)
	case wording[e.Reason] != "":
		message = wording[e.Reason]
	}
	response := d.errorResponse(status, message, details)
	if e.Retry > 0 || status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		response.Header = append(response.Header, [2]string{"Retry-After", retryAfter(e.Retry)})
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

// detail is one violation under the vendor's name of its place.
type detail struct {
	path    string // as Phones[0].PhoneNum
	message string
	value   string // at fault; "" for one that is not told
	valued  bool
}

// maxFaults bounds how many violations one answer lists, so that a small
// request cannot ask for a large answer.
const maxFaults = 20

// describe translates an error's violations; text is all of them.
func describe(e *directory.Error, err error) (details []detail, text string) {
	f, _ := errors.AsType[*failure](err)
	if f == nil {
		f = &failure{}
	}
	texts := make([]string, 0, len(e.Fields))
	for i, field := range e.Fields {
		if i == maxFaults {
			texts = append(texts, strconv.Itoa(len(e.Fields)-i)+" more.")
			break
		}
		one := f.detail(field)
		details = append(details, one)
		texts = append(texts, one.message)
	}
	return details, strings.Join(texts, " ")
}

// detail translates one violation. The core's messages begin with the core's
// own name of the field, if at all.
func (f *failure) detail(field directory.FieldError) detail {
	one := detail{path: field.Field, message: field.Message}
	name, known := f.names[field.Field]
	if !known {
		name, known = fieldNames[field.Field]
	}
	if known {
		one.path = name
		if rest, ok := strings.CutPrefix(field.Message, field.Field); ok && (strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, ":")) {
			one.message = name + rest
		} else if name != "" {
			one.message = name + ": " + field.Message
		}
	}
	one.value, one.valued = f.values[one.path]
	return one
}

// fieldNames are the vendor's names of the core's fields, for violations that
// the core finds. Those that the door finds name the vendor's field already.
var fieldNames = map[string]string{
	directory.FieldUserName.String():        "UserID",
	directory.FieldState.String():           "Activated",
	directory.FieldEmail.String():           "Email",
	directory.FieldGivenName.String():       "FirstName",
	directory.FieldFamilyName.String():      "LastName",
	directory.FieldLanguage.String():        "LanguageCode",
	directory.FieldLocked.String():          "Locked",
	directory.FieldPassword.String():        "Password",
	directory.FieldPhones.String():          "Phones",
	directory.FieldGroups.String():          "ServiceTeamID",
	directory.FieldStorageLocation.String(): "StorageLocationID",
	directory.FieldExtras.String():          "Extensions",
	directory.FieldRoles.String():           "Roles",
	"members":                               "Users",
	"key":                                   "RoleID",
	"name":                                  "Name",
	"description":                           "Desc",
	"permissions":                           "Permissions",
	"entity":                                "",
}

// errorResponse is the one place that knows the two shapes of an error's body
// (dossier 4.1).
func (d *door) errorResponse(status int, message string, details []detail) web.Response {
	b := make([]byte, 0, 160+len(message))
	if d.opts.Errors == ShapeProblem {
		b = appendProblem(b, status, message, details)
	} else {
		b = appendDetail(b, status, message, details)
	}
	return web.Response{Status: status, ContentType: contentJSON, Body: b}
}

// appendDetail appends shape A. Its params and dataPath are those of the first
// violation.
func appendDetail(b []byte, status int, message string, details []detail) []byte {
	b = append(b, `{"code":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = appendText(b, `,"detail":{"message":`, message)
	b = append(b, `,"params":{`...)
	dataPath := ""
	if len(details) > 0 {
		dataPath = details[0].path
		if details[0].valued {
			b = appendText(b, `"value":`, details[0].value)
		}
	}
	b = appendText(b, `},"dataPath":`, dataPath)
	return append(b, `}}`...)
}

// appendProblem appends shape B.
func appendProblem(b []byte, status int, message string, details []detail) []byte {
	b = appendText(b, `{"type":"about:blank","title":`, http.StatusText(status))
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = appendText(b, `,"detail":`, message)
	b = append(b, `,"invalidParams":[`...)
	for i, one := range details {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, `{"name":`, one.path[strings.LastIndexByte(one.path, '.')+1:])
		b = appendText(b, `,"reason":`, one.message)
		b = appendText(b, `,"path":`, one.path)
		b = appendText(b, `,"value":`, one.value)
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

// retryAfter is a whole number of seconds, at least 1 (RFC 9110 section
// 10.2.3).
func retryAfter(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

// faults collects violations of a body under the vendor's names, so that one
// answer names them all, and the values at fault.
type faults struct {
	list   []directory.FieldError
	values map[string]string
}

// add adds a violation whose value is not told.
func (f *faults) add(path string, reason directory.Reason, message string) {
	f.list = append(f.list, directory.FieldError{Field: path, Reason: reason, Message: message})
}

// tell keeps the value at fault for the answer.
func (f *faults) tell(path, value string) {
	if f.values == nil {
		f.values = map[string]string{}
	}
	f.values[path] = value
}

// maxValue bounds the characters of a value that an answer repeats.
const maxValue = 100

// wrongType says what a value must be (dossier 5.18). A password is not
// repeated.
func (f *faults) wrongType(path, want string, raw json.RawMessage) {
	f.add(path, directory.ReasonFieldFormat, path+" must be "+want+".")
	if !strings.HasSuffix(path, "Password") && !strings.HasSuffix(path, "password") {
		value, state := web.StringOf(raw)
		if state != web.Present {
			value = string(raw)
		}
		f.tell(path, cut(value))
	}
}

// cut is the beginning of a text.
func cut(text string) string {
	runes := 0
	for i := range text {
		if runes++; runes > maxValue {
			return text[:i] + "..."
		}
	}
	return text
}

// required says that a property is missing.
func (f *faults) required(path string) {
	f.add(path, directory.ReasonFieldRequired, path+" is required.")
}

// mismatch is the vendor's text for an id in the body that is not the URI's
// (dossier 5.7).
func (f *faults) mismatch(path, have, want string) {
	f.add(path, directory.ReasonFieldMismatch, path+" '"+cut(have)+"' from payload does not match with request URI '/"+cut(want)+"'.")
	f.tell(path, cut(have))
}

// clean checks that a text is fit to be kept.
func (f *faults) clean(path, text string, most int) {
	if err := directory.CleanText(path, text, most); err != nil {
		f.list = append(f.list, directory.AsError(err).Fields...)
	}
}

// err is nil without violations, else one invalid error with all of them.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return &directory.Error{Code: directory.CodeInvalid, Reason: f.list[0].Reason, Message: f.list[0].Message, Fields: f.list}
}
