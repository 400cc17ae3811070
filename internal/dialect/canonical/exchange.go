package canonical

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// exchange is one request on its way through an operation.
type exchange struct {
	door  *door
	req   *web.Request
	route *route
	call  directory.Call

	body  []byte     // of the request
	query url.Values // of the request, read and checked
	// What the operation answers.
	status int
	header [][2]string
	answer []byte
	raw    *web.Response // the whole answer, where it is no JSON
	// refusal is what huma found wrong with the input, or the handler's error.
	refusal error
	handled bool // the handler has run
}

// adapt makes an http.Handler of what answers an exchange: it prepares the call
// of the use case, puts the limit headers on the answer and fills the event.
func (d *door) adapt(name string, handle func(*exchange) (web.Response, error)) http.Handler {
	return web.Adapt(directory.DoorCanonical.String(), name, func(r *web.Request) (web.Response, error) {
		x := &exchange{door: d, req: r}
		x.call.Door = directory.DoorCanonical
		x.call.Secret = directory.Secret(web.Bearer(r.Header))
		x.call.Host = r.Host
		x.call.Addr = r.Event.Addr
		x.call.RequestID = r.Event.RequestID
		response, err := handle(x)
		if err == nil && response.Stream != nil {
			return response, nil // nothing has been asked of the core yet
		}
		if replay, ok := errors.AsType[*directory.Replay](err); ok {
			response, err = replayed(replay)
		}
		if err != nil {
			return web.Response{}, x.failed(err)
		}
		x.counted()
		response.Header = d.limitHeaders(response.Header, x.call.Quota)
		return response, nil
	}, d.onError)
}

// failed is an error as the error writer takes it.
func (x *exchange) failed(err error) error {
	x.counted()
	return &failure{err: err, quota: x.call.Quota}
}

// counted makes sure that the request counts, and fills its event.
func (x *exchange) counted() {
	if x.call.Quota.Limit == 0 {
		// Nothing was asked of the core; the headers go on every answer.
		x.call.Quota = x.door.svc.CountAddress(x.call.Addr)
	}
	x.record()
}

// record fills the request's event with who turned out to have asked.
func (x *exchange) record() {
	event := x.req.Event
	event.Actor, event.OnBehalfOf = x.call.Actor.Name, x.call.Actor.OnBehalfOf
	if x.call.Actor.Tenant != 0 {
		event.Tenant = strconv.FormatInt(int64(x.call.Actor.Tenant), 10)
	}
}

// run answers a request to an operation.
func (d *door) run(x *exchange) (web.Response, error) {
	err := x.prepare()
	if err != nil {
		return web.Response{}, x.refuse(err)
	}
	response, err := x.route.serve(x)
	if err != nil && !x.handled {
		err = x.refuse(err)
	}
	if err != nil || x.req.Method != http.MethodGet && x.req.Method != http.MethodHead {
		return response, err
	}
	return x.condition(response)
}

// refuse is the error for input that the door refuses by itself. It asks the core
// first, so that a caller without a valid credential learns that and nothing
// else, and the request is counted.
func (x *exchange) refuse(err error) error {
	if x.route.op.open {
		return err
	}
	if refused := x.door.svc.Admit(x.req.Context(), &x.call); refused != nil {
		return refused
	}
	return err
}

// param is a parameter of the path, decoded.
func (x *exchange) param(name string) string {
	path := pathOf(x.req.URL)
	for _, segment := range x.route.segments {
		value, rest, _ := strings.Cut(path, "/")
		if segment[0] == '{' && segment[1:len(segment)-1] == name {
			if x.req.URL.RawPath != "" {
				value, _ = url.PathUnescape(value) // net/http has parsed it already
			}
			return value
		}
		path = rest
	}
	return ""
}

// prepare checks what every operation has in common: query, body and headers.
func (x *exchange) prepare() error {
	if x.req.URL.RawQuery != "" {
		if err := x.readQuery(); err != nil {
			return err
		}
	}
	if x.req.Method == http.MethodGet || x.req.Method == http.MethodHead {
		return nil
	}
	if len(x.route.media) > 0 {
		if err := x.readBody(); err != nil {
			return err
		}
	}
	if err := x.readConditions(); err != nil {
		return err
	}
	if err := x.setReason(strings.Join(x.req.Header.Values("Usher-Reason"), ", "), "Usher-Reason"); err != nil {
		return err
	}
	return x.readIdempotency()
}

