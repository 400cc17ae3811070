package promises

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// request is what a client sends.
type request struct {
	method, path, body string
	header             map[string]string
}

// String is the request for a failure.
func (r request) String() string { return fmt.Sprintf("%s %s %.300s", r.method, r.path, r.body) }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// object reads a JSON object; nil for anything else.
func (a answer) object() map[string]any {
	var o map[string]any
	if json.Unmarshal([]byte(a.body), &o) != nil {
		return nil
	}
	return o
}

// text is a member of the answer's object that is a text, "" for none.
func (a answer) text(name string) string {
	text, _ := a.object()[name].(string)
	return text
}

// wire sends requests to one server for one tenant.
type wire struct {
	url, host string
	keeper    *secrets // keeps every secret that comes by; nil: nobody does
}

// client follows no redirect: where the console leads somebody is an answer.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

var addresses atomic.Int64

// send makes one request, from an address that no other has.
func (w wire) send(r request) (answer, error) {
	req, err := http.NewRequest(r.method, w.url+r.path, strings.NewReader(r.body))
	if err != nil {
		return answer{}, err
	}
	req.Host = w.host
	n := addresses.Add(1)
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.%d.%d.%d", 18+n>>16&1, n>>8&255, n&255))
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}, err
}

// do sends a request, whatever the answer.
func (w wire) do(t testing.TB, r request) answer {
	t.Helper()
	a, err := w.send(r)
	if err != nil {
		t.Fatalf("%v: %v", r, err)
	}
	if w.keeper != nil {
		w.keeper.noteHeader(r.header)
		if what := w.keeper.refuses(r, a); what != "" {
			t.Errorf("%v: the answer repeats %s: %.300s", r, what, a.body)
		}
		w.keeper.noteAnswer(a)
	}
	return a
}

// want sends a request that must be answered with a status.
func (w wire) want(t testing.TB, status int, r request) answer {
	t.Helper()
	a := w.do(t, r)
	if a.status != status {
		t.Fatalf("%v: %d %s, want %d", r, a.status, a.body, status)
	}
	return a
}

// toJSON writes a body; "" for nil.
func toJSON(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the tests' own values
	}
	return string(b)
}
