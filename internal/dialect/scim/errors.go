package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/filter"
	"github.com/usher-id/usher/internal/web"
)

// scimType is the keyword of an error (RFC 7644 table 9, RFC 9865 section 2.1).
type scimType string

// The keywords in use.
const (
	invalidFilter scimType = "invalidFilter"
	tooMany       scimType = "tooMany"
	uniqueness    scimType = "uniqueness"
	mutability    scimType = "mutability"
	invalidSyntax scimType = "invalidSyntax"
	invalidPath   scimType = "invalidPath"
	noTarget      scimType = "noTarget"
	invalidValue  scimType = "invalidValue"
	invalidCursor scimType = "invalidCursor"
	expiredCursor scimType = "expiredCursor"
	invalidCount  scimType = "invalidCount"
)

// answer is a row of the error table: status and keyword, "" for none.
type answer struct {
	status  int
	keyword scimType
}

// byCode maps every code of the core (RFC 7644 tables 8 and 9).
var byCode = map[directory.Code]answer{
	directory.CodeInvalid:         {http.StatusBadRequest, invalidValue},
	directory.CodeNotFound:        {http.StatusNotFound, ""},
	directory.CodeConflict:        {http.StatusConflict, ""},
	directory.CodeStale:           {http.StatusPreconditionFailed, ""},
	directory.CodeUnauthenticated: {http.StatusUnauthorized, ""},
	directory.CodeForbidden:       {http.StatusForbidden, ""},
	directory.CodeExhausted:       {http.StatusConflict, ""},
	directory.CodeRateLimited:     {http.StatusTooManyRequests, ""},
	directory.CodeTooLarge:        {http.StatusRequestEntityTooLarge, ""},
	directory.CodeUnsupported:     {http.StatusNotImplemented, ""},
	directory.CodeUnavailable:     {http.StatusServiceUnavailable, ""},
	directory.CodeInternal:        {http.StatusInternalServerError, ""},
}

// byReason maps the reasons whose answer differs from their code's, each for
// the code that it usually comes with.
var byReason = map[directory.Reason]answer{
	directory.ReasonUserNameTaken:       {http.StatusConflict, uniqueness},
	directory.ReasonEmailTaken:          {http.StatusConflict, uniqueness},
	directory.ReasonEmployeeNumberTaken: {http.StatusConflict, uniqueness},
	directory.ReasonOpenIDTaken:         {http.StatusConflict, uniqueness},
	directory.ReasonWebMDNTaken:         {http.StatusConflict, uniqueness},
	directory.ReasonExternalIDTaken:     {http.StatusConflict, uniqueness},
	directory.ReasonStorageTaken:        {http.StatusConflict, uniqueness},
	directory.ReasonNumberTaken:         {http.StatusConflict, uniqueness},
	directory.ReasonIDTaken:             {http.StatusConflict, uniqueness},
	directory.ReasonLockReasonTaken:     {http.StatusConflict, uniqueness},
	directory.ReasonRoleTaken:           {http.StatusConflict, uniqueness},
	directory.ReasonGroupTaken:          {http.StatusConflict, uniqueness},
	directory.ReasonCompanyTaken:        {http.StatusConflict, uniqueness},
	directory.ReasonLocationTaken:       {http.StatusConflict, uniqueness},
	directory.ReasonTenantTaken:         {http.StatusConflict, uniqueness},
	directory.ReasonHostTaken:           {http.StatusConflict, uniqueness},
	directory.ReasonCredentialTaken:     {http.StatusConflict, uniqueness},
	directory.ReasonFilterSyntax:        {http.StatusBadRequest, invalidFilter},
	directory.ReasonBodySyntax:          {http.StatusBadRequest, invalidSyntax},
	directory.ReasonFieldReadOnly:       {http.StatusBadRequest, mutability},
	directory.ReasonListTooLarge:        {http.StatusBadRequest, tooMany},
	directory.ReasonBodyMedia:           {http.StatusUnsupportedMediaType, ""},
	directory.ReasonCursorInvalid:       {http.StatusBadRequest, invalidCursor},
	directory.ReasonCursorExpired:       {http.StatusBadRequest, expiredCursor},
}

// refusal is an error that the door finds by itself, with the keyword that its
// answer has.
type refusal struct {
	cause   *directory.Error
	keyword scimType
}

// refuse makes a refusal of bad input.
func refuse(keyword scimType, format string, args ...any) error {
	reason := directory.ReasonFieldValue
	switch keyword {
	case invalidSyntax:
		reason = directory.ReasonBodySyntax
	case invalidFilter:
		reason = directory.ReasonFilterSyntax
	}
	return &refusal{directory.Wrong(directory.CodeInvalid, reason, format, args...), keyword}
}

// refusePath is the refusal of a PATCH path that cannot be read.
func refusePath(err error) error {
	if e, ok := errors.AsType[*filter.Error](err); ok {
		return refuse(invalidPath, "path: %s", e.Error())
	}
	return err
}

// Error is the text for a log.
func (e *refusal) Error() string { return e.cause.Error() }

// Unwrap lets directory.AsError find the error.
func (e *refusal) Unwrap() error { return e.cause }