// readQuery refuses parameters that the operation does not have, those that come
// twice where one is meant, and empty ones where a free text is not meant.
func (x *exchange) readQuery() error {
	values, err := url.ParseQuery(x.req.URL.RawQuery)
	if err != nil {
		return badQuery("", "The query string is not well-formed.")
	}
	for name, given := range values {
		p, ok := x.route.query[name]
		switch {
		case !ok:
			return badQuery(name, "There is no query parameter "+strconv.Quote(clip(name))+" here.")
		case len(given) > 1 && !p.list:
			return badQuery(name, name+" is given more than once.")
		case !p.text && slices.Contains(given, ""):
			return badQuery(name, name+" is empty.")
		}
	}
	x.query = values
	return nil
}

// badQuery is a query parameter at fault.
func badQuery(name, message string) error {
	err := directory.Wrong(directory.CodeInvalid, directory.ReasonQuerySyntax, "%s", message)
	if name != "" {
		err.Fields = []directory.FieldError{{Field: clip(name), Reason: directory.ReasonQuerySyntax, Message: message}}
	}
	return err
}

// clip keeps what a client wrote short in an answer.
func clip(text string) string {
	if len(text) > 64 {
		text = text[:64] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// maxReason is the greatest length of a reason in characters.
const maxReason = 500

// setReason keeps why the caller does what it does, for the event. That of the
// body wins over that of the header.
func (x *exchange) setReason(reason, field string) error {
	if reason == "" {
		return nil
	}
	if err := directory.CleanText(field, reason, maxReason); err != nil {
		return err
	}
	x.call.Reason = reason
	return nil
}

// setHeader adds a header to the answer.
func (x *exchange) setHeader(name, value string) {
	x.header = append(x.header, [2]string{name, value})
}

// setVersion puts the ETag of a version on the answer (RFC 9110 section 8.8.3).
func (x *exchange) setVersion(version int64) { x.setHeader("ETag", etag(version)) }

// setLocation puts the path of what was created on the answer; path is behind the
// prefix.
func (x *exchange) setLocation(path string) { x.setHeader("Location", prefix+path) }

// reply is what a creating operation answers: kept for repetitions with the same
// idempotency key.
type reply struct {
	Status   int             `json:"status"`
	Location string          `json:"location,omitempty"` // behind the prefix
	Version  int64           `json:"version,omitempty"`  // for ETag; 0 for none
	Body     json.RawMessage `json:"body"`
}

// creates says how the answer of a creating operation is made from what the use
// case returns, for whoever repeats the request. To be called before the use
// case; the first answer is the handler's own, and must be the same.
func creates[C, O any](x *exchange, answer func(C) (body O, location string, version int64)) {
	if x.call.Idempotency == nil {
		return
	}
	x.call.Idempotency.Answer = func(created any) ([]byte, error) {
		value, ok := created.(C)
		if !ok {
			return nil, errors.New("canonical: the use case made something else than was expected")
		}
		body, location, version := answer(value)
		text, err := encode(body)
		if err != nil {
			return nil, err
		}
		return json.Marshal(reply{Status: x.route.op.status, Location: location, Version: version, Body: text})
	}
}

// replayed is the answer that an idempotency key had before.
func replayed(replay *directory.Replay) (web.Response, error) {
	var r reply
	if err := json.Unmarshal(replay.Answer, &r); err != nil {
		return web.Response{}, err
	}
	response := web.Response{Status: r.Status, ContentType: contentJSON, Body: r.Body}
	if r.Location != "" {
		response.Header = append(response.Header, [2]string{"Location", prefix + r.Location})
	}
	if r.Version != 0 {
		response.Header = append(response.Header, [2]string{"ETag", etag(r.Version)})
	}
	// What was made may be shown with a secret.
	response.Header = append(response.Header, [2]string{"Idempotent-Replayed", "true"}, [2]string{"Cache-Control", "no-store"})
	return response, nil
}

// carried is the context of a handler, with the exchange.
type carried struct {
	context.Context
	x *exchange
}
