package smartapp

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// byCode maps every code of the core (dossier 6). The vendor documents 200, 400,
// 401 and 402 only: who may not do something is answered as who is not known.
// 429, 413, 500 and 503 are decided.
var byCode = map[directory.Code]int{
	directory.CodeInvalid:         http.StatusBadRequest,
	directory.CodeNotFound:        http.StatusBadRequest,
	directory.CodeConflict:        http.StatusBadRequest,
	directory.CodeStale:           http.StatusBadRequest,
	directory.CodeUnauthenticated: http.StatusUnauthorized,
	directory.CodeForbidden:       http.StatusUnauthorized,
	directory.CodeExhausted:       http.StatusServiceUnavailable,
	directory.CodeRateLimited:     http.StatusTooManyRequests,
	directory.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	directory.CodeUnsupported:     http.StatusBadRequest,
	directory.CodeUnavailable:     http.StatusServiceUnavailable,
	directory.CodeInternal:        http.StatusInternalServerError,
}

// byReason maps the reasons whose status differs from their code's.
var byReason = map[directory.Reason]int{
	directory.ReasonRouteNotFound: http.StatusNotFound,

	// The vendor's status of what exists already.
	directory.ReasonUserNameTaken:       http.StatusPaymentRequired,
	directory.ReasonEmailTaken:          http.StatusPaymentRequired,
	directory.ReasonEmployeeNumberTaken: http.StatusPaymentRequired,
	directory.ReasonOpenIDTaken:         http.StatusPaymentRequired,
	directory.ReasonWebMDNTaken:         http.StatusPaymentRequired,
	directory.ReasonExternalIDTaken:     http.StatusPaymentRequired,
	directory.ReasonStorageTaken:        http.StatusPaymentRequired,
	directory.ReasonIDTaken:             http.StatusPaymentRequired,
	directory.ReasonGroupTaken:          http.StatusPaymentRequired,
	directory.ReasonRoleTaken:           http.StatusPaymentRequired,
	directory.ReasonCompanyTaken:        http.StatusPaymentRequired,
	directory.ReasonLocationTaken:       http.StatusPaymentRequired,

	// The vendor's status of missing licences.
	directory.ReasonSeatExhausted:   http.StatusUnauthorized,
	directory.ReasonSeatNotEntitled: http.StatusUnauthorized,

	// No credential could do it.
	directory.ReasonOwnerProtected: http.StatusBadRequest,
	// Nothing is wrong with the request: repeating it will do.
	directory.ReasonWriteConflict: http.StatusServiceUnavailable,
}

// textCredential tells a bad key from a missing licence, which has the same
// status (dossier 2).
const textCredential = "Invalid or missing API key"

// statusOfError finds the row of the error table for an error.
func statusOfError(e *directory.Error) int {
	// In an invalid error a reason is about a field.
	if status, ok := byReason[e.Reason]; ok && e.Code != directory.CodeInvalid {
		return status
	}
	if status, ok := byCode[e.Code]; ok {
		return status
	}
	return byCode[directory.CodeInternal]
}

// onError writes any error of an operation as the door's own.
func (d *door) onError(op *operation) web.ErrorFunc {
	return func(r *web.Request, err error) web.Response {
		e := noteError(r, err)
		status := statusOfError(e)
		response := messageResponse(status, message(&op.texts, e, status, r.Event.ErrorID))
		switch {
		case e.Code == directory.CodeUnauthenticated:
			response.Header = append(response.Header, [2]string{"WWW-Authenticate", d.challenge()})
		case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
			response.Header = append(response.Header, [2]string{"Retry-After", retryAfter(e.Retry)})
		}
		return response
	}
}

// challenge says how to send a key (RFC 9110 section 11.6.1).
func (d *door) challenge() string {
	if slices.Contains(d.opts.Credentials, CredentialBearer) {
		return `Bearer realm="smartapp"`
	}
	return `ApiKey realm="smartapp"`
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

// message is the vendor's text where it has one, else the core's own.
func message(t *texts, e *directory.Error, status int, errorID string) string {
	text := ""
	switch {
	case status == http.StatusInternalServerError:
		return "Something went wrong on the server: error id " + errorID + "."
	case e.Code == directory.CodeUnauthenticated:
		return textCredential
	case e.Reason == directory.ReasonSeatExhausted, e.Reason == directory.ReasonSeatNotEntitled:
		text = t.exhausted
	case status == http.StatusPaymentRequired:
		text = t.taken
	case e.Code == directory.CodeNotFound && status == http.StatusBadRequest:
		text = t.missing
	case len(e.Fields) > 0:
		text = describeInput(t, e)
	}
	if text == "" {
		return e.Message
	}
	return text
}

// maxFaults bounds how many violations one answer lists, so that a small
// request cannot ask for a large answer.
const maxFaults = 20

// describeInput is the vendor's text if it covers one of the violations, else
// every violation under the vendor's names of the fields (dossier 6).
func describeInput(t *texts, e *directory.Error) string {
	parts := make([]string, 0, len(e.Fields))
	for i, f := range e.Fields {
		if t.invalid != "" && slices.Contains(t.covers, f.Field) {
			return t.invalid
		}
		if i < maxFaults {
			parts = append(parts, describeField(f))
		}
	}
	if more := len(e.Fields) - len(parts); more > 0 {
		parts = append(parts, strconv.Itoa(more)+" more.")
	}
	return strings.Join(parts, " ")
}

// describeField is a violation under the vendor's name of the field. The core's
// messages begin with the core's own name.
func describeField(f directory.FieldError) string {
	name, ok := fieldNames[f.Field]
	if rest, found := strings.CutPrefix(f.Message, f.Field); ok && found {
		return name + rest
	}
	return f.Message
}

// fieldNames are the vendor's names of the core's fields, for violations that
// the core finds. Those that the door finds name the vendor's field already.
var fieldNames = map[string]string{
	directory.FieldID.String():          "UniqueID",
	directory.FieldGivenName.String():   "firstName",
	directory.FieldFamilyName.String():  "lastName",
	directory.FieldUserName.String():    "userName",
	directory.FieldEmail.String():       "email",
	directory.FieldCompany.String():     "companyName",
	directory.FieldLicenceType.String(): "licenceType",
	directory.FieldRoles.String():       "applicationRoles",
	directory.FieldPhones.String():      "phone",
	directory.FieldExtras.String():      "metadata",
	directory.FieldAttributes.String():  "metadata",
}

// retryAfter is a whole number of seconds, at least 1 (RFC 9110 section
// 10.2.3).
func retryAfter(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
