package edubrite

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// maxParameters bounds how many parameters one request has: the largest call,
// a signup of 500 users, has 2,502.
const maxParameters = 4000

// params are the parameters of a request: those of the body before those of
// the query, as servlets have them. Names keep their letter case; parameters
// without a name are ignored, and so are those that no action knows (dossier
// 2.4).
type params []parameter

type parameter struct{ name, value string }

// get is the first value of a parameter, "" when it is absent. The Java client
// sends null as an empty value, so the two mean the same (dossier 2.4).
func (p params) get(name string) string {
	for i := range p {
		if p[i].name == name {
			return p[i].value
		}
	}
	return ""
}

// table is get for calls that read many: each costs what one parameter does,
// and not what all of them do.
func (p params) table() map[string]string {
	first := make(map[string]string, len(p))
	for i := range p {
		if _, ok := first[p[i].name]; !ok {
			first[p[i].name] = p[i].value
		}
	}
	return first
}

// indexed are the values of name0, name1 and so on that are not empty, in the
// order of their numbers.
func (p params) indexed(name string) []numbered {
	var list []numbered
	seen := map[int]bool{}
	for i := range p {
		digits, ok := strings.CutPrefix(p[i].name, name)
		n, known := index(digits)
		if !ok || !known || p[i].value == "" || seen[n] {
			continue
		}
		seen[n] = true
		list = append(list, numbered{n, p[i].value})
	}
	slices.SortFunc(list, func(a, b numbered) int { return a.number - b.number })
	return list
}

// numbered is one of several parameters of one kind.
type numbered struct {
	number int
	value  string
}

// index reads the number of a numbered parameter as clients write it: no sign,
// no leading zeros, so that two names never mean one number.
func index(digits string) (int, bool) {
	if len(digits) > 6 || digits == "" || digits[0] == '0' && digits != "0" {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n >= 0 && digits[0] != '+'
}

// properties are the values of name['x'] by x; single, double or no quotes
// (dossier 2.4). Empty values are left out.
func (p params) properties(name string) []parameter {
	var list []parameter
	seen := map[string]bool{}
	for i := range p {
		key, ok := propertyName(p[i].name, name)
		if !ok || p[i].value == "" || seen[key] {
			continue
		}
		seen[key] = true
		list = append(list, parameter{key, p[i].value})
	}
	return list
}

// propertyName is the x of name['x'].
func propertyName(text, name string) (key string, ok bool) {
	rest, ok := strings.CutPrefix(text, name+"[")
	if !ok || !strings.HasSuffix(rest, "]") {
		return "", false
	}
	key = strings.TrimSuffix(rest, "]")
	for _, quote := range []string{"'", `"`} {
		if len(key) >= 2 && strings.HasPrefix(key, quote) && strings.HasSuffix(key, quote) {
			key = key[1 : len(key)-1]
			break
		}
	}
	return key, key != ""
}

// list is the values of a comma list without the empty ones.
func (p params) list(name string) []string {
	var values []string
	for part := range strings.SplitSeq(p.get(name), ",") {
		if part = strings.TrimSpace(part); part != "" {
			values = append(values, part)
		}
	}
	return values
}

// readParams reads the parameters of a request: query, urlencoded body and
// multipart body, in any method (dossier 2.4). A body of another kind has none.
func readParams(r *web.Request, maxBody int64) (params, error) {
	body, err := r.Body(maxBody)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return nil, directory.Wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge, "The body is larger than %d bytes.", maxBody)
	case err != nil:
		return nil, badRequest("The body could not be read.").Because(err)
	}
	var p params
	media, arguments, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch media {
	case "application/x-www-form-urlencoded":
		err = p.addForm(string(body))
	case "multipart/form-data":
		err = p.addMultipart(body, arguments["boundary"])
	}
	if err == nil {
		err = p.addForm(r.URL.RawQuery)
	}
	return p, err
}

func badRequest(message string) *directory.Error {
	return directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "%s", message)
}

// add adds a parameter.
func (p *params) add(name, value string) error {
	if name == "" {
		return nil
	}
	if len(*p) == maxParameters {
		return badRequest("There are too many parameters.")
	}
	if !utf8.ValidString(name) || !utf8.ValidString(value) || strings.IndexByte(name, 0) >= 0 || strings.IndexByte(value, 0) >= 0 {
		return badRequest("A parameter is not valid UTF-8 text.")
	}
	*p = append(*p, parameter{name, value})
	return nil
}

// addForm reads what a query and an urlencoded body have in common. A semicolon
// is a character like any other, as for the vendor's servlets.
func (p *params) addForm(text string) error {
	for part := range strings.SplitSeq(text, "&") {
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, nameErr := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		if nameErr != nil || valueErr != nil {
			return badRequest("A parameter has a malformed escape.")
		}
		if err := p.add(name, value); err != nil {
			return err
		}
	}
	return nil
}

// addMultipart reads the parts that PHP's curl makes of an array. Files are
// passed over.
func (p *params) addMultipart(body []byte, boundary string) error {
	if boundary == "" {
		return badRequest("The multipart body has no boundary.")
	}
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for n := 0; ; n++ {
		part, err := reader.NextPart()
		if err == io.EOF { // wrapped, it is a body that breaks off
			return nil
		}
		if err != nil || n == maxParameters {
			return badRequest("The multipart body is malformed.").Because(err)
		}
		if part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return badRequest("The multipart body is malformed.").Because(err)
		}
		if err := p.add(part.FormName(), string(value)); err != nil {
			return err
		}
	}
}