// lookUp finds the row of the error table for an error.
func lookUp(err error) answer {
	e := directory.AsError(err)
	if r, ok := errors.AsType[*refusal](err); ok {
		return answer{http.StatusBadRequest, r.keyword}
	}
	row := byCode[e.Code]
	// A reason may come with another code than its own: a name that is taken
	// among other faults of the input, a number that is not left.
	own, ok := byReason[e.Reason]
	if ok && (own.status == row.status || e.Code == directory.CodeUnsupported) && e.Code != directory.CodeExhausted {
		row = own
	}
	if row.status == 0 {
		return byCode[directory.CodeInternal]
	}
	return row
}

// onError writes any error as SCIM's own (RFC 7644 section 3.12).
func onError(r *web.Request, err error) web.Response {
	e := noteError(r, err)
	status, body := errorBody(r, err)
	response := web.Response{Status: status, ContentType: contentSCIM, Body: body}
	if status == http.StatusUnauthorized {
		response.Header = append(response.Header, [2]string{"WWW-Authenticate", challenge(e)})
	}
	if e.Retry > 0 || status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		response.Header = append(response.Header, [2]string{"Retry-After", retryAfter(e.Retry)})
	}
	return response
}

// contentSCIM is the type of every body (RFC 7644 section 8.1).
const contentSCIM = "application/scim+json"

// challenge is the header of a 401 (RFC 6750 section 3): without an error where
// there was no credential.
func challenge(e *directory.Error) string {
	if e.Reason == directory.ReasonCredentialMissing {
		return `Bearer realm="usher"`
	}
	return `Bearer realm="usher", error="invalid_token"`
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

// errorBody is an error as status and JSON object, also inside of a Bulk
// answer. It is the one place that knows the object.
func errorBody(r *web.Request, err error) (status int, body []byte) {
	row := lookUp(err)
	detail := describe(directory.AsError(err))
	if row.status == http.StatusInternalServerError {
		detail = "Something went wrong on the server: error id " + r.Event.ErrorID + "."
	}
	return row.status, appendError(nil, row, detail)
}

// appendError writes the object. The status is a text in it.
func appendError(b []byte, row answer, detail string) []byte {
	b = append(b, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"`...)
	b = strconv.AppendInt(b, int64(row.status), 10)
	b = append(b, '"')
	if row.keyword != "" {
		b = append(b, `,"scimType":"`...)
		b = append(b, row.keyword...)
		b = append(b, '"')
	}
	b = append(b, `,"detail":`...)
	b = web.AppendString(b, detail)
	return append(b, '}')
}

// maxFaults bounds how many violations one answer lists, so that a small
// request cannot ask for a large answer.
const maxFaults = 20

// describe is the text of detail: every violation under SCIM's name of the
// field.
func describe(e *directory.Error) string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	parts := make([]string, 0, min(len(e.Fields), maxFaults+1))
	for i, f := range e.Fields {
		if i == maxFaults {
			parts = append(parts, fmt.Sprintf("And %d more.", len(e.Fields)-i))
			break
		}
		parts = append(parts, describeField(f))
	}
	return strings.Join(parts, " ")
}

// describeField is a violation under SCIM's name of the field. The core's
// messages begin with the core's own name.
func describeField(f directory.FieldError) string {
	name, ok := fieldNames[f.Field]
	if !ok {
		return f.Message
	}
	if rest, ok := strings.CutPrefix(f.Message, f.Field); ok {
		return name + rest
	}
	return name + ": " + f.Message
}

// fieldNames are SCIM's names of the core's fields, for violations that the
// core finds. Those that the door finds name the attribute already.
var fieldNames = map[string]string{
	directory.FieldID.String():                 "id",
	directory.FieldNumber.String():             "number",
	directory.FieldState.String():              "active",
	directory.FieldLocked.String():             "locked",
	directory.FieldLockReason.String():         "lockReason",
	directory.FieldMustChangePassword.String(): "mustChangePassword",
	directory.FieldPassword.String():           "password",
	directory.FieldValidFrom.String():          "validFrom",
	directory.FieldExpiresAt.String():          "expiresAt",
	directory.FieldUserName.String():           "userName",
	directory.FieldEmail.String():              "emails.value",
	directory.FieldGivenName.String():          "name.givenName",
	directory.FieldFamilyName.String():         "name.familyName",
	directory.FieldDisplayName.String():        "displayName",
	directory.FieldTitle.String():              "title",
	directory.FieldCompany.String():            "company",
	directory.FieldEmployeeNumber.String():     "employeeNumber",
	directory.FieldExternalID.String():         "externalId",
	directory.FieldLicenceType.String():        "licenceType",
	directory.FieldPhones.String():             "phoneNumbers",
	directory.FieldAddress.String():            "addresses",
	directory.FieldPicture.String():            "photos",
	directory.FieldLanguage.String():           "preferredLanguage",
	directory.FieldTimeZone.String():           "timezone",
	directory.FieldLocations.String():          "locations",
	directory.FieldRoles.String():              "roles",
	directory.FieldGroups.String():             "groups",
	"name":                                     "displayName", // of a group
	"members":                                  "members",
}

// retryAfter is a whole number of seconds, at least 1 (RFC 9110 section
// 10.2.3).
func retryAfter(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
