package canonical

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// etag is the entity tag of a version: strong, since a version is one state of
// all that is shown.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// tags is a parsed If-Match or If-None-Match.
type tags struct {
	any      bool
	versions []int64 // of the strong tags that can be ours
	weak     []int64 // of the weak ones
}

// maxTags bounds how many entity tags one header may have.
const maxTags = 100

// parseTags reads If-Match or If-None-Match (RFC 9110 section 13.1): "*", or
// entity tags separated by commas. Tags that are no version of ours are read and
// match nothing; ok is false for what is none of this.
func parseTags(text string) (t tags, ok bool) {
	text = strings.Trim(text, " \t")
	if text == "*" {
		return tags{any: true}, true
	}
	for count := 0; ; count++ {
		text = strings.TrimLeft(text, " \t,")
		if text == "" {
			return t, count > 0
		}
		rest, weak := strings.CutPrefix(text, "W/")
		if len(rest) == 0 || rest[0] != '"' || count == maxTags {
			return tags{}, false
		}
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 || !opaque(rest[1:1+end]) {
			return tags{}, false
		}
		if n, err := strconv.ParseInt(rest[1:1+end], 10, 64); err == nil && etag(n) == rest[:end+2] {
			if weak {
				t.weak = append(t.weak, n)
			} else {
				t.versions = append(t.versions, n)
			}
		}
		text = strings.TrimLeft(rest[end+2:], " \t")
		if text != "" && text[0] != ',' {
			return tags{}, false
		}
	}
}

// opaque reports whether a text can stand between the quotes of an entity tag
// (RFC 9110 section 8.8.3, etagc).
func opaque(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < 0x21 || c == 0x7F {
			return false
		}
	}
	return true
}

// conditions are the two headers about versions.
func (x *exchange) conditions() (match, noneMatch *tags, err error) {
	for _, header := range []struct {
		name string
		to   **tags
	}{{"If-Match", &match}, {"If-None-Match", &noneMatch}} {
		values := x.req.Header[header.name]
		if len(values) == 0 {
			continue
		}
		t, ok := parseTags(strings.Join(values, ", "))
		if !ok {
			return nil, nil, badHeader(header.name, header.name+` must be * or a list of entity tags such as "7".`)
		}
		*header.to = &t
	}
	return match, noneMatch, nil
}

// badHeader is a header at fault.
func badHeader(name, message string) error {
	return &directory.Error{Code: directory.CodeInvalid, Reason: directory.ReasonHeaderSyntax, Message: message,
		Fields: []directory.FieldError{{Field: name, Reason: directory.ReasonHeaderSyntax, Message: message}}}
}

// readConditions puts If-Match and If-None-Match of a write on the call. If-Match
// compares strongly: a weak tag matches nothing (RFC 9110 section 13.1.1).
func (x *exchange) readConditions() error {
	match, noneMatch, err := x.conditions()
	if err != nil {
		return err
	}
	if match != nil {
		x.call.If.MustExist = match.any
		if !match.any {
			x.call.If.Match = append(make([]int64, 0, len(match.versions)), match.versions...)
		}
	}
	if noneMatch != nil {
		x.call.If.MustNotExist = noneMatch.any
		x.call.If.NoneMatch = append(noneMatch.versions, noneMatch.weak...)
	}
	return nil
}

// condition answers a read whose conditions are not met: 304 where the client has
// what it would get, 412 where it wants another version.
func (x *exchange) condition(response web.Response) (web.Response, error) {
	if len(x.req.Header["If-Match"]) == 0 && len(x.req.Header["If-None-Match"]) == 0 {
		return response, nil
	}
	match, noneMatch, err := x.conditions()
	if err != nil {
		return web.Response{}, err
	}
	version, ok := versionOf(response.Header)
	if !ok {
		return response, nil
	}
	switch {
	case match != nil && !match.any && !slices.Contains(match.versions, version):
		return web.Response{}, directory.Wrong(directory.CodeStale, directory.ReasonVersionMismatch, "It has another version than the request says.")
	case noneMatch != nil && (noneMatch.any || slices.Contains(noneMatch.versions, version) || slices.Contains(noneMatch.weak, version)):
		return web.Response{Status: http.StatusNotModified, Header: response.Header}, nil
	}
	return response, nil
}

// versionOf is the version in the ETag of an answer.
func versionOf(header [][2]string) (int64, bool) {
	for _, h := range header {
		if h[0] == "ETag" {
			n, err := strconv.ParseInt(strings.Trim(h[1], `"`), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// readIdempotency puts the Idempotency-Key of a creating request on the call
// (draft-ietf-httpapi-idempotency-key-header-07). Method, path and body are what
// makes two requests the same.
func (x *exchange) readIdempotency() error {
	if !x.route.op.creates {
		return nil
	}
	values := x.req.Header["Idempotency-Key"]
	if len(values) == 0 {
		return nil
	}
	key := strings.Trim(values[0], " ")
	if len(values) > 1 || key == "" || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' }) {
		return badHeader("Idempotency-Key", "Idempotency-Key must be one value of 1 to 255 visible ASCII characters.")
	}
	request := append([]byte(x.req.Method+" "+x.req.URL.Path+"\n"), x.body...)
	x.call.Idempotency = &directory.Idempotency{Key: key, Request: request}
	return nil
}

// limitHeaders adds the state of the request limit to an answer, in the words of
// draft-ietf-httpapi-ratelimit-headers-10.
func (d *door) limitHeaders(header [][2]string, q directory.Quota) [][2]string {
	// One string holds both values, so that they cost one allocation.
	var buffer [96]byte
	b := append(buffer[:0], `"default";r=`...)
	b = strconv.AppendInt(b, int64(max(0, q.Remaining)), 10)
	b = append(b, ";t="...)
	seconds := (q.Reset.Sub(d.opts.Now()) + time.Second - 1) / time.Second
	b = strconv.AppendInt(b, max(0, int64(seconds)), 10)
	state := len(b)
	b = append(b, `"default";q=`...)
	b = strconv.AppendInt(b, int64(q.Limit), 10)
	b = append(b, ";w=60"...)
	values := string(b)
	return append(header, [2]string{"RateLimit", values[:state]}, [2]string{"RateLimit-Policy", values[state:]})
}

// retryAfter is a whole number of seconds, at least 1 (RFC 9110 section
// 10.2.3).
func retryAfter(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
