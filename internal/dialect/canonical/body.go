package canonical

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

const (
	contentJSON    = "application/json"
	contentPatch   = "application/merge-patch+json"
	contentProblem = "application/problem+json"
)

// maxDepth is how deep a body may be nested, the outermost object counted. The
// core takes attributes and pictures that are nested less deep.
const maxDepth = 32

// readBody reads the request's body and checks that it is JSON within the limits,
// of a media type that the operation takes, without a member given twice: two
// readers of one text must not see two things (RFC 8259 section 4).
func (x *exchange) readBody() error {
	body, err := x.req.Body(x.door.opts.MaxBody)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return directory.Wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge, "The body is larger than %d bytes.", x.door.opts.MaxBody)
	case err != nil:
		return badBody("The body could not be read.", err)
	case len(body) == 0:
		return nil
	}
	if text := x.req.Header.Get("Content-Type"); text != "" {
		media, _, err := mime.ParseMediaType(text)
		if err != nil || !slices.Contains(x.route.media, media) {
			return directory.Wrong(directory.CodeUnsupported, directory.ReasonBodyMedia, "The body must be %s.", strings.Join(x.route.media, " or "))
		}
	}
	if x.route.media[0] == contentBytes {
		x.body = body
		return nil
	}
	value, err := web.DecodeValue(body, maxDepth)
	if err != nil {
		return badBody(describeJSON(err), err)
	}
	if name, twice := duplicate(value); twice {
		return badBody("The body has the member "+strconv.Quote(clip(name))+" twice in one object.", nil)
	}
	x.body = value
	return nil
}

func badBody(message string, cause error) error {
	return directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "%s", message).Because(cause)
}

// describeJSON says what is wrong with a text that is no JSON within the limits.
func describeJSON(err error) string {
	switch {
	case errors.Is(err, web.ErrJSONNotUTF8):
		return "The body is not valid UTF-8."
	case errors.Is(err, web.ErrJSONTooDeep):
		return "The body is nested more than " + strconv.Itoa(maxDepth) + " deep."
	case errors.Is(err, web.ErrJSONTooMany):
		return "The body has more than " + strconv.Itoa(web.MaxJSONValues) + " values."
	}
	return "The body is not valid JSON."
}

// duplicate finds a member that an object of a checked JSON text has twice.
func duplicate(text []byte) (name string, twice bool) {
	if bytes.Count(text, []byte{':'}) < 2 {
		return "", false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	type level struct {
		names map[string]bool // nil in an array
		value bool            // the next token is a value, not a name
	}
	var open []level
	for {
		token, err := decoder.Token()
		if err != nil {
			return "", false // the end: the text was checked
		}
		at := len(open) - 1
		inObject := at >= 0 && open[at].names != nil
		switch delimiter, _ := token.(json.Delim); {
		case delimiter == '}' || delimiter == ']':
			open = open[:at]
			continue
		case inObject && !open[at].value:
			name, _ := token.(string)
			if open[at].names[name] {
				return name, true
			}
			open[at].names[name], open[at].value = true, true
			continue
		case delimiter == '{':
			open = append(open, level{names: map[string]bool{}})
		case delimiter == '[':
			open = append(open, level{})
		}
		if inObject {
			open[at].value = false
		}
	}
}

// encode writes a value as JSON, '<', '>' and '&' as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
