package encore

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// The names that a request carries beside its path and body (seed, Request
// parameters and headers).
const (
	keyHeader      = "Ocp-Apim-Subscription-Key"
	keyQuery       = "subscription-key"
	externalIDName = "use-external-id"
)

// exchange is one request on its way through a handler.
type exchange struct {
	req  *web.Request
	call directory.Call
}

// exchange prepares the call of the use case: the key is taken as it came,
// unverified.
func (d *door) exchange(r *web.Request) *exchange {
	x := &exchange{req: r}
	x.call.Door = directory.DoorEncore
	x.call.Secret = subscriptionKey(r)
	x.call.Host = r.Host
	x.call.Addr = r.Event.Addr
	x.call.RequestID = r.Event.RequestID
	return x
}

// subscriptionKey is the key of the header, or without one of the query
// (dossier 2). An empty header is none.
func subscriptionKey(r *web.Request) directory.Secret {
	if key := r.Header.Get(keyHeader); key != "" {
		return directory.Secret(key)
	}
	key, _ := r.Query().Get(keyQuery)
	return directory.Secret(key)
}

// record fills the request's event with who turned out to have asked.
func (x *exchange) record() {
	x.req.Event.Actor = x.call.Actor.Name
	if x.call.Actor.Tenant != 0 {
		x.req.Event.Tenant = strconv.FormatInt(int64(x.call.Actor.Tenant), 10)
	}
}

// user is the user that the path names, as use-external-id says: by number, or
// by employee number. The error is code 1, 2 or 4.
func (x *exchange) user(d *door) (directory.UserRef, error) {
	external, err := useExternalID(x.req, d.opts.StrictExternalID)
	if err != nil {
		return directory.UserRef{}, err
	}
	_, escaped := parsePath(x.req.URL.EscapedPath())
	return userRef(escaped, external)
}

// useExternalID reads the parameter from the query, or without one there from
// the header (dossier 5.3).
func useExternalID(r *web.Request, strict bool) (bool, error) {
	text, sent := r.Query().Get(externalIDName)
	if !sent {
		if values := r.Header.Values(externalIDName); len(values) > 0 {
			text, sent = values[0], true
		}
	}
	if !sent && !strict {
		return false, nil
	}
	text = strings.TrimSpace(text)
	if !sent || !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
		return false, refusal(codeExternalIDMissing)
	}
	return strings.EqualFold(text, "true"), nil
}

// userRef reads the id of a path, which is percent-decoded once (dossier 3): an
// employee number, or a number of 1 to 2^31-1 in decimal digits.
func userRef(escaped string, external bool) (directory.UserRef, error) {
	if external {
		id, err := url.PathUnescape(escaped)
		if err != nil {
			id = escaped
		}
		if strings.TrimSpace(id) == "" {
			return directory.UserRef{}, refusal(codeExternalIDEmpty)
		}
		return directory.ByHandle(directory.SpaceEmployee, id), nil
	}
	number, ok := parseNumber(escaped)
	if !ok {
		return directory.UserRef{}, refusal(codeInternalID)
	}
	return directory.ByNumber(number), nil
}

// parseNumber reads decimal digits, escaped or not, as a number of 1 to
// directory.MaxNumber.
func parseNumber(escaped string) (int64, bool) {
	text := escaped
	if strings.IndexByte(text, '%') >= 0 {
		plain, err := url.PathUnescape(text)
		if err != nil {
			return 0, false
		}
		text = plain
	}
	if text == "" || len(text) > 20 {
		return 0, false
	}
	var n int64
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + int64(c-'0'); n > directory.MaxNumber {
			return 0, false
		}
	}
	return n, n > 0
}

// The paging of the list (dossier 3, E4). The greatest page is that of the
// vendor's list of vehicles.
const (
	defaultPageSize = 500
	maxPageSize     = 2000
)

// parsePage reads pageNumber and pageSize. A bad one is code 3: the seed's
// catalogue has no code of its own.
func parsePage(q web.Query) (skip, limit int, err error) {
	number, size := int64(1), int64(defaultPageSize)
	for name, to := range map[string]*int64{"pageNumber": &number, "pageSize": &size} {
		text, sent := q.Get(name)
		if !sent {
			continue
		}
		n, ok := parseNumber(strings.TrimSpace(text))
		if !ok {
			return 0, 0, refusal(codeFormat)
		}
		*to = n
	}
	if size > maxPageSize {
		return 0, 0, refusal(codeFormat)
	}
	return int((number - 1) * size), int(size), nil
}

// object reads the request's body as one JSON object, whatever its content type
// says. Anything else is code 3.
func (x *exchange) object(d *door) (web.Object, error) {
	body, err := x.req.Body(d.opts.MaxBody)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return web.Object{}, directory.Wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge, "The body is larger than %d bytes.", d.opts.MaxBody)
	case err != nil:
		return web.Object{}, directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "The body could not be read.").Because(err)
	}
	object, err := web.DecodeObject(body, maxDepth)
	if err != nil {
		return web.Object{}, directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "The body is no JSON object.").Because(err)
	}
	return object, nil
}

// replacement reads the body of a creation or a full replace.
func (x *exchange) replacement(d *door, creating bool) (*input, error) {
	return x.input(d, creating, (*input).replace)
}

// changes reads the body of a PATCH.
func (x *exchange) changes(d *door) (*input, error) {
	return x.input(d, false, (*input).change)
}

func (x *exchange) input(d *door, creating bool, read func(*input, web.Object)) (*input, error) {
	object, err := x.object(d)
	if err != nil {
		return nil, err
	}
	in := &input{limits: d.opts.Limits, creating: creating}
	read(in, object)
	if in.malformed {
		return nil, refusal(codeFormat)
	}
	return in, nil
}
