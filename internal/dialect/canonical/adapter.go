package canonical

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// huma describes the operations, reads and validates their input and writes
// their output; it neither listens nor routes. This file is what stands between:
// the adapter hands operations to the door's own tree of paths, and humaContext
// lets huma read from, and write to, an exchange.

// configure sets what huma keeps in global variables: this door is the only one
// that uses it. Errors become those of the core; names of members count with
// their letter case; arrays are never null.
var configure = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return &refused{status: status, err: directory.Wrong(directory.CodeInternal, directory.ReasonInternal, "%s", message).Because(errors.Join(errs...))}
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		x := ctx.(*humaContext).x
		if x.refusal == nil {
			x.refusal = inputError(status, message, errs)
		}
		return &refused{status: status, err: x.refusal}
	}
})

// refused is what huma gets back for an error. The exchange has the error
// itself, and what huma writes of it is thrown away.
type refused struct {
	status int
	err    error
}

// Error is the text for a log.
func (r *refused) Error() string { return r.err.Error() }

// GetStatus implements huma.StatusError.
func (r *refused) GetStatus() int { return r.status }

// inputError makes an error of the core of what huma found wrong with a request.
func inputError(status int, message string, errs []error) error {
	if status == http.StatusInternalServerError {
		return errors.Join(append([]error{errors.New("huma: " + message)}, errs...)...)
	}
	wrong := &directory.Error{Code: directory.CodeInvalid, Reason: directory.ReasonBodySyntax, Message: "The request has no body."}
	for _, err := range errs {
		detail, ok := err.(huma.ErrorDetailer)
		if !ok {
			continue
		}
		f := faultOf(detail.ErrorDetail())
		wrong.Fields = append(wrong.Fields, f)
		if len(wrong.Fields) == 1 || f.Reason == directory.ReasonQuerySyntax {
			wrong.Reason, wrong.Message = f.Reason, f.Message
		}
	}
	return wrong
}

// faultOf translates one of huma's findings. What is at fault in the query cannot
// be read; in the body it is a field with its reason.
func faultOf(detail *huma.ErrorDetail) directory.FieldError {
	place, field, _ := strings.Cut(detail.Location, ".")
	reason := directory.ReasonFieldValue
	switch message := detail.Message; {
	case place == "query":
		reason = directory.ReasonQuerySyntax
	case message == validation.MsgUnexpectedProperty && readOnly[field]:
		return directory.FieldError{Field: field, Reason: directory.ReasonFieldReadOnly, Message: field + " is set by the server, or by an operation of its own."}
	case message == validation.MsgUnexpectedProperty:
		return directory.FieldError{Field: clip(field), Reason: directory.ReasonFieldUnknown, Message: clip(field) + " is no member of this body."}
	case strings.Contains(message, "required property"):
		name, _, _ := strings.Cut(strings.TrimPrefix(message, "expected required property "), " ")
		if field != "" {
			name = field + "." + name
		}
		return directory.FieldError{Field: name, Reason: directory.ReasonFieldRequired, Message: name + " is required."}
	case strings.Contains(message, "length") || strings.Contains(message, "array"):
		reason = directory.ReasonFieldLength
	case strings.Contains(message, "expected string to be"), strings.HasPrefix(message, "expected "):
		reason = directory.ReasonFieldFormat
	}
	if field == "" {
		field = place
	}
	return directory.FieldError{Field: clip(field), Reason: reason, Message: clip(field) + ": " + detail.Message + "."}
}

// readOnly are the members that answers have and that cannot be written.
var readOnly = map[string]bool{"id": true, "number": true, "lock_reason": true, "must_change_password": true, "rank": true, "version": true,
	"created_at": true, "updated_at": true, "deleted_at": true, "expanded": true, "as_of": true}

