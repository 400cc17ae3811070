package edubrite

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// The message codes that go with refusals (dossier 4.2). codeOther goes with
// all for which the vendor has published none (dossier 5.11).
const (
	codeNoUser    = "0004"
	codeForbidden = "0005"
	codeTaken     = "0026"
	codeOther     = "-1"
)

// The texts of the seed, letter for letter.
const (
	textNoUser    = "Unable to find User with matching id"
	textForbidden = "You are not allowed to perform this action."
)

// textNoGroup is worded as textNoUser: the vendor has published no text.
const textNoGroup = "Unable to find Group with matching id"

// answer is a row of the error table: the status, the message code and the
// text. An empty text is the core's own message.
type answer struct {
	status int
	code   string
	text   string
}

// byCode maps every code of the core. Whoever may not do something, for
// whatever reason, is answered alike (dossier 2.3).
var byCode = map[directory.Code]answer{
	directory.CodeInvalid:         {http.StatusBadRequest, codeOther, ""},
	directory.CodeNotFound:        {http.StatusNotFound, codeOther, ""},
	directory.CodeConflict:        {http.StatusConflict, codeOther, ""},
	directory.CodeStale:           {http.StatusConflict, codeOther, ""},
	directory.CodeUnauthenticated: {http.StatusUnauthorized, codeForbidden, textForbidden},
	directory.CodeForbidden:       {http.StatusUnauthorized, codeForbidden, textForbidden},
	directory.CodeExhausted:       {http.StatusConflict, codeOther, ""},
	directory.CodeRateLimited:     {http.StatusTooManyRequests, codeOther, "Too many requests. Please try again later."},
	directory.CodeTooLarge:        {http.StatusRequestEntityTooLarge, codeOther, ""},
	directory.CodeUnsupported:     {http.StatusBadRequest, codeOther, ""},
	directory.CodeUnavailable:     {http.StatusServiceUnavailable, codeOther, "The server is busy. Please try again later."},
	directory.CodeInternal:        {http.StatusInternalServerError, codeOther, ""},
}

// byReason maps the reasons whose answer differs from their code's. A taken
// name is 404, the vendor's only published answer to a duplicate (dossier 5.6);
// the handler puts the names into the message.
var byReason = map[directory.Reason]answer{
	directory.ReasonUserNotFound:  {http.StatusNotFound, codeNoUser, textNoUser},
	directory.ReasonUserDeleted:   {http.StatusNotFound, codeNoUser, textNoUser},
	directory.ReasonGroupNotFound: {http.StatusNotFound, codeOther, textNoGroup},
	directory.ReasonUserNameTaken: {http.StatusNotFound, codeTaken, ""},
	directory.ReasonOpenIDTaken:   {http.StatusNotFound, codeTaken, ""},
	directory.ReasonGroupTaken:    {http.StatusNotFound, codeTaken, ""},
}

// lookUp finds the row of the error table for an error.
func lookUp(e *directory.Error) answer {
	if row, ok := byReason[e.Reason]; ok {
		return row
	}
	if row, ok := byCode[e.Code]; ok {
		return row
	}
	return byCode[directory.CodeInternal]
}

// onError writes any error as the door's envelope. It is never empty and never
// another media type: the Java client takes such an answer for a wrong address
// (dossier 4.1).
func (d *door) onError(r *web.Request, err error) web.Response {
	e := directory.AsError(err)
	if e.Code != directory.CodeInternal || r.Event.ErrorID != "" {
		r.Event.Code, r.Event.Reason = string(e.Code), string(e.Reason)
	}
	row := lookUp(e)
	text := row.text
	switch {
	case row.status == http.StatusInternalServerError:
		text = "Something went wrong on the server: error id " + r.Event.ErrorID
	case text == "":
		text = describe(e)
	}
	response := failure(row.status, row.code, text)
	if e.Retry > 0 || e.Code == directory.CodeUnavailable {
		response.Header = append(response.Header, [2]string{"Retry-After", retryAfter(e.Retry)})
	}
	return response
}

