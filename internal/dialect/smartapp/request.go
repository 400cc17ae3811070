package smartapp

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// Credential is a place where a key is looked for (dossier 2).
type Credential string

// The places, by the name that settings give them.
const (
	CredentialBearer       Credential = "bearer"        // Authorization: Bearer <key>
	CredentialXAPIKey      Credential = "x-api-key"     // X-API-Key: <key>
	CredentialAPIKeyHeader Credential = "apikey-header" // apiKey: <key>, or api_key
	CredentialAPIKeyQuery  Credential = "apikey-query"  // ?apiKey=<key>, or api_key
)

// Credentials are all places, in the order in which they are looked at.
func Credentials() []Credential {
	return []Credential{CredentialBearer, CredentialXAPIKey, CredentialAPIKeyHeader, CredentialAPIKeyQuery}
}

// maxDepth is how deep a body may be nested, the free values of metadata
// included.
const maxDepth = 16

// exchange is one request on its way through a handler.
type exchange struct {
	req  *web.Request
	call directory.Call
}

// exchange prepares the call of the use case: the key is taken as it came,
// unverified.
func (d *door) exchange(r *web.Request) *exchange {
	x := &exchange{req: r}
	x.call.Door = directory.DoorSmartapp
	x.call.Secret = apiKey(r, d.opts.Credentials)
	x.call.Host = r.Host
	x.call.Addr = r.Event.Addr
	x.call.RequestID = r.Event.RequestID
	return x
}

// apiKey is the key in the first of the accepted places that has one.
func apiKey(r *web.Request, accepted []Credential) directory.Secret {
	for _, place := range Credentials() {
		if !slices.Contains(accepted, place) {
			continue
		}
		if key := keyIn(r, place); key != "" {
			return directory.Secret(key)
		}
	}
	return ""
}

// keyIn is the key in one place, "" for none.
func keyIn(r *web.Request, place Credential) string {
	switch place {
	case CredentialBearer:
		scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(key)
		}
	case CredentialXAPIKey:
		return r.Header.Get("X-API-Key")
	case CredentialAPIKeyHeader:
		if key := r.Header.Get("apiKey"); key != "" {
			return key
		}
		return r.Header.Get("api_key")
	case CredentialAPIKeyQuery:
		if key, _ := r.Query().Get("apiKey"); key != "" {
			return key
		}
		key, _ := r.Query().Get("api_key")
		return key
	}
	return ""
}

// record fills the request's event with who turned out to have asked.
func (x *exchange) record() {
	x.req.Event.Actor = x.call.Actor.Name
	if x.call.Actor.Tenant != 0 {
		x.req.Event.Tenant = strconv.FormatInt(int64(x.call.Actor.Tenant), 10)
	}
}

// refuse answers input that this door refuses by itself. It asks the core only
// whether the key is good, so that a caller without a good one learns nothing
// else and the request is counted (dossier 5.1).
func (x *exchange) refuse(d *door, err error) (web.Response, error) {
	if refused := d.svc.Admit(x.req.Context(), &x.call); refused != nil {
		return web.Response{}, refused
	}
	return web.Response{}, err
}

// unescape decodes the percent escapes of a path; broken ones stay as they are.
func unescape(escaped string) string {
	if strings.IndexByte(escaped, '%') < 0 {
		return escaped
	}
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return escaped
	}
	return strings.ToValidUTF8(plain, "\uFFFD")
}

// values are what a request carries, wherever it stands: behind the path, in
// the query, or in a JSON body. Names are matched without regard to case
// (dossier 5.2).
type values struct {
	subject string // behind the path, decoded
	query   web.Query
	body    web.Object
}

// values reads all that a request carries.
func (x *exchange) values(d *door) (*values, error) {
	body, err := x.body(d)
	if err != nil {
		return nil, err
	}
	_, subject := d.find(x.req.URL.EscapedPath())
	return &values{subject: unescape(subject), query: x.req.Query(), body: body}, nil
}

// body reads the request's body as one JSON object, whatever its content type
// says; an empty one is an object without members.
func (x *exchange) body(d *door) (web.Object, error) {
	text, err := x.req.Body(d.opts.MaxBody)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return web.Object{}, directory.Wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge, "The body is larger than %d bytes.", d.opts.MaxBody)
	case err != nil:
		return web.Object{}, directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "The body could not be read.").Because(err)
	case len(strings.TrimSpace(string(text))) == 0:
		return web.Object{}, nil
	}
	object, err := web.DecodeObject(text, maxDepth)
	if err != nil {
		return web.Object{}, directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "The body is no JSON object.").Because(err)
	}
	return object, nil
}

// one is the single value of a request under any of some names, which must be
// there and, where it is there twice, be the same (dossier 5.4).
func (v *values) one(field string, names ...string) (string, error) {
	found := v.subject
	take := func(text string) error {
		if text != "" && found != "" && !strings.EqualFold(text, found) {
			return directory.Invalid(field, directory.ReasonFieldMismatch, "%s is there twice, and differs.", names[0])
		}
		if found == "" {
			found = text
		}
		return nil
	}
	for _, name := range names {
		for _, text := range v.query.All(name) {
			if err := take(text); err != nil {
				return "", err
			}
		}
		text, state := v.body.String(name)
		if state == web.Mistyped {
			return "", directory.Invalid(field, directory.ReasonFieldFormat, "%s must be a text.", name)
		}
		if err := take(text); err != nil {
			return "", err
		}
	}
	if strings.TrimSpace(found) == "" {
		return "", directory.Invalid(field, directory.ReasonFieldRequired, "%s is required.", names[0])
	}
	return found, nil
}

// id is the identifier of whom or what a request is about: UniqueID, or by one
// of the other names that the vendor's pages have for it (dossier 5.4).
func (v *values) id(others ...string) (string, error) {
	return v.one(directory.FieldID.String(), append([]string{"UniqueID"}, others...)...)
}

// The paging of the list (dossier 3.3). The vendor names the default of take
// and no maximum.
const (
	defaultTake = 25
	maxTake     = 1000
)

// page reads skip and take.
func (v *values) page() (skip, take int, err error) {
	if skip, err = v.number("skip", 0, 0, directory.MaxNumber); err != nil {
		return 0, 0, err
	}
	take, err = v.number("take", defaultTake, 1, maxTake)
	return skip, take, err
}

// number reads a parameter of the query that is an integer of a range.
func (v *values) number(name string, fallback, least, most int) (int, error) {
	text, sent := v.query.Get(name)
	if !sent {
		return fallback, nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < least || n > most {
		return 0, directory.Invalid(name, directory.ReasonFieldValue, "%s must be an integer from %d to %d.", name, least, most)
	}
	return n, nil
}
