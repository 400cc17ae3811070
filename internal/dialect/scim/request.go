package scim

import (
	"errors"
	"mime"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// exchange is one request on its way through a handler.
type exchange struct {
	d    *door
	req  *web.Request
	call directory.Call
}

// exchange prepares the call of the use case: the credential is taken as it
// came, unverified.
func (d *door) exchange(r *web.Request) *exchange {
	x := &exchange{d: d, req: r}
	x.call.Door = directory.DoorSCIM
	x.call.Secret = directory.Secret(web.Bearer(r.Header))
	x.call.Host = r.Host
	x.call.Addr = r.Event.Addr
	x.call.RequestID = r.Event.RequestID
	return x
}

// record fills the request's event with who turned out to have asked.
func (x *exchange) record() {
	x.req.Event.Actor, x.req.Event.OnBehalfOf = x.call.Actor.Name, x.call.Actor.OnBehalfOf
	if x.call.Actor.Tenant != 0 {
		x.req.Event.Tenant = strconv.FormatInt(int64(x.call.Actor.Tenant), 10)
	}
}

// base is the URI of the door, without a slash at the end.
func (x *exchange) base() string {
	if x.d.opts.PublicURL != "" {
		return x.d.opts.PublicURL + "/scim/v2"
	}
	if x.req.TLS != nil || x.d.opts.HTTPS {
		return "https://" + x.req.Host + "/scim/v2"
	}
	return "http://" + x.req.Host + "/scim/v2"
}

// key is the id in the path.
func (x *exchange) key() string {
	_, second, _ := segmentsOf(x.req.URL.Path)
	return second
}

// maxDepth is how deep the JSON of a request may be nested.
const maxDepth = 20

// errMedia is the refusal of a body that is not said to be JSON.
var errMedia = errors.New("scim: unsupported media type")

// object reads the request's body as a JSON object (RFC 7644 section 3.1:
// application/scim+json, application/json). A body without a type is taken for
// that.
func (x *exchange) object() (web.Object, error) {
	return x.objectOf(maxDepth, web.MaxJSONValues)
}

// objectOf is object with limits of its own.
func (x *exchange) objectOf(depth, values int) (web.Object, error) {
	if text := x.req.Header.Get("Content-Type"); text != "" {
		media, _, err := mime.ParseMediaType(text)
		if err != nil || media != contentSCIM && media != "application/json" {
			return web.Object{}, errMedia
		}
	}
	body, err := x.req.Body(x.d.opts.MaxBody)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return web.Object{}, directory.Wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge, "The body is larger than %d bytes.", x.d.opts.MaxBody)
	case err != nil:
		return web.Object{}, directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "The body could not be read.").Because(err)
	}
	return decode(body, depth, values)
}

// decode reads a body that must be a JSON object.
func decode(body []byte, depth, values int) (web.Object, error) {
	object, err := web.DecodeObjectOf(body, depth, values)
	if err != nil {
		return web.Object{}, refuse(invalidSyntax, "The body is no JSON object that can be read: %s.", err)
	}
	return object, nil
}

// refused answers input that this door refuses by itself. It asks the core
// before, so that a caller without a valid credential learns that first and the
// request is counted: about the user whom the path names, who may be unknown or
// not the caller's to see, or else who calls.
func (x *exchange) refused(err error) (web.Response, error) {
	var first error
	if key := x.key(); key == "" || key == searchSegment {
		first = x.d.svc.Admit(x.req.Context(), &x.call)
	} else {
		_, first = x.d.svc.User(x.req.Context(), &x.call, x.user())
	}
	switch {
	case first != nil:
		return web.Response{}, first
	case errors.Is(err, errMedia):
		err = directory.Wrong(directory.CodeUnsupported, directory.ReasonBodyMedia, "The body must be %s or application/json.", contentSCIM)
	}
	return web.Response{}, err
}

// searchSegment is the last part of the path of a search (RFC 7644 section
// 3.4.3).
const searchSegment = ".search"

// conditions puts If-Match and If-None-Match on the call.
func (x *exchange) conditions() {
	x.call.If.Match, x.call.If.MustExist = tags(x.req.Header["If-Match"])
	x.call.If.NoneMatch, x.call.If.MustNotExist = tags(x.req.Header["If-None-Match"])
}

// noVersion is a version that nothing has: that of a tag which nobody gave.
const noVersion = -1

// tags reads entity tags (RFC 9110 section 8.8.3), nil without any. A weak one
// counts as the strong one of the same text, since RFC 7644 prints weak ones in
// If-Match (dossier 5.6).
func tags(headers []string) (versions []int64, any bool) {
	for _, header := range headers {
		for tag := range strings.SplitSeq(header, ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" {
				any = true
				continue
			}
			text := strings.TrimPrefix(tag, "W/")
			version := int64(noVersion)
			if len(text) > 2 && text[0] == '"' && text[len(text)-1] == '"' {
				if n, err := strconv.ParseInt(text[1:len(text)-1], 10, 64); err == nil && n > 0 && text[1] != '0' && text[1] != '+' {
					version = n
				}
			}
			versions = append(versions, version)
		}
	}
	if any {
		versions = nil
	}
	return versions, any
}

// etag is the entity tag of a version.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
