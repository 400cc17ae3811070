package contract

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
)

// boundary separates the parts of multipart bodies: the same each time, so that
// a message shows what was sent.
const boundary = "------------------------contract0123456789"

// parseForm reads "reqmultipart: a=1&b=2".
func parseForm(d *directive, rest string) error {
	d.op, d.value = string(d.verb), rest
	if d.verb = verbReqBody; d.op == verbMultipart && rest == "" {
		return fmt.Errorf("%s has no parts", verbMultipart)
	}
	return nil
}

// The verbs of forms, which become reqbody with a media type.
const (
	verbForm      = "reqform"
	verbMultipart = "reqmultipart"
)

// formBody is the body of a form directive and its media type. The parts of a
// multipart body are written as they are, not escaped.
func formBody(op, text string) (body, media string, err error) {
	if op == verbForm {
		return text, "application/x-www-form-urlencoded", nil
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		return "", "", err
	}
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if err := w.WriteField(name, value); err != nil {
			return "", "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", "", err
	}
	return b.String(), w.FormDataContentType(), nil
}

// cookie is the value of a cookie that an answer sets; the last one counts.
func (a *answer) cookie(name string) (value string, ok bool) {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			value, ok = c.Value, true
		}
	}
	return value, ok
}
