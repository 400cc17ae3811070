package page

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// statuses are the answers to the core's errors.
var statuses = map[directory.Code]int{
	directory.CodeInvalid: http.StatusUnprocessableEntity, directory.CodeNotFound: http.StatusNotFound, directory.CodeForbidden: http.StatusForbidden,
	directory.CodeConflict: http.StatusConflict, directory.CodeStale: http.StatusConflict, directory.CodeRateLimited: http.StatusTooManyRequests, directory.CodeUnavailable: http.StatusServiceUnavailable,
}

// refuse answers an error of a handler that is the core's word to a person. Others
// stay errors, get an id and go to failed.
func (k *Kit) refuse(r *Request, err error) (web.Response, error) {
	if errors.Is(err, web.ErrTooLarge) || errors.Is(err, web.ErrBadBody) {
		return r.errorPage(http.StatusBadRequest, problem{Text: "The form could not be read: it is too large or not complete."}), nil
	}
	e := directory.AsError(err)
	if e.Code == directory.CodeInternal {
		return web.Response{}, err
	}
	r.Event.Code, r.Event.Reason = string(e.Code), string(e.Reason)
	if e.Code == directory.CodeUnauthenticated {
		if r.cookie(actingCookie) != "" { // the hour is over, or somebody ended it
			resp := r.Done("/", "You act as yourself again.")
			r.Act(&resp, "")
			return resp, nil
		}
		return r.signIn(), nil
	}
	status := statuses[e.Code]
	if status == 0 {
		status = http.StatusConflict
	}
	p := problem{Text: e.Message, Retry: int(e.Retry / time.Second)}
	if e.Code == directory.CodeInvalid {
		p.Text = strings.Join(messages(e), " ")
	}
	return r.errorPage(status, p), nil
}

// messages are what an error says, in sentences.
func messages(e *directory.Error) []string {
	if len(e.Fields) == 0 {
		return []string{e.Message}
	}
	var list []string
	for _, f := range e.Fields {
		list = append(list, f.Message)
	}
	return list
}

// failed is the page for what nobody expected: the event has the error's id.
func (k *Kit) failed(r *web.Request, _ error) web.Response {
	req := &Request{Request: r, Kit: k}
	return req.errorPage(http.StatusInternalServerError, problem{Text: "The server met an error that it did not expect. Nothing was changed unless it says so elsewhere.", ErrorID: r.Event.ErrorID})
}

// unknown is the page for a path that leads nowhere.
func (k *Kit) unknown(w http.ResponseWriter, r *http.Request) {
	web.Adapt(directory.DoorConsole.String(), "", func(wr *web.Request) (web.Response, error) {
		req := &Request{Request: wr, Kit: k}
		if req.secret() == "" {
			return req.signIn(), nil
		}
		return req.errorPage(http.StatusNotFound, problem{Text: "There is no such page."}), nil
	}, k.failed).ServeHTTP(w, r)
}

// Faults are what is wrong with a form, by field; the empty name is of the form as a
// whole. Fields of the core that the form has under another name are renamed.
type Faults map[string]string

// FaultsOf takes the faults of a form from an error of the core that the person can
// mend: invalid, conflict, not found among what was named. ok is false for all others,
// which are the handler's error.
func FaultsOf(err error, rename map[string]string) (f Faults, ok bool) {
	e := directory.AsError(err)
	switch e.Code {
	case directory.CodeInternal, directory.CodeUnauthenticated, directory.CodeUnavailable, directory.CodeRateLimited:
		return nil, false
	}
	f = Faults{}
	for _, field := range e.Fields {
		name := field.Field
		if to, ok := rename[name]; ok {
			name = to
		}
		if f[name] == "" {
			f[name] = field.Message
		}
	}
	if len(e.Fields) == 0 {
		f[""] = e.Message
	}
	return f, true
}

// Any reports whether there is a fault.
func (f Faults) Any() bool { return len(f) > 0 }
