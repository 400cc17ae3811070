package testkit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/contract"
)

// Described plays a door's contract scripts, on SQLite, and holds each answer
// against the door's OpenAPI description: the status is declared, the content
// type and the headers are those declared for it, the body fits its schema. What
// the description does not know must not succeed. So that it promises nothing
// that is not there, every operation must be called, and each success that it
// declares must be answered once; unplayed are those that no script brings
// about, as "GET /v1/ping 200".
func Described(t *testing.T, prepare Prepare, document []byte, unplayed ...string) {
	play(t, prepare, document, unplayed, func(status string) bool { return strings.HasPrefix(status, "2") })
}

// DescribedWhole is Described for a description that must not promise an error
// either that no script brings about, but for those that every operation has
// and DescribedRefusals provokes, and for failures of the server.
func DescribedWhole(t *testing.T, prepare Prepare, document []byte, unplayed ...string) {
	elsewhere := []string{"401", "403", "413", "429", "500", "503"}
	play(t, prepare, document, unplayed, func(status string) bool { return !slices.Contains(elsewhere, status) })
}

// play plays the scripts; needed says of which statuses that are declared there
// must be an answer.
func play(t *testing.T, prepare Prepare, document []byte, unplayed []string, needed func(status string) bool) {
	d := readDescription(t, document)
	contract.Run(t, scripts, func(t *testing.T) contract.Target {
		server := Start(t, Options{Demo: true})
		base := &http.Transport{DisableCompression: true} // no header that the script did not write
		t.Cleanup(base.CloseIdleConnections)
		return contract.Target{URL: server.URL, Vars: prepare(t, server),
			Client: &http.Client{Transport: &describedTransport{t: t, base: base, description: d}}}
	})
	for _, op := range d.operations {
		for _, status := range sorted(op.responses) {
			name := op.name + " " + status
			switch excepted := slices.Contains(unplayed, name); {
			case op.seen[status] && excepted:
				t.Errorf("%s is answered after all", name)
			case op.seen[status] || excepted:
			case needed(status):
				t.Errorf("no case is answered with %s, which is declared", name)
			default:
				t.Logf("no case is answered with %s", name)
			}
		}
	}
}

// describedTransport checks each answer that it brings.
type describedTransport struct {
	t           *testing.T
	base        http.RoundTripper
	description *description
}

// RoundTrip sends a request, whose URL is opaque as contract scripts make it,
// and reports to the test what the description does not say of the answer.
func (c *describedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	path, _, _ := strings.Cut(r.URL.Opaque, "?")
	for _, fault := range c.description.answerFaults(r.Method, path, answer, body) {
		c.t.Errorf("%s %s: the answer %d is not as described: %s\n%s", r.Method, r.URL.Opaque, answer.StatusCode, fault, body)
	}
	return answer, nil
}

// answerFaults is what is wrong with an answer by the description.
func (d *description) answerFaults(method, path string, answer *http.Response, body []byte) []string {
	op := d.find(method, path)
	if op == nil || method == http.MethodHead && answer.StatusCode == http.StatusMethodNotAllowed {
		if answer.StatusCode < 400 && method != http.MethodOptions {
			return []string{"it succeeds, and there is no such operation"}
		}
		return nil
	}
	status := strconv.Itoa(answer.StatusCode)
	declared, err := d.resolve(op.responses[status])
	spec := asObject(declared)
	switch {
	case err != nil:
		return []string{err.Error()}
	case spec == nil:
		return []string{fmt.Sprintf("%s declares %v", op.name, sorted(op.responses))}
	}
	if method == op.method {
		op.seen[status] = true
	}
	faults := d.headerFaults(asObject(spec["headers"]), answer.Header)
	if method == http.MethodHead {
		return faults
	}
	return append(faults, d.contentFaults(asObject(spec["content"]), answer.Header.Get("Content-Type"), body)...)
}

// headerFaults is what is wrong with the headers of an answer.
func (d *description) headerFaults(declared object, have http.Header) []string {
	var faults []string
	for _, name := range sorted(declared) {
		resolved, err := d.resolve(declared[name])
		if err != nil {
			return []string{err.Error()}
		}
		spec := asObject(resolved)
		values := have.Values(name)
		if len(values) == 0 {
			if spec["required"] == true {
				faults = append(faults, "no header "+name)
			}
			continue
		}
		for _, value := range values {
			faults = append(faults, d.textFaults(spec["schema"], value, "header "+name)...)
		}
	}
	return faults
}

// textFaults is what is wrong with a value that is sent as text: a number where
// a number is wanted.
func (d *description) textFaults(schema any, text, at string) []string {
	resolved, err := d.resolve(schema)
	if err != nil {
		return []string{err.Error()}
	}
	var value any = text
	switch asText(asObject(resolved)["type"]) {
	case "integer", "number":
		if !json.Valid([]byte(text)) {
			return []string{fmt.Sprintf("%s is no number: %q", at, text)}
		}
		value = json.Number(text)
	}
	return d.faults(schema, value, at)
}

// contentFaults is what is wrong with the body of an answer and its type. An
// answer without declared content has no body.
func (d *description) contentFaults(declared object, contentType string, body []byte) []string {
	if len(declared) == 0 {
		if len(body) > 0 {
			return []string{"no body is declared"}
		}
		return nil
	}
	for name, media := range declared {
		if !sameMedia(name, contentType) {
			continue
		}
		schema := asObject(media)["schema"]
		kind, _, err := mime.ParseMediaType(name)
		switch {
		case err != nil:
			return []string{err.Error()}
		case kind == "application/json" || strings.HasSuffix(kind, "+json"):
			return d.jsonFaults(schema, body)
		case kind == "text/xml" || kind == "application/xml" || strings.HasSuffix(kind, "+xml"):
			return d.xmlFaults(schema, body)
		}
		return d.textFaults(schema, string(body), "body")
	}
	return []string{fmt.Sprintf("the content type is %q, declared are %v", contentType, sorted(declared))}
}

// sameMedia compares two media types with their parameters.
func sameMedia(a, b string) bool {
	x, xs, errX := mime.ParseMediaType(a)
	y, ys, errY := mime.ParseMediaType(b)
	return errX == nil && errY == nil && x == y && maps.Equal(xs, ys)
}

func (d *description) jsonFaults(schema any, body []byte) []string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return []string{"the body is no JSON: " + err.Error()}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return []string{"something follows the JSON value"}
	}
	return d.faults(schema, value, "$")
}