// newAPI makes the part of huma that describes and validates.
func newAPI(d *door) huma.API {
	configure()
	format := huma.Format{
		Marshal: func(w io.Writer, v any) error {
			text, err := encode(v)
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		},
		Unmarshal: json.Unmarshal,
	}
	config := huma.Config{OpenAPI: newDescription(), Formats: map[string]huma.Format{contentJSON: format}, DefaultFormat: contentJSON}
	return huma.NewAPI(config, &adapter{door: d})
}

// adapter hands operations to the door.
type adapter struct {
	door *door
	last func(huma.Context) // of the operation that was registered last
}

// Handle implements huma.Adapter.
func (a *adapter) Handle(_ *huma.Operation, handler func(huma.Context)) { a.last = handler }

// ServeHTTP implements huma.Adapter: the door serves, not huma.
func (a *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.door.ServeHTTP(w, r) }

// viaHuma answers an exchange by huma's handler of an operation.
func viaHuma(op *huma.Operation, handler func(huma.Context)) func(*exchange) (web.Response, error) {
	return func(x *exchange) (web.Response, error) {
		handler(&humaContext{x: x, op: op, ctx: &carried{x.req.Context(), x}})
		if x.refusal != nil {
			return web.Response{}, x.refusal
		}
		if x.raw != nil {
			return *x.raw, nil
		}
		response := web.Response{Status: x.status, Header: x.header, Body: x.answer}
		if len(x.answer) > 0 {
			response.ContentType = contentJSON
		}
		return response, nil
	}
}

// humaContext implements huma.Context over an exchange.
type humaContext struct {
	x   *exchange
	op  *huma.Operation
	ctx context.Context
}

// What huma asks of a request.

func (c *humaContext) Operation() *huma.Operation      { return c.op }
func (c *humaContext) Context() context.Context        { return c.ctx }
func (c *humaContext) TLS() *tls.ConnectionState       { return c.x.req.TLS }
func (c *humaContext) Method() string                  { return c.x.req.Method }
func (c *humaContext) Host() string                    { return c.x.req.Host }
func (c *humaContext) RemoteAddr() string              { return c.x.req.RemoteAddr }
func (c *humaContext) URL() url.URL                    { return *c.x.req.URL }
func (c *humaContext) Param(name string) string        { return c.x.param(name) }
func (c *humaContext) Query(name string) string        { return c.x.query.Get(name) }
func (c *humaContext) BodyReader() io.Reader           { return bytes.NewReader(c.x.body) }
func (c *humaContext) SetReadDeadline(time.Time) error { return nil } // the body was read
func (c *humaContext) Version() huma.ProtoVersion {
	return huma.ProtoVersion{Proto: c.x.req.Proto, ProtoMajor: c.x.req.ProtoMajor, ProtoMinor: c.x.req.ProtoMinor}
}

// Header hides what the door itself has read: the media type was checked, and
// answers are always JSON.
func (c *humaContext) Header(name string) string {
	if name == "Content-Type" || name == "Accept" {
		return ""
	}
	return c.x.req.Header.Get(name)
}

// EachHeader calls yield with every header.
func (c *humaContext) EachHeader(yield func(name, value string)) {
	for name, values := range c.x.req.Header {
		for _, value := range values {
			yield(name, value)
		}
	}
}

// GetMultipartForm is never asked: no operation takes a form.
func (c *humaContext) GetMultipartForm() (*multipart.Form, error) {
	return nil, http.ErrNotMultipart
}

// What huma answers.

func (c *humaContext) SetStatus(code int) { c.x.status = code }
func (c *humaContext) Status() int        { return c.x.status }
func (c *humaContext) SetHeader(name, value string) {
	if name != "Content-Type" {
		c.x.setHeader(name, value)
	}
}
func (c *humaContext) AppendHeader(name, value string) { c.SetHeader(name, value) }
func (c *humaContext) BodyWriter() io.Writer           { return bodyWriter{c.x} }

// bodyWriter collects the answer's body.
type bodyWriter struct{ x *exchange }

// Write implements io.Writer.
func (w bodyWriter) Write(b []byte) (int, error) {
	w.x.answer = append(w.x.answer, b...)
	return len(b), nil
}
