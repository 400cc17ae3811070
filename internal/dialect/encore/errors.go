package encore

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// shape is what the body of a refusal looks like: the vendor's gateway and its
// application answer differently.
type shape uint8

const (
	shapeCodes   shape = iota + 1 // an array of codes, by the application
	shapeGateway                  // an object of status and message, by the gateway
	shapeEmpty                    // nothing, by the application
)

// answer is a row of the error table. A code goes into an array; text is the
// gateway's message, empty for the core's own.
type answer struct {
	status int
	shape  shape
	code   int
	text   string
}

// The texts of the gateway (dossier 2), letter for letter.
const (
	textKeyMissing = "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API."
	textKeyInvalid = "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."
	textNoRoute    = "Resource not found"
)

// byCode maps every code of the core.
var byCode = map[directory.Code]answer{
	directory.CodeInvalid:         {http.StatusBadRequest, shapeCodes, codeFormat, ""},
	directory.CodeNotFound:        {http.StatusNotFound, shapeEmpty, 0, ""},
	directory.CodeConflict:        {http.StatusServiceUnavailable, shapeEmpty, 0, ""},
	directory.CodeStale:           {http.StatusServiceUnavailable, shapeEmpty, 0, ""},
	directory.CodeUnauthenticated: {http.StatusUnauthorized, shapeGateway, 0, textKeyInvalid},
	directory.CodeForbidden:       {http.StatusForbidden, shapeGateway, 0, ""},
	directory.CodeExhausted:       {http.StatusUnprocessableEntity, shapeCodes, codeNoSeat, ""},
	directory.CodeRateLimited:     {http.StatusTooManyRequests, shapeGateway, 0, ""},
	directory.CodeTooLarge:        {http.StatusRequestEntityTooLarge, shapeGateway, 0, ""},
	directory.CodeUnsupported:     {http.StatusBadRequest, shapeCodes, codeFormat, ""},
	directory.CodeUnavailable:     {http.StatusServiceUnavailable, shapeEmpty, 0, ""},
	directory.CodeInternal:        {http.StatusInternalServerError, shapeEmpty, 0, ""},
}

// byReason maps the reasons whose answer differs from their code's and is no
// array of codes; those are in codes.go.
var byReason = map[directory.Reason]answer{
	directory.ReasonRouteNotFound:     {http.StatusNotFound, shapeGateway, 0, textNoRoute},
	directory.ReasonCredentialMissing: {http.StatusUnauthorized, shapeGateway, 0, textKeyMissing},
}

// coded is a refusal by one code that this door finds by itself.
type coded struct {
	code  int
	cause *directory.Error
}

// refusal makes a coded refusal.
func refusal(code int) error {
	return coded{code, directory.Wrong(directory.CodeInvalid, directory.ReasonFieldFormat, "%s", messages[code])}
}

// Error is the text for a log.
func (c coded) Error() string { return c.cause.Error() }

// Unwrap lets directory.AsError find the error.
func (c coded) Unwrap() error { return c.cause }

// failure carries an error to the error writer together with who asked.
type failure struct {
	err   error
	actor directory.Actor
}

// Error is the text of the failure's error.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap is the failure's error.
func (f *failure) Unwrap() error { return f.err }

// onError writes any error as the vendor's own.
func (d *door) onError(r *web.Request, err error) web.Response {
	e := noteError(r, err)
	row, codes := lookUp(err, e)
	var response web.Response
	switch row.shape {
	case shapeCodes:
		response = web.Response{Status: row.status, ContentType: contentJSON, Body: appendCodes(nil, codes)}
	case shapeGateway:
		response = d.gatewayResponse(r, e, row)
	default:
		response = web.Response{Status: row.status}
	}
	switch {
	case row.status == http.StatusTooManyRequests, row.status == http.StatusServiceUnavailable:
		response.Header = append(response.Header, [2]string{"Retry-After", strconv.FormatInt(seconds(e.Retry), 10)})
	case e.Code == directory.CodeInternal && r.Event.ErrorID != "":
		// The body is empty; this leads to the line of the log.
		response.Header = append(response.Header, [2]string{"X-Error-Id", r.Event.ErrorID})
	}
	response.Header = d.allowOrigin(r, response.Header)
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

// lookUp finds the row of the error table for an error, and its codes.
func lookUp(err error, e *directory.Error) (answer, []int) {
	if own, ok := errors.AsType[coded](err); ok {
		return codesAnswer([]int{own.code})
	}
	if row, ok := byReason[e.Reason]; ok {
		return row, nil
	}
	if codes := codesOf(e); len(codes) > 0 {
		return codesAnswer(codes)
	}
	if f, ok := errors.AsType[*failure](err); ok && aboutOwner(e, f.actor) {
		return codesAnswer([]int{codeOwner})
	}
	row, ok := byCode[e.Code]
	if !ok {
		row = byCode[directory.CodeInternal]
	}
	return row, []int{row.code}
}

// aboutOwner tells a refusal to change the account owner, the only user above
// an administrator, from any other lack of rights (dossier 6, code 127).
func aboutOwner(e *directory.Error, actor directory.Actor) bool {
	return e.Reason == directory.ReasonRankTooLow && actor.Rank == directory.RankAdministrator && actor.Root == 0
}

// codesAnswer is the answer with codes in ascending order. Those of 400 and
// those of 422 never share an answer: what is malformed was not judged (dossier
// 6).
func codesAnswer(codes []int) (answer, []int) {
	slices.Sort(codes)
	codes = slices.Compact(codes)
	if codes[0] > lastRequestCode {
		return answer{http.StatusUnprocessableEntity, shapeCodes, codes[0], ""}, codes
	}
	end := 0
	for end < len(codes) && codes[end] <= lastRequestCode {
		end++
	}
	return answer{http.StatusBadRequest, shapeCodes, codes[0], ""}, codes[:end]
}

// gatewayResponse writes an answer of the gateway (dossier 2).
func (d *door) gatewayResponse(r *web.Request, e *directory.Error, row answer) web.Response {
	text := row.text
	switch {
	case row.status == http.StatusTooManyRequests:
		text = "Rate limit is exceeded. Try again in " + strconv.FormatInt(seconds(e.Retry), 10) + " seconds."
	case text == "":
		text = e.Message
	}
	body := append(make([]byte, 0, len(text)+48), `{ "statusCode": `...)
	body = strconv.AppendInt(body, int64(row.status), 10)
	body = append(body, `, "message": `...)
	body = web.AppendString(body, text)
	body = append(body, " }"...)
	response := web.Response{Status: row.status, ContentType: "application/json", Body: body}
	if row.status == http.StatusUnauthorized {
		response.Header = [][2]string{{"WWW-Authenticate", `AzureApiManagementKey realm="https://` + ownHost(r.Host) +
			`/users",name="` + keyHeader + `",type="header"`}}
	}
	return response
}

// ownHost is the host that the client called, without what would end the quoted
// text that it is put into.
func ownHost(host string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return -1
		}
		return c
	}, host)
}

// seconds is a whole number of seconds, at least 1 (RFC 9110 section 10.2.3).
func seconds(d time.Duration) int64 {
	return max(1, int64((d+time.Second-1)/time.Second))
}