// maxFaults bounds how many violations one answer lists, so that a small
// request cannot ask for a large answer.
const maxFaults = 20

// describe is what the core says, with every violation under the vendor's name
// of its field.
func describe(e *directory.Error) string {
	if e.Code != directory.CodeInvalid || len(e.Fields) == 0 {
		return e.Message
	}
	parts := make([]string, 0, maxFaults+1)
	for i, f := range e.Fields {
		if i == maxFaults {
			parts = append(parts, "and "+strconv.Itoa(len(e.Fields)-i)+" more.")
			break
		}
		parts = append(parts, describeField(f))
	}
	return strings.Join(parts, " ")
}

// describeField is a violation under the vendor's name of the field. The core's
// messages begin with the core's own name.
func describeField(f directory.FieldError) string {
	at, field, many := inList(f.Field)
	name, ok := fieldNames[field]
	if many {
		name, ok = signupNames[field], signupNames[field] != ""
		name += "_" + strconv.Itoa(at)
	}
	if !ok {
		return f.Message
	}
	if rest, ok := strings.CutPrefix(f.Message, field); ok {
		return name + rest
	}
	return name + ": " + f.Message
}

// inList takes apart the field of one of several users, "users[3].user_name".
func inList(text string) (at int, field string, ok bool) {
	rest, isList := strings.CutPrefix(text, "users[")
	digits, field, closed := strings.Cut(rest, "].")
	at, known := index(digits)
	if !isList || !closed || !known {
		return 0, text, false
	}
	return at, field, true
}

// fieldNames are the vendor's names of the core's fields.
var fieldNames = map[string]string{
	directory.FieldUserName.String():   "userName",
	directory.FieldGivenName.String():  "firstName",
	directory.FieldFamilyName.String(): "lastName",
	directory.FieldEmail.String():      "email",
	directory.FieldPassword.String():   "password",
	directory.FieldOpenID.String():     "openId",
	directory.FieldTimeZone.String():   "timezone",
	directory.FieldRank.String():       "siteRole",
	directory.FieldExtras.String():     "customUpdPropMap",
	directory.FieldGroups.String():     "groupId",
	"name":                             "groupName",
	"description":                      "description",
	"parent":                           "parentId",
	"terms":                            "search",
	"filter":                           "search",
}

// signupNames are those of a signup, in lower case (dossier 3.4).
var signupNames = map[string]string{
	directory.FieldUserName.String():   "username",
	directory.FieldGivenName.String():  "firstname",
	directory.FieldFamilyName.String(): "lastname",
	directory.FieldEmail.String():      "email",
	directory.FieldPassword.String():   "password",
}

// taken gives a refusal for a name that is in use the vendor's text, which
// names it (dossier 4.2).
func taken(err error, names map[directory.Reason]string) error {
	e := directory.AsError(err)
	name, ok := names[e.Reason]
	if !ok {
		return err
	}
	return nameTaken(e, name)
}

// nameTaken is a refusal with the vendor's text about names.
func nameTaken(e *directory.Error, names string) error {
	named := *e
	named.Message = names + " already present. Please rename them"
	named.Fields = nil
	return &named
}

// retryAfter is a whole number of seconds, at least 1 (RFC 9110 section
// 10.2.3).
func retryAfter(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

// faults collects violations of the parameters, named as the core names fields
// where it has them, so that one answer names them all.
type faults []directory.FieldError

func (f *faults) add(field string, reason directory.Reason, message string) {
	*f = append(*f, directory.FieldError{Field: field, Reason: reason, Message: message})
}

// required reports an empty value.
func (f *faults) required(field, value string) {
	if value == "" {
		f.add(field, directory.ReasonFieldRequired, field+" is required.")
	}
}

// err is nil without violations, else one invalid error with all of them.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &directory.Error{Code: directory.CodeInvalid, Reason: f[0].Reason, Message: f[0].Message, Fields: f}
}

// listField names a field of one of several users.
func listField(at int, field string) string { return "users[" + strconv.Itoa(at) + "]." + field }
